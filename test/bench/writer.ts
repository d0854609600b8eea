// A client that writes, as a process of its own: one SET of a new key per millisecond, the next one only when the last was
// answered. Which primary it writes to is decided by its kind:
//   follow  asks every 10 ms who is primary and moves with the first new answer;
//   sticky  asks only when it has to connect again or was told READONLY, as usual libraries do;
//   stay    never asks: it comes back to the one address it knows.
// It is told what to do, and tells what it did, in JSON lines over a socket that its parent listens on (a path, which is
// reached from any network namespace). Times are of the clock that all processes of a machine share.

import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { type Answer, type Lookup, openLookup, type Place, samePlace } from "./lookup.ts";
import { monotonicMs, pause } from "./monotonic.ts";
import type { CheckResult, Stint, WriterMessage, WriterOptions, WriterOrder } from "./writer-protocol.ts";

const ASK_EVERY_MS = 10;
const RETRY_AFTER_MS = 5;
/** Behind by more, it does not hurry after the missed milliseconds. */
const CATCH_UP_MS = 20;
const CHECKED_AT_ONCE = 500;
/** No run is this long; a writer whose parent forgot it ends by itself. */
const LIFE_MS = 180_000;

class Writer {
  readonly #options: WriterOptions;
  readonly #tell: (message: WriterMessage) => void;
  readonly #lookup: Lookup | null;
  readonly #acknowledgedAt: number[] = [];
  readonly #acknowledgedKey: number[] = [];
  readonly #latest = new Map<number, Place>();
  #place: Place;
  #epoch = 0;
  #next = 0;
  #client: Redis | null = null;
  #stint: { place: Place; firstAt: number; lastAt: number; acknowledged: number } | null = null;
  #stopped = false;
  #moved: () => void = () => undefined;

  constructor(options: WriterOptions, tell: (message: WriterMessage) => void) {
    this.#options = options;
    this.#tell = tell;
    this.#place = options.first;
    this.#lookup = options.lookup === null ? null : openLookup(options.lookup);
  }

  async run(): Promise<void> {
    const asking =
      this.#options.kind === "follow"
        ? setInterval(() => void this.#lookup?.ask((answer, source) => this.#heard(answer, source)), ASK_EVERY_MS)
        : undefined;
    let due = monotonicMs();
    while (!this.#stopped) {
      const written = await this.#writeOne();
      if (!written) await this.#recover();
      due = Math.max(due + 1, monotonicMs() - CATCH_UP_MS);
      const early = due - monotonicMs();
      if (early > 0) await pause(early);
    }
    clearInterval(asking);
    this.#client?.disconnect();
    this.#closeStint();
  }

  stop(): void {
    this.#stopped = true;
    this.#moved();
  }

  /** True when it was acknowledged. */
  async #writeOne(): Promise<boolean> {
    const client = this.#connected();
    const place = this.#place;
    const key = this.#next;
    this.#next += 1;
    const moved = new Promise<"moved">((resolve) => {
      this.#moved = () => resolve("moved");
    });
    const reply = client.set(`${this.#options.prefix}:${key}`, key).then(
      () => "written" as const,
      () => "failed" as const,
    );
    const outcome = await Promise.race([reply, moved]);
    if (outcome === "written") this.#acknowledge(key, place);
    // One that moved away has no fault to recover from.
    return outcome !== "failed";
  }

  #acknowledge(key: number, place: Place): void {
    const at = monotonicMs();
    this.#acknowledgedAt.push(at);
    this.#acknowledgedKey.push(key);
    if (this.#stint === null || !samePlace(this.#stint.place, place)) {
      this.#closeStint();
      this.#stint = { place, firstAt: at, lastAt: at, acknowledged: 0 };
      this.#tell({ event: "moved", place, at });
    }
    this.#stint.lastAt = at;
    this.#stint.acknowledged += 1;
  }

  #closeStint(): void {
    if (this.#stint !== null) this.#tell({ event: "stint", stint: { ...this.#stint } satisfies Stint });
    this.#stint = null;
  }

  async #recover(): Promise<void> {
    if (this.#stopped) return;
    this.#closeStint();
    if (this.#options.kind === "sticky") {
      const before = this.#place;
      // Answers of one question may differ while sentinels tell each other: the last one holds, as with one source.
      const asked = this.#lookup?.ask((answer) => this.#adopt(answer));
      await Promise.race([asked, pause(100)]);
      if (!samePlace(before, this.#place)) return;
    }
    await pause(RETRY_AFTER_MS);
  }

  /** Sentinels learn of a switch one after the other: only a source that changes its own mind says something new. */
  #heard(answer: Answer, source: number): void {
    const before = this.#latest.get(source) ?? this.#options.first;
    this.#latest.set(source, answer.place);
    if (!samePlace(before, answer.place)) this.#adopt(answer);
  }

  #adopt(answer: Answer): void {
    if (samePlace(answer.place, this.#place)) return;
    if (answer.epoch < this.#epoch) return;
    this.#epoch = answer.epoch;
    this.#place = answer.place;
    this.#client?.disconnect();
    this.#client = null;
    this.#tell({ event: "answer", place: answer.place, epoch: answer.epoch, at: monotonicMs() });
    this.#moved();
  }

  #connected(): Redis {
    if (this.#client !== null && this.#client.status !== "end") return this.#client;
    this.#client = open(this.#place, this.#options);
    return this.#client;
  }

  /** Which acknowledged writes does this node not have? */
  async check(place: Place): Promise<CheckResult> {
    const client = open(place, this.#options);
    const lostAt: number[] = [];
    try {
      for (let from = 0; from < this.#acknowledgedKey.length; from += CHECKED_AT_ONCE) {
        const keys = this.#acknowledgedKey.slice(from, from + CHECKED_AT_ONCE);
        const replies = await client.mget(keys.map((key) => `${this.#options.prefix}:${key}`));
        for (const [index, reply] of replies.entries()) {
          if (reply === null) lostAt.push(this.#acknowledgedAt[from + index] ?? 0);
        }
      }
    } finally {
      client.disconnect();
    }
    return {
      acknowledged: this.#acknowledgedKey.length,
      lost: lostAt.length,
      firstLostAt: lostAt[0] ?? null,
      lastLostAt: lostAt.at(-1) ?? null,
    };
  }

  close(): void {
    this.#lookup?.close();
  }
}

function open(place: Place, options: WriterOptions): Redis {
  const client = new Redis({
    host: place.host,
    port: place.port,
    password: options.password,
    protocol: 2,
    connectTimeout: 1_000,
    disconnectTimeout: 10,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  client.on("error", () => undefined);
  return client;
}

function serve(socket: Socket, options: WriterOptions): void {
  const tell = (message: WriterMessage): void => {
    socket.write(`${JSON.stringify(message)}\n`);
  };
  const writer = new Writer(options, tell);
  const running = writer.run();
  const obey = async (order: WriterOrder): Promise<void> => {
    if (order.order === "stop") {
      writer.stop();
      await running;
      tell({ event: "stopped", at: monotonicMs() });
    } else {
      const result = await writer.check(order.place).catch((error: unknown) => ({ error: String(error) }));
      tell({ event: "checked", result });
    }
  };
  createInterface({ input: socket }).on("line", (line) => void obey(JSON.parse(line) as WriterOrder));
  // Whoever started it is gone, or wants no more of it.
  socket.on("close", () => process.exit(0));
  socket.on("error", () => process.exit(1));
  tell({ event: "ready" });
}

const options = JSON.parse(process.argv[2] ?? "{}") as WriterOptions;
process.on("SIGINT", () => undefined);
setTimeout(() => process.exit(1), LIFE_MS).unref();
const socket = connect(options.socket, () => serve(socket, options));
