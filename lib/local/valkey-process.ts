// A real valkey-server of this process's own: started, hung, killed and restarted at will.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import { LocalError } from "./errors.ts";
import { findFreePort } from "./free-port.ts";
import type { ProcessGroup, Program } from "./process-group.ts";
import { readTools } from "./tools.ts";
import { type Account, configLines, type NodeSettings } from "./valkey-config.ts";

export interface ValkeyOptions extends NodeSettings {
  readonly group: ProcessGroup;
  /** For messages. @default "valkey" */
  readonly id?: string;
  /** The address it binds to. @default "127.0.0.1" */
  readonly host?: string;
  /** @default a free one */
  readonly port?: number;
  /** `fenced`: started with `--replicaof 127.0.0.1 1` on the command line, where no CONFIG REWRITE can erase it. @default "plain" */
  readonly boot?: "fenced" | "plain";
  /** A command that runs the server, such as `["ip", "netns", "exec", "zone-a"]`. */
  readonly exec?: readonly string[];
  /** The server's program. @default the one that set-up found */
  readonly server?: string;
  /** @default 10,000 */
  readonly readyWithinMs?: number;
}

export interface RestartOptions {
  /** What it finds when it comes back. @default "kept" */
  readonly data?: "kept" | "emptied";
  /** @default as before */
  readonly boot?: "fenced" | "plain";
}

// The library's constructor takes its own options only without this one, unless it is named in the type.
type ClientOptions = Omit<RedisOptions, "replyMapping">;

const bootFence = ["--replicaof", "127.0.0.1", "1"];
const attempts = 3;

export class ValkeyProcess {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly configFile: string;
  readonly dataFolder: string;
  readonly #options: ValkeyOptions;
  readonly #folder: string;
  #boot: "fenced" | "plain";
  #program: Program | undefined;
  #log = "";

  private constructor(options: ValkeyOptions, port: number) {
    this.#options = options;
    this.#boot = options.boot ?? "plain";
    this.id = options.id ?? "valkey";
    this.host = options.host ?? "127.0.0.1";
    this.port = port;
    this.#folder = options.group.makeFolder(`node-${this.id}`);
    const configFolder = join(this.#folder, "config");
    this.configFile = join(configFolder, "valkey.conf");
    this.dataFolder = join(this.#folder, "data");
    mkdirSync(configFolder);
    mkdirSync(this.dataFolder);
    const version = readTools().valkey.version;
    const lines = configLines(options, { host: this.host, port, dataFolder: this.dataFolder, version });
    writeFileSync(this.configFile, `${lines.join("\n")}\n`, { mode: 0o600 });
  }

  /** Resolves when it accepts connections. */
  static async start(options: ValkeyOptions): Promise<ValkeyProcess> {
    for (let attempt = 1; ; attempt += 1) {
      const port = options.port ?? (await findFreePort(options.exec === undefined ? options.host : undefined));
      const node = new ValkeyProcess(options, port);
      try {
        await node.#start();
        return node;
      } catch (error) {
        node.#options.group.removeFolder(node.#folder);
        const mayRetry = error instanceof LocalError && error.problem === "port-in-use" && options.port === undefined;
        if (!mayRetry || attempt === attempts) {
          throw error;
        }
      }
    }
  }

  get isRunning(): boolean {
    return this.#program?.isRunning ?? false;
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Everything the server wrote, over all restarts. */
  get log(): string {
    return this.#log;
  }

  /** SIGKILL: nothing is saved and nobody is told. */
  async kill(): Promise<void> {
    await this.#program?.stop({ signal: "SIGKILL" });
  }

  /** SIGTERM: it saves what its settings say and waits for its replicas. */
  async shutDown(): Promise<void> {
    await this.#program?.stop({ signal: "SIGTERM", graceMs: 15_000 });
  }

  /** SIGSTOP: connections stay, the kernel still accepts new ones, nothing answers. */
  hang(): void {
    this.#running.signal("SIGSTOP");
  }

  /** SIGCONT. */
  wake(): void {
    this.#running.signal("SIGCONT");
  }

  /** Kills it if it still runs, and starts it again at the same address with the same file, as rewritten meanwhile. */
  async restart(options: RestartOptions = {}): Promise<void> {
    await this.kill();
    if (options.data === "emptied") {
      rmSync(this.dataFolder, { recursive: true, force: true });
      mkdirSync(this.dataFolder);
    }
    this.#boot = options.boot ?? this.#boot;
    await this.#start();
  }

  readConfig(): string {
    return readFileSync(this.configFile, "utf8");
  }

  /** From now on CONFIG REWRITE is refused, also for root, who may write into anything that exists. */
  hideConfig(): void {
    renameSync(join(this.#folder, "config"), join(this.#folder, "config-hidden"));
  }

  unhideConfig(): void {
    renameSync(join(this.#folder, "config-hidden"), join(this.#folder, "config"));
  }

  /** A client without retries; the caller disconnects it. Without an account it logs in as whoever may do everything. */
  open(account: Account | undefined = this.#administrator, more: ClientOptions = {}): Redis {
    const { tls } = this.#options;
    const options: ClientOptions = {
      host: this.host,
      port: this.port,
      protocol: 2,
      ...(account === undefined ? {} : { username: account.user, password: account.password }),
      ...(tls === undefined ? {} : { tls: { ca: readFileSync(tls.ca) } }),
      connectTimeout: 1_000,
      commandTimeout: 5_000,
      disconnectTimeout: 50,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      enableReadyCheck: false,
      ...more,
    };
    const client = new Redis(options);
    // The command that failed rejects; without a listener the same error would be printed as well.
    client.on("error", () => undefined);
    return client;
  }

  /** One command over a connection of its own, as the administrator. */
  async ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = this.open();
    try {
      return await client.call(command, ...args.map(String));
    } finally {
      client.disconnect();
    }
  }

  async info(section = "all"): Promise<Map<string, string>> {
    const text = String(await this.ask("INFO", section));
    const lines = text.split("\r\n").filter((line) => line.includes(":"));
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
  }

  get #administrator(): Account | undefined {
    const access = this.#options.access ?? "open";
    if (access === "open") {
      return undefined;
    }
    return "password" in access ? { user: "default", password: access.password } : access.administrator;
  }

  get #running(): Program {
    if (this.#program === undefined || !this.#program.isRunning) {
      throw new LocalError("ended-early", `${this.id} is not running`);
    }
    return this.#program;
  }

  async #start(): Promise<void> {
    const server = this.#options.server ?? readTools().valkey.server;
    const words = [
      ...(this.#options.exec ?? []),
      server,
      this.configFile,
      ...(this.#boot === "fenced" ? bootFence : []),
    ];
    const [command = server, ...args] = words;
    let onReady: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      onReady = resolve;
    });
    const program = await this.#options.group.spawn({
      name: this.id,
      command,
      args,
      cwd: this.dataFolder,
      endedBy: "SIGKILL",
      // The log tells readiness without a login, behind TLS and inside another network namespace alike.
      onLine: (line) => {
        this.#log += `${line}\n`;
        if (line.includes("Ready to accept connections")) {
          onReady();
        }
      },
    });
    this.#program = program;
    const withinMs = this.#options.readyWithinMs ?? 10_000;
    const outcome = await firstOf(ready, program, withinMs);
    if (outcome !== "ready") {
      await program.stop({ signal: "SIGKILL" });
      throw this.#failure(outcome, program, withinMs);
    }
  }

  #failure(outcome: "ended" | "late", program: Program, withinMs: number): LocalError {
    if (/Address already in use/i.test(program.output)) {
      return new LocalError(
        "port-in-use",
        `${this.id}: port ${this.port} at ${this.host} is in use by another program`,
      );
    }
    const what = outcome === "ended" ? "ended while it started" : `was not ready within ${withinMs} ms`;
    const problem = outcome === "ended" ? "ended-early" : "not-ready";
    return new LocalError(problem, `${this.id}: valkey-server ${what}:\n${program.output.slice(-2_000)}`);
  }
}

async function firstOf(ready: Promise<void>, program: Program, withinMs: number): Promise<"ready" | "ended" | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), withinMs);
  });
  const outcome = await Promise.race([
    ready.then(() => "ready" as const),
    program.ended.then(() => "ended" as const),
    late,
  ]);
  clearTimeout(timer);
  return outcome;
}
