// Bytes from a node -> replies, as RESP2 spells them. The other end may be anything: a node that dies in the middle of a
// word, an HTTP server, an attacker. So the parser takes any chunking, keeps a bounded amount whatever it is told to
// expect, does work in proportion to the bytes it was given, and fails in one way only: RespProtocolError, for good.
// RESP3 is never asked for (no HELLO), so its types are as foreign as any garbage.

import { ValkeeperError } from "../../core/errors.ts";

export type Reply =
  | { readonly kind: "simple"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "bulk"; readonly bytes: Buffer }
  | { readonly kind: "array"; readonly items: readonly Reply[] }
  | { readonly kind: "null" };

export interface RespLimits {
  /** A line: everything but the content of a bulk string. */
  readonly lineBytes: number;
  /** Content of one bulk string. */
  readonly bulkBytes: number;
  /** One whole reply, arrays with everything inside. */
  readonly replyBytes: number;
  /** Arrays inside arrays. EXEC of what the coordinator sends has one level. */
  readonly depth: number;
  readonly arrayItems: number;
}

/** The largest true answer is CLIENT LIST: 16 MB are some 50,000 subscribers' lines. */
export const RESP_LIMITS: RespLimits = {
  lineBytes: 8 * 1024,
  bulkBytes: 16 * 1024 * 1024,
  replyBytes: 20 * 1024 * 1024,
  depth: 8,
  arrayItems: 65_536,
};

export type RespProblem = "unknown-type" | "line-end" | "bad-number" | "too-long" | "too-deep";

/** What came is not RESP2, or larger than anything the coordinator asks for. Nothing on that connection can be believed. */
export class RespProtocolError extends ValkeeperError {
  readonly code = "RespProtocolError";
  readonly problem: RespProblem;
  constructor(problem: RespProblem, detail: string) {
    super(`${problem}: ${detail}`);
    this.problem = problem;
  }
}

interface OpenArray {
  readonly expected: number;
  readonly items: Reply[];
}

interface OpenBulk {
  /** Content and its line end. */
  readonly expected: number;
  readonly parts: Buffer[];
  received: number;
}

const CR = 0x0d;
const LF = 0x0a;
const TYPES = "+-:$*";
const NOTHING = Buffer.alloc(0);

export class RespParser {
  readonly #onReply: (reply: Reply) => void;
  readonly #limits: RespLimits;
  readonly #arrays: OpenArray[] = [];
  /** The beginning of a line whose end has not come. */
  #line: Buffer = NOTHING;
  #bulk: OpenBulk | null = null;
  #replyBytes = 0;
  #failure: RespProtocolError | null = null;

  constructor(onReply: (reply: Reply) => void, limits: RespLimits = RESP_LIMITS) {
    this.#onReply = onReply;
    this.#limits = limits;
  }

  /**
   * Hands out the replies that this chunk completes, also those before a place where it goes wrong. Throws RespProtocolError,
   * and after the first time only ever the same.
   */
  push(chunk: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      at = this.#bulk === null ? this.#takeLine(bytes, at) : this.#takeBulk(this.#bulk, bytes, at);
    }
  }

  #takeLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(LF, from);
    const until = end === -1 ? bytes.length : end + 1;
    const part = bytes.subarray(from, until);
    if (this.#line.length + part.length > this.#limits.lineBytes) this.#fail("too-long", "a line");
    const line = this.#line.length === 0 ? part : Buffer.concat([this.#line, part]);
    // Seen at the first byte already: something that is not Valkey need not send a whole line, or any line end, to be known.
    if (!TYPES.includes(String.fromCharCode(line[0] ?? 0))) {
      this.#fail("unknown-type", `a reply begins with ${JSON.stringify(line.subarray(0, 16).toString("latin1"))}`);
    }
    if (end === -1) {
      // Copied, because the chunk's memory belongs to the socket.
      this.#line = Buffer.from(line);
      return until;
    }
    this.#line = NOTHING;
    this.#count(line.length);
    if (line[line.length - 2] !== CR) this.#fail("line-end", "a line ends without a carriage return");
    const reply = this.#readLine(line.toString("latin1", 0, 1), line.toString("utf8", 1, line.length - 2));
    if (reply !== null) this.#complete(reply);
    return until;
  }

  #takeBulk(bulk: OpenBulk, bytes: Buffer, from: number): number {
    const until = Math.min(bytes.length, from + bulk.expected - bulk.received);
    bulk.parts.push(Buffer.from(bytes.subarray(from, until)));
    bulk.received += until - from;
    this.#count(until - from);
    if (bulk.received < bulk.expected) return until;
    const whole = Buffer.concat(bulk.parts);
    const content = whole.length - 2;
    if (whole[content] !== CR || whole[content + 1] !== LF)
      this.#fail("line-end", "a bulk string does not end in time");
    this.#bulk = null;
    this.#complete({ kind: "bulk", bytes: whole.subarray(0, content) });
    return until;
  }

  /** The reply that this line is; null when it is the head of a bulk string or of an array. */
  #readLine(type: string, text: string): Reply | null {
    switch (type) {
      case "+":
        return { kind: "simple", text };
      case "-":
        return { kind: "error", text };
      case ":":
        return { kind: "integer", value: this.#number(text) };
      case "$":
        return this.#beginBulk(this.#number(text));
      default:
        return this.#beginArray(this.#number(text));
    }
  }

  #beginBulk(length: number): Reply | null {
    if (length === -1) return { kind: "null" };
    if (length < 0) this.#fail("bad-number", `a bulk string of ${length} bytes`);
    if (length > this.#limits.bulkBytes) this.#fail("too-long", `a bulk string of ${length} bytes`);
    this.#bulk = { expected: length + 2, parts: [], received: 0 };
    return null;
  }

  #beginArray(length: number): Reply | null {
    if (length === -1) return { kind: "null" };
    if (length < 0) this.#fail("bad-number", `an array of ${length} items`);
    if (length > this.#limits.arrayItems) this.#fail("too-long", `an array of ${length} items`);
    if (length === 0) return { kind: "array", items: [] };
    if (this.#arrays.length === this.#limits.depth) this.#fail("too-deep", `more than ${this.#limits.depth} levels`);
    this.#arrays.push({ expected: length, items: [] });
    return null;
  }

  /** A reply has ended, and with it every array of which it is the last item. */
  #complete(reply: Reply): void {
    let done = reply;
    for (let open = this.#arrays.at(-1); open !== undefined; open = this.#arrays.at(-1)) {
      open.items.push(done);
      if (open.items.length < open.expected) return;
      this.#arrays.pop();
      done = { kind: "array", items: open.items };
    }
    this.#replyBytes = 0;
    this.#onReply(done);
  }

  #count(bytes: number): void {
    this.#replyBytes += bytes;
    if (this.#replyBytes > this.#limits.replyBytes) this.#fail("too-long", "a reply");
  }

  #number(text: string): number {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) this.#fail("bad-number", JSON.stringify(text.slice(0, 32)));
    return value;
  }

  #fail(problem: RespProblem, detail: string): never {
    this.#failure = new RespProtocolError(problem, detail);
    // Nothing is held for a connection that is about to be closed.
    this.#line = NOTHING;
    this.#bulk = null;
    this.#arrays.length = 0;
    throw this.#failure;
  }
}

/** One command as the protocol spells it; several may be joined into one write. */
export function encodeCommand(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}
