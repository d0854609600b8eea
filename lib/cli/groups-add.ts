// `valkeeper groups add --file F`, or `--name N --node id=host:port/zone ...`: registers groups at run time. The command
// never connects to a node: the voters do, adopt the group or say why not, and this waits for what they say.

import { type Command, InvalidArgumentError, Option } from "commander";
import type { DeclaredConfig } from "../core/config.ts";
import { checkDeclaration } from "../core/config-check.ts";
import { completeConfig } from "../core/config-defaults.ts";
import { configWarnings } from "../core/config-warnings.ts";
import { messageOf } from "../core/errors.ts";
import { fullText, placeGroup, servedShards } from "../core/placement.ts";
import type { SpecRecord } from "../core/records.ts";
import { type VoterId, voterId } from "../core/types.ts";
import { copiesOf, publicationReasons, viewsOf } from "./assessment.ts";
import { type Call, type Environment, say } from "./environment.ts";
import { EXIT, type ExitCode, worst } from "./exit-code.ts";
import { refused, usage } from "./failure.ts";
import { parseGroupsFile, parseIds, parseNode, parseSetting, withSetting } from "./group-input.ts";
import type { Host } from "./host.ts";
import { readSnapshots } from "./snapshot.ts";
import { parseDuration } from "./units.ts";

interface Options {
  readonly file?: string;
  readonly name?: string;
  readonly node?: readonly string[];
  readonly primary?: string;
  readonly set?: readonly string[];
  readonly user?: string;
  readonly secretId?: string;
  readonly secretParameter?: string;
  readonly voters?: string;
  readonly wait: number;
}

const POLL_MS = 250;
const DEFAULT_WAIT_MS = 15_000;
const LONGEST_WAIT_MS = 600_000;
/** For an option that may be given more than once. */
export const listed = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function addGroupsAdd(groups: Command, host: Host): void {
  groups
    .command("add")
    .description("registers a group, and waits for the voters to adopt it")
    .option("--file <path>", 'JSON of one group, or of several under "groups"')
    .option("--name <name>", "the group's name")
    .option("--node <id=host:port/zone>", "a node; once for each", listed)
    .option("--primary <id>", "the node that becomes primary of a new, empty group")
    .option("--set <name=value>", "any other setting, as in quorum=2 or tls.enabled=true", listed)
    .option("--user <name>", "the coordinator's user on the nodes")
    .option("--secret-id <name>", "Secrets Manager secret with its password")
    .option("--secret-parameter <name>", "SSM SecureString parameter with its password")
    .option("--voters <ids>", "the voters, separated by commas; needed only before the first has run")
    .addOption(
      new Option("--wait <duration>", "how long to wait for the adoption; 0s: not at all")
        .argParser(readWait)
        .default(DEFAULT_WAIT_MS, "15s"),
    )
    .action((options: Options, command: Command) => host.run(command, (call) => add(call, options)));
}

function readWait(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms > LONGEST_WAIT_MS) throw new InvalidArgumentError("should be a duration up to 10m, as in 15s.");
  return ms;
}

async function add(call: Call, options: Options): Promise<ExitCode> {
  const inputs = await inputsOf(call, options);
  const results = await registerAll(call, inputs, { voters: options.voters, waitMs: options.wait });
  if (call.json) say(call, { schema: 1, groups: results }, () => []);
  return worst(results.map(({ exit }) => exit));
}

/** Registers what is declared; all of it is checked before the first is written. */
export async function registerAll(
  call: Call,
  inputs: readonly unknown[],
  options: { readonly voters: string | undefined; readonly waitMs: number },
): Promise<readonly Registered[]> {
  const voters = await votersFor(call, options.voters);
  const declared = inputs.map((input) => checkDeclaration(input, { voters }));
  const specs = await placed(call, declared);
  const results = [];
  for (const spec of specs) results.push(await register(call, spec, voters, options.waitMs));
  return results;
}

/** In the shards that have voters, evenly. Those that are registered already stay where they are. */
async function placed({ store, environment }: Call, declared: readonly DeclaredConfig[]): Promise<SpecRecord[]> {
  const [{ specs }, slots] = await Promise.all([store.listSpecs(), store.listSlots()]);
  const shards = servedShards(slots, environment.wallTime());
  const all: Pick<SpecRecord, "shard">[] = [...specs];
  return declared.map((each) => {
    const standing = specs.find(({ group }) => group === each.name);
    const shard = standing?.shard ?? placeGroup(all, shards);
    if (shard === null) throw refused(`there is no room for group ${each.name}: ${fullText(all, shards)}`);
    if (standing === undefined) all.push({ shard });
    return { schema: 1, group: each.name, version: 1, owner: "cli", declared: each, overrides: {}, shard };
  });
}

async function inputsOf(call: Call, options: Options): Promise<readonly unknown[]> {
  if (options.file !== undefined) {
    if (options.name !== undefined || options.node !== undefined)
      throw usage("give either --file, or --name and --node");
    return parseGroupsFile(options.file, await readGiven(call.environment, options.file));
  }
  if (options.name === undefined || options.node === undefined) {
    throw usage("say what to add: --file FILE, or --name NAME with a --node id=host:port/zone for each node");
  }
  const { name, primary, user, secretId, secretParameter } = options;
  const credentials = {
    ...(user === undefined ? {} : { user }),
    ...(secretId === undefined ? {} : { secretId }),
    ...(secretParameter === undefined ? {} : { parameter: secretParameter }),
  };
  const base = {
    name,
    nodes: options.node.map(parseNode),
    ...(primary === undefined ? {} : { primary }),
    ...(Object.keys(credentials).length === 0 ? {} : { credentials }),
  };
  return [
    (options.set ?? [])
      .map(parseSetting)
      .reduce<Record<string, unknown>>((group, [key, value]) => withSetting(group, key, value), base),
  ];
}

/** A file that the command line names. */
export async function readGiven(environment: Environment, path: string): Promise<string> {
  try {
    return await environment.readText(path);
  } catch (error) {
    throw usage(`${path} cannot be read: ${messageOf(error)}`);
  }
}

/** Quorum is judged against the voters there are: every one that ever ran has a slot. */
export async function votersFor(call: Call, given: string | undefined): Promise<readonly VoterId[]> {
  if (given !== undefined) return parseIds(given).map(voterId);
  const slots = await call.store.listSlots();
  const known = [...new Set(slots.map((slot) => slot.voter))].toSorted();
  if (known.length > 0) return known;
  throw usage("no voter has run yet, so quorum cannot be judged: name them with --voters az-a,az-b,az-c");
}

export interface Registered {
  readonly group: string;
  readonly exit: ExitCode;
  readonly registered: "new" | "unchanged";
  readonly warnings: readonly string[];
  readonly primary: string | null;
  /** What keeps the voters from adopting it, or what is not published yet. */
  readonly reasons: readonly string[];
}

async function register(call: Call, spec: SpecRecord, voters: readonly VoterId[], waitMs: number): Promise<Registered> {
  const { declared } = spec;
  const isNew = await call.store.writeSpec(spec, 0);
  if (!isNew) await refuseIfOther(call, spec);
  const warnings = configWarnings(completeConfig(declared), voters);
  const note = (text: string): void => (call.json ? undefined : call.environment.screen.out(text));
  note(
    `${spec.group} is ${isNew ? "registered" : "registered already, as declared"}: ${declared.nodes.length} nodes, quorum ${declared.quorum} of ${voters.length} voters`,
  );
  for (const warning of warnings) call.environment.screen.note(`note: ${warning}`);
  const adopted = waitMs === 0 ? null : await awaitAdoption(call, spec, waitMs);
  const registered = { group: spec.group, registered: isNew ? "new" : "unchanged", warnings } as const;
  if (adopted === null) return { ...registered, exit: EXIT.ok, primary: null, reasons: [] };
  if (adopted.primary !== null) {
    note(`${spec.group} is adopted: ${adopted.primary} is primary at epoch ${adopted.epoch}`);
    for (const reason of adopted.reasons) note(`  ${reason}`);
    const exit = adopted.reasons.length === 0 ? EXIT.ok : EXIT.degraded;
    return { ...registered, exit, primary: adopted.primary, reasons: adopted.reasons };
  }
  note(`${spec.group} stays registered and is not adopted yet:`);
  for (const reason of adopted.reasons) note(`  ${reason}`);
  note(`\`valkeeper why ${spec.group}\` shows it`);
  return { ...registered, exit: EXIT.timedOut, primary: null, reasons: adopted.reasons };
}

async function refuseIfOther(call: Call, spec: SpecRecord): Promise<void> {
  const standing = await call.store.readSpec(spec.group);
  if (standing === null) throw refused(`group ${spec.group} was removed at the same moment: try again`);
  if (canonical(standing.declared) === canonical(spec.declared)) return;
  const owner = standing.owner === "cdk" ? "a stack declares it" : "it was registered before";
  throw refused(
    `there is a group ${spec.group} already (${owner}): change settings with \`valkeeper groups set ${spec.group} name=value\``,
  );
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

async function awaitAdoption(call: Call, spec: SpecRecord, waitMs: number) {
  const { environment, store } = call;
  const deadline = environment.wallTime() + waitMs;
  for (;;) {
    const [snapshot] = await readSnapshots(store, [spec], environment.wallTime());
    const primary = snapshot?.ballot?.primary ?? null;
    const isOver = environment.wallTime() >= deadline || environment.interrupted.aborted;
    if (snapshot !== undefined && primary !== null) {
      // A name that may not be written shows now, and not when somebody looks for the primary under it.
      const reasons = publicationReasons(snapshot);
      const isRefused = copiesOf(snapshot).some(({ failure }) => failure !== null);
      if (reasons.length === 0 || isRefused || isOver) return { primary: primary.node, epoch: primary.epoch, reasons };
    }
    if (isOver) {
      const reasons =
        snapshot === undefined
          ? []
          : viewsOf(snapshot).flatMap(({ voter, view }) =>
              view.rejection === null
                ? []
                : [`${voter}: ${view.rejection.reason}: ${view.rejection.detail}; ends when ${view.rejection.ends}`],
            );
      return { primary: null, epoch: null, reasons: reasons.length > 0 ? reasons : ["no voter has looked at it yet"] };
    }
    await environment.pause(POLL_MS);
  }
}
