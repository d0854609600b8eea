import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeCommand,
  RESP_LIMITS,
  type Reply,
  type RespLimits,
  RespParser,
  RespProtocolError,
} from "../../../lib/adapters/valkey/resp.ts";

const small: RespLimits = { lineBytes: 64, bulkBytes: 256, replyBytes: 1_024, depth: 3, arrayItems: 16 };

/** Replies, then the problem that ended it if one did. */
function parse(
  chunks: readonly Uint8Array[],
  limits: RespLimits = RESP_LIMITS,
): { replies: Reply[]; problem?: string } {
  const replies: Reply[] = [];
  const parser = new RespParser((reply) => replies.push(reply), limits);
  for (const chunk of chunks) {
    try {
      parser.push(chunk);
    } catch (error) {
      if (!(error instanceof RespProtocolError)) throw error;
      return { replies, problem: error.problem };
    }
  }
  return { replies };
}

const parseText = (text: string, limits?: RespLimits) => parse([Buffer.from(text, "latin1")], limits);

function encodeReply(reply: Reply): Buffer {
  switch (reply.kind) {
    case "simple":
      return Buffer.from(`+${reply.text}\r\n`);
    case "error":
      return Buffer.from(`-${reply.text}\r\n`);
    case "integer":
      return Buffer.from(`:${reply.value}\r\n`);
    case "bulk":
      return Buffer.concat([Buffer.from(`$${reply.bytes.length}\r\n`), reply.bytes, Buffer.from("\r\n")]);
    case "array":
      return Buffer.concat([Buffer.from(`*${reply.items.length}\r\n`), ...reply.items.map(encodeReply)]);
    case "null":
      return Buffer.from("$-1\r\n");
  }
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...points].map((from, index) => bytes.subarray(from, points[index] ?? bytes.length));
}

const words = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ""));
const anyReply: fc.Arbitrary<Reply> = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    words.map((text): Reply => ({ kind: "simple", text })),
    words.map((text): Reply => ({ kind: "error", text })),
    fc.maxSafeInteger().map((value): Reply => ({ kind: "integer", value: value + 0 })),
    fc.uint8Array({ maxLength: 40 }).map((bytes): Reply => ({ kind: "bulk", bytes: Buffer.from(bytes) })),
    fc.constant<Reply>({ kind: "null" }),
    fc.array(tie("reply"), { maxLength: 4 }).map((items): Reply => ({ kind: "array", items })),
  ),
})).reply;

// Bytes that a parser may take for something, so that random input gets further than its first byte.
const meaningful = fc.constantFrom(
  "+",
  "-",
  ":",
  "$",
  "*",
  "\r\n",
  "\r",
  "\n",
  "0",
  "1",
  "2",
  "9",
  "-1",
  "3",
  "OK",
  "a",
  " ",
);
const garbage = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(meaningful, { maxLength: 24 }).map((parts) => Buffer.from(parts.join(""), "latin1")),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 48 }).map((bytes) => Buffer.from(bytes)) },
);
const cuts = fc.array(fc.nat(400), { maxLength: 6 });

describe("reading replies", () => {
  it("reads every kind", () => {
    expect(
      parseText("+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\r\n\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n:1\r\n*1\r\n+x\r\n"),
    ).toEqual({
      replies: [
        { kind: "simple", text: "OK" },
        { kind: "error", text: "ERR no" },
        { kind: "integer", value: -7 },
        { kind: "bulk", bytes: Buffer.from("a\r\n") },
        { kind: "bulk", bytes: Buffer.alloc(0) },
        { kind: "null" },
        { kind: "null" },
        { kind: "array", items: [] },
        {
          kind: "array",
          items: [
            { kind: "integer", value: 1 },
            { kind: "array", items: [{ kind: "simple", text: "x" }] },
          ],
        },
      ],
    });
  });

  it("gives the same replies however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(anyReply, { maxLength: 5 }), cuts, (replies, where) => {
        const bytes = Buffer.concat(replies.map(encodeReply));
        expect(parse(cutAt(bytes, where)).replies).toEqual(replies);
      }),
      { numRuns: 10_000 },
    );
  });

  it("keeps nothing of a chunk's memory, which is the socket's", () => {
    const chunk = Buffer.from("$5\r\nab");
    const replies: Reply[] = [];
    const parser = new RespParser((reply) => replies.push(reply));
    parser.push(chunk);
    chunk.fill(0x21);
    parser.push(Buffer.from("cde\r\n"));
    expect(replies).toEqual([{ kind: "bulk", bytes: Buffer.from("abcde") }]);
  });
});

describe("what is no RESP2", () => {
  it("ends in a protocol error or is waited for, at the same reply however it is cut, and never otherwise", () => {
    fc.assert(
      fc.property(garbage, cuts, (bytes, where) => {
        expect(parse(cutAt(bytes, where), small)).toEqual(parse([bytes], small));
      }),
      { numRuns: 60_000 },
    );
  });

  it("does so too where a true stream is damaged in one place", () => {
    const damaged = fc.tuple(fc.array(anyReply, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(255), cuts);
    fc.assert(
      fc.property(damaged, ([replies, at, byte, where]) => {
        const bytes = Buffer.concat(replies.map(encodeReply));
        bytes[at % bytes.length] = byte;
        expect(parse(cutAt(bytes, where), small)).toEqual(parse([bytes], small));
      }),
      { numRuns: 30_000 },
    );
  });

  it.each([
    ["HTTP/1.1 400 Bad Request\r\n", "unknown-type"],
    ["\x15\x03\x03\x00\x02\x02\x46", "unknown-type"],
    ["%1\r\n", "unknown-type"],
    ["\r\n", "unknown-type"],
    ["+OK\n", "line-end"],
    ["$2\r\nabc\r\n", "line-end"],
    ["$x\r\n", "bad-number"],
    ["$-2\r\n", "bad-number"],
    ["*-2\r\n", "bad-number"],
    [":1.5\r\n", "bad-number"],
    [":\r\n", "bad-number"],
    [":9999999999999999\r\n", "bad-number"],
    [`+${"x".repeat(64)}\r\n`, "too-long"],
    ["$257\r\n", "too-long"],
    ["*17\r\n", "too-long"],
    ["*1\r\n*1\r\n*1\r\n*1\r\n", "too-deep"],
    [`*16\r\n${`$200\r\n${"x".repeat(200)}\r\n`.repeat(6)}`, "too-long"],
  ])("%.40j is %s", (text, problem) => {
    expect(parseText(text, small).problem).toBe(problem);
  });

  it("is known at the first foreign byte, without a line end", () => {
    expect(parseText("H").problem).toBe("unknown-type");
  });

  it("gives no reply any more after the first error, not even for good bytes", () => {
    const replies: Reply[] = [];
    const parser = new RespParser((reply) => replies.push(reply));
    expect(() => parser.push(Buffer.from("+a\r\n?"))).toThrow(RespProtocolError);
    expect(() => parser.push(Buffer.from("+b\r\n"))).toThrow(RespProtocolError);
    expect(replies).toEqual([{ kind: "simple", text: "a" }]);
  });

  it("is waited for without growing when a large size is announced and nothing comes", () => {
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 200 }, () => new RespParser(() => undefined));
    for (const parser of parsers) parser.push(Buffer.from("*65536\r\n$16777216\r\n"));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});

it("spells commands by bytes, not by characters", () => {
  expect(encodeCommand(["AUTH", "ü", ""])).toBe("*3\r\n$4\r\nAUTH\r\n$2\r\nü\r\n$0\r\n\r\n");
});
