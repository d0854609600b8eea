// `valkeeper groups set NAME name=value ...` and `groups unset NAME name ...`: changes of a group at run time. Each is an
// override beside what was declared, with who and when; status shows it, and no deployment undoes it silently. The
// whole configuration is checked before anything is written, and written only over the version that was checked.

import type { Command } from "commander";
import type { GroupConfig } from "../core/config.ts";
import { checkConfig } from "../core/config-check.ts";
import { configWarnings } from "../core/config-warnings.ts";
import type { Override, SpecRecord } from "../core/records.ts";
import { effectiveConfig, effectiveDeclaration, settingAt, staleOverrides } from "../core/spec.ts";
import { changeControl } from "./control.ts";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { refused, usage } from "./failure.ts";
import { parseNode, parseSetting } from "./group-input.ts";
import { votersFor } from "./groups-add.ts";
import type { Host } from "./host.ts";
import { specOf } from "./snapshot.ts";

interface Options {
  readonly by?: string;
  readonly voters?: string;
  readonly addNode?: readonly string[];
  readonly removeNode?: readonly string[];
}

const list = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function addGroupsSet(groups: Command, host: Host): void {
  const set = groups
    .command("set")
    .argument("<group>")
    .argument("[name=value...]", "settings, as in leaseMs=6000, nodes.n2.priority=0 or publication.dns.ttlSeconds=5")
    .description("overrides settings of a group, whoever declared it")
    .option("--add-node <id=host:port/zone>", "one more node; once for each", list)
    .option("--remove-node <id>", "a node less; once for each", list);
  addCommon(set).action((name: string, settings: readonly string[], options: Options, command: Command) =>
    host.run(command, (call) =>
      change(call, name, options, (spec, by) => setOverrides(call, spec, by, settings, options)),
    ),
  );
  const unset = groups
    .command("unset")
    .argument("<group>")
    .argument("<name...>", "overridden settings")
    .description("takes overrides back: what was declared applies again");
  addCommon(unset).action((name: string, settings: readonly string[], options: Options, command: Command) =>
    host.run(command, (call) => change(call, name, options, (spec) => unsetOverrides(spec, settings))),
  );
}

const addCommon = (command: Command): Command =>
  command
    .option("--by <who>", "who; you by default")
    .option("--voters <ids>", "the voters, separated by commas; needed only before the first has run");

type Overrides = SpecRecord["overrides"];

function setOverrides(
  call: Call,
  spec: SpecRecord,
  by: string,
  settings: readonly string[],
  options: Options,
): Overrides {
  const at = call.environment.wallTime();
  const given = settings.map(parseSetting);
  if (given.some(([name]) => name === "name"))
    throw usage("a group cannot be renamed: remove it and add it under the new name");
  const nodes = nodesAfter(spec, options);
  const entries = [...given, ...(nodes === null ? [] : [["nodes", nodes] as const])];
  if (entries.length === 0) throw usage("say what to set, as in leaseMs=6000, or --add-node or --remove-node");
  const overrides: readonly [string, Override][] = entries.map(([name, value]) => [name, { value, by, at }]);
  return { ...spec.overrides, ...Object.fromEntries(overrides) };
}

/** All nodes after the change; null when none is added or removed. */
function nodesAfter(spec: SpecRecord, { addNode = [], removeNode = [] }: Options): readonly unknown[] | null {
  if (addNode.length === 0 && removeNode.length === 0) return null;
  const { nodes } = effectiveConfig(spec);
  const unknown = removeNode.find((id) => nodes.every((node) => node.id !== id));
  if (unknown !== undefined) {
    throw usage(
      `group ${spec.group} has no node ${JSON.stringify(unknown)}: there are ${nodes.map((node) => node.id).join(", ")}`,
    );
  }
  return [...nodes.filter((node) => !removeNode.includes(node.id)), ...addNode.map(parseNode)];
}

function unsetOverrides(spec: SpecRecord, names: readonly string[]): Overrides {
  const unknown = names.find((name) => !Object.hasOwn(spec.overrides, name));
  if (unknown !== undefined) {
    const known = Object.keys(spec.overrides).join(", ");
    throw usage(`${unknown} of ${spec.group} is not overridden${known === "" ? "" : `: overridden are ${known}`}`);
  }
  return Object.fromEntries(Object.entries(spec.overrides).filter(([name]) => !names.includes(name)));
}

async function change(
  call: Call,
  name: string,
  options: Options,
  overridesOf: (spec: SpecRecord, by: string) => Overrides,
): Promise<ExitCode> {
  const spec = await specOf(call.store, name);
  const by = options.by ?? call.environment.operator;
  const changed: SpecRecord = { ...spec, version: spec.version + 1, overrides: overridesOf(spec, by) };
  const voters = await votersFor(call, options.voters);
  refuseUnknownPaths(spec, changed);
  // As a voter will judge it.
  const config = checkConfig(effectiveDeclaration(changed), { voters });
  if (!(await call.store.writeSpec(changed, spec.version))) {
    throw refused(
      `group ${spec.group} was changed by somebody else at the same moment: look at \`valkeeper groups list\` and try again`,
    );
  }
  await followMode(call, spec, config, by);
  const before = effectiveConfig(spec);
  const names = [...new Set([...Object.keys(spec.overrides), ...Object.keys(changed.overrides)])];
  const changes = names
    .map((each) => ({ name: each, from: settingAt(before, each) ?? null, to: settingAt(config, each) ?? null }))
    .filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to));
  const warnings = configWarnings(config, voters);
  say(call, { schema: 1, group: spec.group, version: changed.version, changes, warnings }, () => [
    ...(changes.length === 0 ? ["nothing is different from before"] : []),
    ...changes.map((each) => `${each.name}: ${JSON.stringify(each.from)} -> ${JSON.stringify(each.to)}`),
    `${spec.group} is at version ${changed.version}${spec.owner === "cdk" ? "; overrides stand above what the stack declares" : ""}`,
    ...warnings.map((warning) => `note: ${warning}`),
  ]);
  return EXIT.ok;
}

/** A path that leads nowhere would be kept and never apply; an unknown top-level name is named by the check itself. */
function refuseUnknownPaths(before: SpecRecord, changed: SpecRecord): void {
  const known = new Set(staleOverrides(before));
  const wrong = staleOverrides(changed).find((name) => !known.has(name));
  if (wrong === undefined) return;
  throw usage(
    `there is no setting ${JSON.stringify(wrong)}: nodes are named by their ids (nodes.n1.priority), parts by their settings (publication.dns must be set as a whole first)`,
  );
}

/** The declared mode is the ballot's from the beginning; a later change has to be told to it. A pause stands above it. */
async function followMode(call: Call, spec: SpecRecord, config: GroupConfig, by: string): Promise<void> {
  if (effectiveConfig(spec).mode === config.mode || (await call.store.readBallot(spec.group)) === null) return;
  await changeControl(call, spec.group, (ballot) =>
    ballot.control.mode === "paused" ? null : { mode: config.mode, by, reason: "set by groups set", until: null },
  );
}
