// A whole group for integration tests: real valkey-servers, the local cloud's table, and three voters that run the
// shipped loop and adapters in this process, each with its own clients. A voter can be stopped as a killed function is:
// at once, its connections cut, nothing said.

import { randomUUID } from "node:crypto";
import { tellOnce } from "../../functions/voter/voter.ts";
import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import { makeValkeyNodes } from "../../lib/adapters/valkey/valkey-node.ts";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { GroupConfig } from "../../lib/core/config.ts";
import { checkDeclaration } from "../../lib/core/config-check.ts";
import type { RequestRecord, RequestResult } from "../../lib/core/records.ts";
import { after, type GroupName, groupName, instant, type VoterId, voterId, wallTime } from "../../lib/core/types.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { type Account, localAccess } from "../../lib/local/valkey-config.ts";
import { type ValkeyOptions, ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import type { Journal, JournalEntry } from "../../lib/ports/journal.ts";
import { VoterLoop, type VoterSummary } from "../../lib/runtime/voter-loop.ts";
import { clientsFor, makeTable, PATIENT } from "../contract/group-store-endpoints.ts";
import { eventually } from "./local-group.ts";

export interface LiveGroupOptions {
  readonly group: ProcessGroup;
  readonly endpoint: string;
  /** @default three boot-fenced nodes */
  readonly nodes?: readonly Partial<ValkeyOptions>[];
  readonly settings?: Partial<Omit<GroupConfig, "name" | "nodes" | "credentials">>;
  /** What the voters reach the table through, a fault proxy for one. @default the endpoint */
  readonly voterEndpoint?: string;
  /** Asked at each new connection. @default the coordinator's own */
  readonly credentials?: () => Account;
  /** @default false */
  readonly economy?: boolean;
  /** @default az-a, az-b, az-c */
  readonly voters?: readonly string[];
  /** @default "mymaster" */
  readonly name?: string;
  /** Where it is registered, and what its voters serve. @default 0 */
  readonly shard?: number;
  /** Another group's, as groups of one deployment share it. @default a table of its own */
  readonly table?: string;
}

export interface LoggedEvent extends JournalEntry {
  readonly atMs: number;
}

/** One voter's invocation in this process. */
export class LiveVoter {
  readonly id: VoterId;
  readonly ended: Promise<VoterSummary>;
  readonly #destroy: () => void;
  #isStopped = false;

  constructor(id: VoterId, live: LiveGroup, lifeMs: number) {
    this.id = id;
    const clients = createAwsClients({
      endpoint: live.options.voterEndpoint ?? live.endpoint,
      region: "eu-west-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    const clock = new SystemClock();
    const journal: Journal = { write: (entry) => this.#tell(live, entry) };
    const onUnreadable = tellOnce(journal, id);
    const store = createDynamodbStore({ client: clients.dynamodb, table: live.table, onUnreadable });
    const stoppable = stopping(store, () => this.#isStopped);
    const opened: { close(): void }[] = [];
    const credentials = () => ({ ...(live.options.credentials?.() ?? localAccess.coordinator), previousUser: null });
    this.ended = new Promise((resolve) => {
      const loop = new VoterLoop(
        {
          voter: id,
          voters: live.voterIds,
          shard: live.shard,
          owner: `${id}-${randomUUID()}`,
          store: stoppable,
          openNodes: (config) => {
            const nodes = makeValkeyNodes({
              clock,
              credentials,
              tls: config.tls,
              clientName: `valkeeper-${id}`,
            });
            return {
              open: (address) => {
                const node = nodes.open(address);
                opened.push(node);
                return stopping(node, () => this.#isStopped);
              },
            };
          },
          publisher: createPublisher({ store, ssm: clients.ssm, route53: clients.route53, clock }),
          clock,
          journal,
          deadline: after(instant(performance.now()), lifeMs),
          economy: live.options.economy ?? false,
        },
        resolve,
      );
      loop.start();
    });
    this.#destroy = () => {
      for (const node of opened) node.close();
      clients.destroy();
    };
  }

  #tell(live: LiveGroup, entry: JournalEntry): void {
    if (this.#isStopped) return;
    live.log.push({ ...entry, atMs: performance.now() });
    live.onEvent(entry);
  }

  /** As a killed function: nothing more is sent or written, connections are cut. */
  stop(): void {
    this.#isStopped = true;
    this.#destroy();
  }
}

export class LiveGroup {
  readonly endpoint: string;
  readonly table: string;
  readonly store: OperatorStore;
  readonly nodes: readonly ValkeyProcess[];
  readonly voterIds: readonly VoterId[];
  readonly name: GroupName;
  readonly shard: number;
  readonly log: LoggedEvent[] = [];
  readonly voters = new Map<VoterId, LiveVoter>();
  onEvent: (entry: JournalEntry) => void = () => undefined;
  readonly options: LiveGroupOptions;
  readonly #closeClients: () => void;

  private constructor(
    options: LiveGroupOptions,
    table: string,
    nodes: readonly ValkeyProcess[],
    voterIds: readonly VoterId[],
  ) {
    const { endpoint } = options;
    this.options = options;
    this.name = groupName(options.name ?? "mymaster");
    this.shard = options.shard ?? 0;
    this.endpoint = endpoint;
    this.table = table;
    this.nodes = nodes;
    this.voterIds = voterIds;
    const clients = clientsFor(endpoint);
    // Whoever only looks may wait; the voters, each with a store of its own, may not.
    this.store = createDynamodbStore({ client: clients.dynamodb, table, limits: PATIENT });
    this.#closeClients = () => clients.destroy();
  }

  /** Starts nodes and table and registers the group; voters are started by `startVoters`. */
  static async create(options: LiveGroupOptions): Promise<LiveGroup> {
    const nodeOptions = options.nodes ?? [{}, {}, {}];
    const nodes = await Promise.all(
      nodeOptions.map((own, index) =>
        ValkeyProcess.start({ group: options.group, id: `n${index + 1}`, access: localAccess, boot: "fenced", ...own }),
      ),
    );
    const voterIds = (options.voters ?? ["az-a", "az-b", "az-c"]).map(voterId);
    const clients = clientsFor(options.endpoint);
    const table = options.table ?? (await makeTable(clients));
    clients.destroy();
    const live = new LiveGroup(options, table, nodes, voterIds);
    await live.register(options.settings ?? {});
    return live;
  }

  /** The same nodes, with voters over another table. Closing it leaves `live` to be closed. */
  static over(live: LiveGroup, table: string): LiveGroup {
    return new LiveGroup(live.options, table, live.nodes, live.voterIds);
  }

  async register(settings: Partial<GroupConfig>): Promise<void> {
    const declaration = {
      name: this.name,
      nodes: this.nodes.map((node, index) => ({
        id: node.id,
        host: node.host,
        port: node.port,
        zone: `az-${"abcdefghi"[index]}`,
      })),
      armAfterMs: 300,
      credentials: { kind: "secrets-manager", user: localAccess.coordinator.user, secretId: "unused-here" },
      publication: { parameterPrefix: `/test/${this.table}`, dns: null },
      ...settings,
    };
    const declared = checkDeclaration(declaration, { voters: this.voterIds });
    await this.store.writeSpec(
      { schema: 1, group: this.name, version: 1, owner: "cli", declared, overrides: {}, shard: this.shard },
      0,
    );
  }

  startVoters(lifeMs = 120_000): void {
    for (const id of this.voterIds) this.startVoter(id, lifeMs);
  }

  startVoter(id: VoterId, lifeMs = 120_000): LiveVoter {
    const voter = new LiveVoter(id, this, lifeMs);
    this.voters.set(id, voter);
    return voter;
  }

  /** Until the group has a primary, is armed, and every other node is in sync with it. */
  async healthy(withinMs = 15_000): Promise<Ballot> {
    let ballot: Ballot | null = null;
    await eventually(
      "the group is healthy",
      async () => {
        ballot = await this.store.readBallot(this.name);
        return ballot !== null && isHealthy(ballot, this.nodes.length);
      },
      withinMs,
    );
    return ballot as unknown as Ballot;
  }

  /** As `healthy`, while this node stays away. */
  async healthyWithout(gone: string, withinMs = 15_000): Promise<Ballot> {
    let ballot: Ballot | null = null;
    await eventually(
      `the group is healthy without ${gone}`,
      async () => {
        ballot = await this.store.readBallot(this.name);
        return ballot !== null && ballot.primary?.node !== gone && ballot.lease === null && ballot.operation === null;
      },
      withinMs,
    );
    return ballot as unknown as Ballot;
  }

  /** The voter that logs this event after `sinceMs` is killed on the spot. */
  stopHolderAt(name: JournalEntry["event"], sinceMs: number): void {
    this.onEvent = (entry) => {
      if (entry.event !== name || performance.now() < sinceMs) return;
      this.onEvent = () => undefined;
      this.voters.get(entry.voter)?.stop();
    };
  }

  /** Writes an operator's request as the commands do. */
  async request(kind: RequestRecord["kind"], options: Partial<RequestRecord> = {}): Promise<string> {
    const now = wallTime(Date.now());
    const id = `request-${Math.random().toString(36).slice(2)}`;
    const request: RequestRecord = {
      schema: 1,
      id,
      kind,
      target: null,
      by: "test",
      reason: "asked by a test",
      acceptDataLoss: false,
      askedAt: now,
      expiresAt: wallTime(now + 30_000),
      result: null,
      ...options,
    };
    if (!(await this.store.writeRequest(this.name, request, now))) throw new Error("another request stands");
    return id;
  }

  async result(id: string, withinMs = 20_000): Promise<RequestResult> {
    let result: RequestResult | null = null;
    await eventually(
      "the request is answered",
      async () => {
        const record = await this.store.readRequest(this.name);
        result = record?.id === id ? record.result : null;
        return result !== null;
      },
      withinMs,
    );
    return result as unknown as RequestResult;
  }

  node(id: string): ValkeyProcess {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  async primary(): Promise<ValkeyProcess> {
    const ballot = await this.store.readBallot(this.name);
    return this.node(ballot?.primary?.node ?? "");
  }

  /** The first logged event of that name after `sinceMs`; waits for it. */
  async event(name: JournalEntry["event"], sinceMs: number, withinMs = 15_000): Promise<LoggedEvent> {
    let found: LoggedEvent | undefined;
    await eventually(
      `${name} is logged`,
      () => {
        found = this.log.find((each) => each.event === name && each.atMs >= sinceMs);
        return found !== undefined;
      },
      withinMs,
    );
    return found as LoggedEvent;
  }

  /** The log as a timeline, for a test that failed. */
  print(): void {
    const first = this.log[0]?.atMs ?? 0;
    for (const each of this.log) {
      const when = (each.atMs - first).toFixed(0).padStart(6);
      console.log(
        `${when} ${each.voter} e${each.epoch} ${each.event} ${each.node ?? ""} ${JSON.stringify(each.detail)}`,
      );
    }
  }

  /** As `event`, by this voter. */
  async eventOf(name: JournalEntry["event"], sinceMs: number, voter: VoterId): Promise<void> {
    await eventually(`${name} is logged by ${voter}`, () =>
      this.log.some((each) => each.event === name && each.atMs >= sinceMs && each.voter === voter),
    );
  }

  close(): void {
    for (const voter of this.voters.values()) voter.stop();
    this.#closeClients();
  }
}

export function isHealthy(ballot: Ballot, nodes: number): boolean {
  const { primary } = ballot;
  const inSync = Object.values(ballot.members.nodes).filter((member) => member.inSyncEpoch === primary?.epoch);
  return primary !== null && ballot.armed && ballot.lease === null && inSync.length === nodes;
}

/** A port whose calls never end once the voter is stopped: the loop then waits for ever, as a frozen function does. */
function stopping<Port extends object>(port: Port, isStopped: () => boolean): Port {
  return new Proxy(port, {
    get(target, property) {
      const method: unknown = Reflect.get(target, property);
      if (typeof method !== "function") return method;
      return (...parameters: unknown[]) =>
        isStopped() ? new Promise(() => undefined) : Reflect.apply(method, target, parameters);
    },
  });
}
