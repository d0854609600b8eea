// A writer as its parent sees it: started, listened to, stopped, and asked which of its acknowledged writes are missing.

import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProcessGroup, Program } from "../../lib/local/process-group.ts";
import { type Place, samePlace } from "./lookup.ts";
import { pause } from "./monotonic.ts";
import type { CheckResult, Stint, WriterMessage, WriterOptions, WriterOrder } from "./writer-protocol.ts";

export interface WriterStart extends Omit<WriterOptions, "socket"> {
  readonly group: ProcessGroup;
  /** Runs it, such as `["ip", "netns", "exec", "zone-a"]`. */
  readonly exec?: readonly string[];
}

interface Moment {
  readonly place: Place;
  readonly at: number;
}

const program = fileURLToPath(new URL("writer.ts", import.meta.url));
const STARTED_WITHIN_MS = 15_000;
const CHECKED_WITHIN_MS = 30_000;

export class WriterProcess {
  /** The first acknowledged write of each stint, in order. */
  readonly moves: Moment[] = [];
  readonly answers: Moment[] = [];
  readonly stints: Stint[] = [];
  readonly #server: Server;
  readonly #name: string;
  #program: Program | null = null;
  #socket: Socket | null = null;
  #isStopped = false;
  #checked: CheckResult | { readonly error: string } | null = null;

  private constructor(server: Server, name: string) {
    this.#server = server;
    this.#name = name;
  }

  /** Resolves after its first acknowledged write. */
  static async start({ group, exec = [], ...options }: WriterStart): Promise<WriterProcess> {
    const socket = join(group.makeFolder("writer"), "control");
    const server = createServer();
    const writer = new WriterProcess(server, `writer ${options.kind}`);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    group.onClose(() => writer.#close());
    server.once("connection", (connection) => writer.#listen(connection));
    const words = [...exec, process.execPath, program, JSON.stringify({ ...options, socket } satisfies WriterOptions)];
    const [command = process.execPath, ...args] = words;
    writer.#program = await group.spawn({ name: writer.#name, command, args, endedBy: "SIGKILL" });
    await writer.#until("writes", () => writer.moves.length > 0, STARTED_WITHIN_MS);
    return writer;
  }

  /** The first acknowledged write at another address than this one, or null when none came in time. */
  async movedFrom(place: Place, withinMs: number): Promise<Moment | null> {
    const found = () => this.moves.find((move) => !samePlace(move.place, place)) ?? null;
    await this.#until("moves", () => found() !== null, withinMs).catch(() => undefined);
    return found();
  }

  answeredOtherThan(place: Place): Moment | null {
    return this.answers.find((answer) => !samePlace(answer.place, place)) ?? null;
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#order({ order: "stop" });
    await this.#until("stops", () => this.#isStopped, STARTED_WITHIN_MS);
  }

  async check(place: Place): Promise<CheckResult> {
    this.#checked = null;
    this.#order({ order: "check", place });
    await this.#until("answers what is missing", () => this.#checked !== null, CHECKED_WITHIN_MS);
    const result = this.#checked as CheckResult | { readonly error: string } | null;
    if (result === null || "error" in result) throw new Error(`${this.#name}: ${result?.error ?? "no answer"}`);
    return result;
  }

  #order(order: WriterOrder): void {
    this.#socket?.write(`${JSON.stringify(order)}\n`);
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", () => undefined);
    createInterface({ input: socket }).on("line", (line) => this.#hear(JSON.parse(line) as WriterMessage));
  }

  #hear(message: WriterMessage): void {
    switch (message.event) {
      case "ready":
        return;
      case "moved":
        this.moves.push({ place: message.place, at: message.at });
        return;
      case "answer":
        this.answers.push({ place: message.place, at: message.at });
        return;
      case "stint":
        this.stints.push(message.stint);
        return;
      case "stopped":
        this.#isStopped = true;
        return;
      case "checked":
        this.#checked = message.result;
    }
  }

  async #until(what: string, isSo: () => boolean, withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    while (!isSo()) {
      if (performance.now() > until || this.#program?.isRunning === false) {
        throw new Error(`${this.#name} did not come so far that it ${what}: ${this.#program?.output.slice(-500)}`);
      }
      await pause(2);
    }
  }

  #close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }
}
