// `valkeeper local --config FILE`: voters and publisher as processes of their own against nodes that somebody else
// started, with the AWS API on this machine (or at AWS_ENDPOINT_URL). It prints JSON lines, for an outside harness and for
// people: first that everything is ready, then every event. The nodes are not touched when it ends.

import { type AwsClients, createAwsClients } from "../adapters/aws/clients.ts";
import { createDynamodbStore } from "../adapters/dynamodb/group-store.ts";
import type { DeclaredConfig, GroupConfig } from "../core/config.ts";
import { completeConfig } from "../core/config-defaults.ts";
import { configWarnings } from "../core/config-warnings.ts";
import type { GroupName } from "../core/types.ts";
import type { OperatorStore } from "../ports/group-store.ts";
import { VARIABLES } from "../runtime/environment.ts";
import { publisherTimeoutMs, VOTER_TIMEOUT_MS } from "../runtime/timing.ts";
import { HostedFunction } from "./hosted-function.ts";
import { startLocalCloud } from "./local-cloud.ts";
import { type LocalConfig, readLocalConfig } from "./local-config.ts";
import { createFailoverTable, deleteFailoverTable, forgetPassword, keepPassword, PATIENT } from "./local-store.ts";
import { ProcessGroup } from "./process-group.ts";
import { describeWaiting, notReady } from "./readiness.ts";

export interface LocalOutput {
  /** One JSON line of standard output. */
  readonly print: (line: string) => void;
  /** A word for people, on standard error. */
  readonly note: (text: string) => void;
}

export interface LocalOptions {
  readonly config: LocalConfig;
  readonly group: ProcessGroup;
  readonly output: LocalOutput;
}

export interface ReadyEvent {
  readonly event: "local.ready";
  readonly endpoint: string;
  readonly region: string;
  readonly table: string;
  readonly groups: Readonly<Record<GroupName, { readonly parameter: string | null }>>;
  readonly voters: readonly { readonly id: string; readonly pid: number }[];
  readonly publisher: { readonly pid: number };
}

const READY_LOOKED_AT_EVERY_MS = 100;
const WAITING_TOLD_EVERY_MS = 15_000;
/** The table's stream reaches a function about so long after the write. */
const STREAM_DELAY_MS = 250;
/** What the publisher is called for: what may change what is published, as the table's stream tells of it. */
const PUBLISHED_BY = [
  ...["primary.committed", "primary.restored", "group.adopted", "group.initialised", "control.changed"],
  ...["member.discovered", "member.in-sync", "member.gone", "member.back", "member.removed"],
  ...["replica.set-aside", "replica.readmitted"],
];

/** Resolves with the exit code when a signal has ended it. */
export async function runLocal(file: string): Promise<number> {
  const config = await readLocalConfig(file);
  const group = new ProcessGroup();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const ended = new Promise<void>((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve());
  });
  const output: LocalOutput = {
    print: (line) => process.stdout.write(`${line}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
  };
  try {
    const failure = startLocal({ config, group, output }).then(
      () => new Promise<never>(() => undefined),
      // A signal in the middle of the start ends the programs that it waits for.
      (error: unknown) => (group.isClosing ? new Promise<never>(() => undefined) : Promise.reject(error)),
    );
    await Promise.race([ended, failure]);
  } finally {
    await group.close();
  }
  return 0;
}

/** Starts all of it and resolves when every group is armed and published. Ended by closing the group. */
export async function startLocal({ config, group, output }: LocalOptions): Promise<ReadyEvent> {
  const place = await openPlace(config, group);
  const { store } = place;
  const declared = await registerGroups({ config, group, place, output });
  const lines = new EventLines(output);
  const installation = await startFunctions({ config, group, place, lines });
  await untilReady(store, declared, config, output);
  const ready: ReadyEvent = {
    event: "local.ready",
    endpoint: place.endpoint,
    region: config.region,
    table: place.table,
    groups: Object.fromEntries(declared.map((each) => [each.name, { parameter: parameterOf(each) }])),
    voters: installation.voters.map(({ id, hosted }) => ({ id, pid: hosted.pid })),
    publisher: { pid: installation.publisher.pid },
  };
  lines.open(JSON.stringify(ready));
  return ready;
}

interface Place {
  readonly endpoint: string;
  readonly table: string;
  readonly clients: AwsClients;
  readonly store: OperatorStore;
  /** What a function needs to reach it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly isForeign: boolean;
}

/** The endpoint that the environment names, else a local cloud of our own; with the table in it. */
async function openPlace(config: LocalConfig, group: ProcessGroup): Promise<Place> {
  const foreign = process.env["AWS_ENDPOINT_URL"];
  const cloud =
    foreign === undefined || foreign === ""
      ? await startLocalCloud({ group, listen: config.listen, region: config.region })
      : { endpoint: foreign, environment: awsVariables() };
  const clients = createAwsClients({
    endpoint: cloud.endpoint,
    region: config.region,
    ...(foreign ? {} : { credentials: { accessKeyId: "test", secretAccessKey: "test" } }),
  });
  const table = `valkeeper-local-${process.pid}-${Math.trunc(performance.timeOrigin)}`;
  await createFailoverTable(clients.dynamodb, table);
  // Taken down in reverse: what follows still needs the clients.
  group.onClose(() => clients.destroy());
  // The local cloud forgets everything with its end; somebody else's endpoint does not.
  if (foreign) group.onClose(() => deleteFailoverTable(clients.dynamodb, table));
  return {
    endpoint: cloud.endpoint,
    table,
    clients,
    store: createDynamodbStore({ client: clients.dynamodb, table, limits: PATIENT }),
    environment: { ...cloud.environment, [VARIABLES.region]: config.region },
    isForeign: Boolean(foreign),
  };
}

/** This process's own way to AWS, for the functions. */
const awsVariables = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && (name.startsWith("AWS_") || name === "HOME") ? [[name, value] as const] : [],
    ),
  );

async function registerGroups({ config, group, place, output }: LocalOptions & { readonly place: Place }) {
  const voters = config.voters.map((voter) => voter.id);
  return Promise.all(
    config.groups.map(async (given) => {
      for (const warning of configWarnings(completeConfig(given), voters)) {
        output.note(`warning: group ${given.name}: ${warning}`);
      }
      const secret = `${place.table}/${given.name}`;
      const declared = await keepPassword(place.clients.secretsManager, given, secret);
      if (place.isForeign && declared !== given) {
        group.onClose(() => forgetPassword(place.clients.secretsManager, secret));
      }
      await place.store.writeSpec(
        { schema: 1, group: given.name, version: 1, owner: "cli", declared, overrides: {}, shard: 0 },
        0,
      );
      return declared;
    }),
  );
}

const parameterOf = (group: DeclaredConfig): string | null => {
  const prefix = completeConfig(group).publication.parameterPrefix;
  return prefix === null ? null : `${prefix}/${group.name}/primary`;
};

interface Installation {
  readonly voters: readonly { readonly id: string; readonly hosted: HostedFunction }[];
  readonly publisher: HostedFunction;
}

interface FunctionsOptions {
  readonly config: LocalConfig;
  readonly group: ProcessGroup;
  readonly place: Place;
  readonly lines: EventLines;
}

async function startFunctions({ config, group, place, lines }: FunctionsOptions): Promise<Installation> {
  // As this process is told: by itself nothing is reported.
  const metrics = process.env[VARIABLES.metrics];
  const reported = metrics === undefined ? {} : { [VARIABLES.metrics]: metrics };
  const common = { ...place.environment, ...reported, [VARIABLES.table]: place.table };
  const told = (name: string, kind: string) => ({
    onEnd: (end: object) => lines.say({ event: `local.${kind}-ended`, name, ...end }),
    onRestart: (pid: number) => lines.say({ event: `local.${kind}-started`, name, pid }),
  });
  const publisher = await HostedFunction.start({
    group,
    name: "publisher",
    function: "publisher",
    timeoutMs: publisherTimeoutMs(config.groups.length),
    concurrency: 10,
    environment: common,
    exec: [],
    onLine: (line) => lines.pass(line),
    ...told("publisher", "publisher"),
  });
  const stream = new StreamSubstitute(publisher);
  group.onClose(() => stream.stop());
  const voters = await Promise.all(
    config.voters.map(async ({ id, exec }) => ({
      id,
      hosted: await HostedFunction.start({
        group,
        name: `voter ${id}`,
        function: "voter",
        timeoutMs: VOTER_TIMEOUT_MS,
        concurrency: 2,
        environment: {
          ...common,
          [VARIABLES.voter]: id,
          [VARIABLES.voters]: config.voters.map((voter) => voter.id).join(","),
          [VARIABLES.publishes]: "ssm,dns",
          [VARIABLES.economy]: String(config.economy),
        },
        exec,
        onLine: (line) => stream.look(lines.pass(line)),
        ...told(id, "voter"),
      }),
    })),
  );
  return { voters, publisher };
}

/**
 * The table's stream is not read here: what it would tell is seen in the voters' own events, and the publisher is called
 * as much later as a stream would call it, once for all events in between.
 */
class StreamSubstitute {
  readonly #publisher: HostedFunction;
  #timer: NodeJS.Timeout | undefined;

  constructor(publisher: HostedFunction) {
    this.#publisher = publisher;
  }

  look(event: string | null): void {
    if (event === null || !PUBLISHED_BY.includes(event) || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#publisher.callNow();
    }, STREAM_DELAY_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Holds events back until the first line was printed. */
class EventLines {
  readonly #output: LocalOutput;
  #held: string[] | null = [];

  constructor(output: LocalOutput) {
    this.#output = output;
  }

  open(first: string): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const line of [first, ...held]) this.#output.print(line);
  }

  say(event: object): void {
    this.pass(JSON.stringify({ ...event, time: new Date().toISOString() }));
  }

  /** The event's name, or null when the line is none: then it is for people. */
  pass(line: string): string | null {
    const event = eventIn(line);
    if (event === null) this.#output.note(line);
    else if (this.#held === null) this.#output.print(line);
    else this.#held.push(line);
    return event;
  }
}

function eventIn(line: string): string | null {
  if (!line.startsWith("{")) return null;
  try {
    const { event } = JSON.parse(line) as { readonly event?: unknown };
    return typeof event === "string" ? event : null;
  } catch {
    return null;
  }
}

async function untilReady(
  store: OperatorStore,
  groups: readonly DeclaredConfig[],
  config: LocalConfig,
  output: LocalOutput,
): Promise<void> {
  const voters = config.voters.map((voter) => voter.id);
  const configs = groups.map(completeConfig);
  // A table that does not answer now is asked again.
  const ask = (of: readonly GroupConfig[]) => notReady(store, of, voters).catch(() => of);
  let tellAt = performance.now() + WAITING_TOLD_EVERY_MS;
  let waiting: readonly GroupConfig[] = configs;
  for (;;) {
    waiting = await ask(waiting);
    // Whoever was ready first may not be any more.
    if (waiting.length === 0) waiting = await ask(configs);
    if (waiting.length === 0) return;
    if (performance.now() >= tellAt) {
      tellAt += WAITING_TOLD_EVERY_MS;
      for (const line of await describeWaiting(
        store,
        waiting.map(({ name }) => name),
      ))
        output.note(line);
    }
    await new Promise((resolve) => setTimeout(resolve, READY_LOOKED_AT_EVERY_MS));
  }
}
