// What `npm start` shows, step by step, each measured and each checked: a step that does not hold throws, and the run ends
// with that. Times of the engine are those of its own history; times of the application are the application's.

import { setTimeout as sleep } from "node:timers/promises";
import { completeConfig } from "../../core/config-defaults.ts";
import type { HistoryRecord } from "../../core/records.ts";
import { effectiveDeclaration } from "../../core/spec.ts";
import { voterId } from "../../core/types.ts";
import { LocalError } from "../errors.ts";
import { describeWaiting, notReady } from "../readiness.ts";
import { localAccess } from "../valkey-config.ts";
import type { ValkeyProcess } from "../valkey-process.ts";
import type { CommandLine } from "./command-line.ts";
import { GROUP, type Installation, storeForClients, ZONES } from "./installation.ts";
import { names, readPublished, textOf } from "./published.ts";
import type { Say } from "./step-printer.ts";
import { now, WritingClient } from "./writing-client.ts";

export interface Measured {
  readonly what: string;
  readonly value: string;
}

const READY_WITHIN_MS = 60_000;
const FAILOVER_WITHIN_MS = 30_000;
const RETURN_WITHIN_MS = 30_000;
/** Each look is a request or more to the one emulator that all of it runs on: more of them would slow down what they wait for. */
const LOOK_EVERY_MS = 100;
/** What this process or a node knows. */
const LOOK_INSIDE_EVERY_MS = 5;
const HISTORY_LOOKED_AT = 100;

export class Scenario {
  readonly measured: Measured[] = [];
  readonly #installation: Installation;
  readonly #commands: CommandLine;
  #client: WritingClient | null = null;

  constructor(installation: Installation, commands: CommandLine) {
    this.#installation = installation;
    this.#commands = commands;
  }

  async untilReady(say: Say): Promise<void> {
    const { store } = this.#installation;
    const spec = await store.readSpec(GROUP);
    if (spec === null) throw new LocalError("not-ready", `the stack has registered no group ${GROUP}`);
    const config = completeConfig(effectiveDeclaration(spec));
    try {
      await until("every voter watches and the group is armed", READY_WITHIN_MS, async () => {
        return (await notReady(store, [config], ZONES.map(voterId))).length === 0;
      });
    } catch (error) {
      for (const line of await describeWaiting(store, [GROUP])) say(line);
      throw error;
    }
    await this.#show(say, "status", GROUP);
  }

  async startClient(say: Say): Promise<void> {
    const client = new WritingClient({
      store: storeForClients(this.#installation),
      group: GROUP,
      account: localAccess.application,
    });
    this.#client = client;
    await until("the client writes", 10_000, async () => client.acknowledged.length > 100, LOOK_INSIDE_EVERY_MS);
    say("one SET of a new key about every 2 ms, to whom the published item names; it is told nothing of what follows");
  }

  async killPrimary(say: Say): Promise<void> {
    const { store } = this.#installation;
    const old = await this.#primary();
    const client = this.#writing;
    say(`SIGKILL to ${old.id}, ${textOf(old)}`);
    const killedAt = now();
    await old.kill();
    const first = await found(
      "a write is acknowledged by a new primary",
      FAILOVER_WITHIN_MS,
      async () => client.firstAfter(killedAt, textOf(old)),
      LOOK_INSIDE_EVERY_MS,
    );
    await until("the operation is in the history", FAILOVER_WITHIN_MS, async () =>
      (await this.#historySince(killedAt)).some((each) => each.event === "failover.completed"),
    );
    const next = await this.#primary();
    await this.#untilEverythingNames(next);
    const history = await this.#historySince(killedAt);
    const copies = await store.readCopies(GROUP);
    await this.#show(say, "history", GROUP, "--limit", String(history.length));
    const rows: [string, number | undefined][] = [
      ["kill to objectively down", atOf(history, "primary.objectively-down")],
      ["kill to promoted", atOf(history, "promotion.applied")],
      ["kill to published in the table", atOf(history, "publication.committed", "table")],
      ["kill to published in SSM", copies.ssm?.at],
      ["kill to published in DNS", copies.dns?.at],
      ["kill to first acknowledged write", first.at],
    ];
    for (const [what, at] of rows) this.#measure(say, what, at === undefined ? "?" : milliseconds(at - killedAt));
    const missing = await client.missingAt(next, killedAt);
    this.#measure(say, "acknowledged writes lost with the killed primary", String(missing.length));
  }

  async returnOldPrimary(node: ValkeyProcess, say: Say): Promise<void> {
    const startedAt = now();
    await node.restart();
    say(
      `${node.id} was started again, boot-fenced: it follows nobody and takes no write until it is told whom to follow`,
    );
    const primary = await this.#primary();
    await until(
      `${node.id} follows ${primary.id}`,
      RETURN_WITHIN_MS,
      async () => {
        const info = await node.info("replication");
        const isFollowing =
          info.get("master_host") === primary.host && info.get("master_port") === String(primary.port);
        return info.get("role") === "slave" && isFollowing && info.get("master_link_status") === "up";
      },
      LOOK_INSIDE_EVERY_MS,
    );
    this.#measure(say, `${node.id} started to following and in step`, milliseconds(now() - startedAt));
  }

  async switchHome(node: ValkeyProcess, say: Say): Promise<void> {
    const { store } = this.#installation;
    const client = this.#writing;
    const before = await this.#primary();
    await until(`${node.id} is published as a replica in sync`, RETURN_WITHIN_MS, async () =>
      ((await store.readPublication(GROUP))?.replicas ?? []).some((each) => each.node === node.id),
    );
    const orderedAt = now();
    const code = await this.#show(say, "switchover", GROUP, "--to", node.id, "--reason", "home");
    if (code !== 0) throw new LocalError("command-failed", `the switchover ended with exit code ${code}`);
    await found(
      "the client writes to it",
      RETURN_WITHIN_MS,
      async () => client.firstAfter(orderedAt, textOf(before)),
      LOOK_INSIDE_EVERY_MS,
    );
    await this.#untilEverythingNames(node);
    // What was in flight is answered, or not, by now.
    await sleep(200);
    const request = await store.readRequest(GROUP);
    if (request?.result != null) {
      this.#measure(say, "switchover, order to confirmed", milliseconds(request.result.at - request.askedAt));
    }
    this.#measure(say, "switchover, longest time without a write", milliseconds(client.longestGapSince(orderedAt).ms));
    const missing = await client.missingAt(node, now());
    const lost = missing.filter((key) => (this.#acknowledgedAt(key) ?? 0) >= orderedAt - 1_000);
    this.#measure(say, "acknowledged writes lost by the switchover", String(lost.length));
    if (lost.length > 0)
      throw new LocalError("command-failed", `the switchover lost ${lost.length} acknowledged writes`);
  }

  async countWrites(say: Say): Promise<void> {
    const client = this.#writing;
    await this.stop();
    const primary = await this.#primary();
    const missing = await client.missingAt(primary);
    const total = client.acknowledged.length;
    this.#measure(say, "writes acknowledged in all, and of them missing at the end", `${total}, ${missing.length}`);
    say(`${client.unacknowledged} more were refused or cut off, and the client knew it`);
    await until("all replicas are in sync and published again", RETURN_WITHIN_MS, async () => {
      const publication = await this.#installation.store.readPublication(GROUP);
      return publication?.replicas.length === ZONES.length - 1;
    });
    await this.#show(say, "status", GROUP);
  }

  node(id: string): ValkeyProcess {
    const node = this.#installation.nodes.find((each) => each.id === id);
    if (node === undefined) throw new LocalError("command-failed", `there is no node ${id}`);
    return node;
  }

  /** What the installation itself says of a step that did not hold. */
  async explain(say: Say): Promise<void> {
    for (const command of ["why", "history"]) {
      await this.#show(say, command, GROUP);
    }
  }

  /** The client, if it runs. */
  async stop(): Promise<void> {
    await this.#client?.stop();
  }

  get #writing(): WritingClient {
    if (this.#client === null) throw new LocalError("command-failed", "the client does not run");
    return this.#client;
  }

  #acknowledgedAt(key: string): number | undefined {
    return this.#writing.acknowledged.find((each) => each.key === key)?.at;
  }

  /** A command of the command line, as a person would give it, with what it prints; its exit code. */
  async #show(say: Say, ...args: readonly string[]): Promise<number | null> {
    say(`$ npx valkeeper ${args.join(" ")}`);
    const { lines, code } = await this.#commands.run(...args);
    for (const line of lines) say(line);
    return code;
  }

  async #primary(): Promise<ValkeyProcess> {
    const publication = await this.#installation.store.readPublication(GROUP);
    return this.node(publication?.primary.node ?? "n1");
  }

  async #untilEverythingNames(node: ValkeyProcess): Promise<void> {
    const what = `table, parameter and DNS record name ${node.id}`;
    await until(what, FAILOVER_WITHIN_MS, async () => {
      return names(await readPublished(this.#installation), node);
    });
  }

  async #historySince(at: number): Promise<readonly HistoryRecord[]> {
    const options = { limit: HISTORY_LOOKED_AT, newestFirst: true };
    const records = await this.#installation.store.readHistory(GROUP, options);
    return records.filter((each) => each.at >= Math.floor(at)).toSorted((left, right) => left.at - right.at);
  }

  #measure(say: Say, what: string, value: string): void {
    this.measured.push({ what, value });
    say(`${what}: ${value}`);
  }
}

const milliseconds = (ms: number): string => `${Math.round(ms)} ms`;

const atOf = (history: readonly HistoryRecord[], event: string, target?: string): number | undefined =>
  history.find((each) => each.event === event && (target === undefined || each.detail["target"] === target))?.at;

async function found<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined>,
  everyMs = LOOK_EVERY_MS,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const value = await look();
    if (value !== undefined) return value;
    await sleep(everyMs);
  }
  throw new LocalError("not-ready", `within ${withinMs / 1_000} s it did not come about that ${what}`);
}

async function until(
  what: string,
  withinMs: number,
  holds: () => Promise<boolean>,
  everyMs = LOOK_EVERY_MS,
): Promise<void> {
  await found(what, withinMs, async () => ((await holds()) ? true : undefined), everyMs);
}
