// How does a group that a deployment declares get into the table? As a record owned by the deployment, checked as a
// whole with what operators have overridden since, which a deployment never undoes, in a shard that the deployment
// has. A group that was registered by hand is refused: two owners would overwrite each other for ever.

import type { DeclaredConfig } from "../core/config.ts";
import { checkConfig, checkDeclaration } from "../core/config-check.ts";
import { fullText, placeGroup, type Shards } from "../core/placement.ts";
import type { SpecRecord } from "../core/records.ts";
import { effectiveDeclaration } from "../core/spec.ts";
import type { GroupName, VoterId } from "../core/types.ts";
import type { OperatorStore } from "../ports/group-store.ts";

export type SpecStore = Pick<OperatorStore, "readSpec" | "listSpecs" | "writeSpec" | "removeGroup">;

/** What groups are judged against. */
export interface Deployment {
  readonly voters: readonly VoterId[];
  /** Whether groups may ask for the stop of a host. */
  readonly hasStopper: boolean;
  readonly shards: Shards;
  /** The shard of a group that has none yet, as long as there is room in it; null: the emptiest. */
  readonly preferredShard: number | null;
}

export type Registration =
  | { readonly kind: "registered"; readonly version: number }
  | { readonly kind: "refused"; readonly detail: string };

/** An operator's edit can come between reading and writing; so many in a row are no coincidence. */
const ATTEMPTS = 5;

/** Throws `ConfigurationError` with every issue; reads and writes reject as the port says. */
export async function registerDeclared(
  store: SpecStore,
  input: unknown,
  deployment: Deployment,
): Promise<Registration> {
  const { voters, hasStopper } = deployment;
  const declared = checkDeclaration(input, { voters, hasStopper });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const standing = await store.readSpec(declared.name);
    if (standing !== null && standing.owner !== "cdk") return refusal(standing);
    const shard = await shardFor(store, declared.name, { standing, deployment });
    if (typeof shard !== "number") return shard;
    const spec = specOf(declared, standing, shard);
    // The declaration is valid by itself; with the overrides over it it may not be. One that a newer command line has set is no
    // issue here: it would keep a deployment from being rolled back.
    checkConfig(effectiveDeclaration(spec), { voters, leaveOut: () => undefined });
    if (await store.writeSpec(spec, standing?.version ?? 0)) return { kind: "registered", version: spec.version };
  }
  return { kind: "refused", detail: `group ${declared.name} was changed by others ${ATTEMPTS} times in a row` };
}

/** Takes back what a deployment declared. The nodes are left as they are. */
export async function withdrawDeclared(store: SpecStore, group: GroupName): Promise<void> {
  const standing = await store.readSpec(group);
  if (standing?.owner === "cdk") await store.removeGroup(group);
}

/**
 * Where it is, as long as that shard has voters: a group is not moved for the sake of balance. One whose shard the deployment
 * has no more is moved before the voters of that shard are taken away.
 */
async function shardFor(
  store: SpecStore,
  group: GroupName,
  { standing, deployment }: { readonly standing: SpecRecord | null; readonly deployment: Deployment },
): Promise<number | Extract<Registration, { kind: "refused" }>> {
  const { shards, preferredShard } = deployment;
  if (standing !== null && shards.served.includes(standing.shard)) return standing.shard;
  const others = (await store.listSpecs()).specs.filter((spec) => spec.group !== group);
  const shard = placeGroup(others, shards, preferredShard);
  return shard ?? { kind: "refused", detail: `there is no room for group ${group}: ${fullText(others, shards)}` };
}

const specOf = (declared: DeclaredConfig, standing: SpecRecord | null, shard: number): SpecRecord => ({
  // With what a newer version has added.
  ...standing,
  schema: 1,
  group: declared.name,
  version: (standing?.version ?? 0) + 1,
  owner: "cdk",
  declared,
  overrides: standing?.overrides ?? {},
  shard,
});

const refusal = ({ group }: SpecRecord): Registration => ({
  kind: "refused",
  detail:
    `group ${group} was registered with \`valkeeper groups add\` and belongs to the command line: ` +
    `remove it there first (\`valkeeper groups remove ${group}\`; the nodes are not touched), or take it out of the app`,
});
