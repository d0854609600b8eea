// How does a group that a deployment declares get into the table? As a record of the resource that declares it, checked as a
// whole with what operators have overridden since, which a deployment never undoes, in a shard that the deployment has. A group
// of somebody else is refused, of the command line's or of another stack's: two owners would overwrite each other for ever.
//
// CloudFormation makes what is new before it deletes what is old. So a resource that was given another logical id declares
// the group while its predecessor still does, and is then deleted itself if the update is rolled back: the record keeps
// both until one of them goes, and what is deleted is only ever the declaration of whoever is deleted.

import type { DeclaredConfig } from "../core/config.ts";
import { checkConfig, checkDeclaration } from "../core/config-check.ts";
import { fullText, placeGroup, type Shards } from "../core/placement.ts";
import type { Declarer, SpecRecord } from "../core/records.ts";
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

/** Who asks. */
export interface Declaring extends Pick<Declarer, "stack" | "resource"> {
  /** It is being made; else it was there before, and so its predecessor, if it had one, is gone. */
  readonly isNew: boolean;
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
  by: Declaring,
): Promise<Registration> {
  const { voters, hasStopper } = deployment;
  const declared = checkDeclaration(input, { voters, hasStopper });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const standing = await store.readSpec(declared.name);
    const objection = standing === null ? null : objectionTo(standing, by);
    if (objection !== null) return { kind: "refused", detail: objection };
    const shard = await shardFor(store, declared.name, { standing, deployment });
    if (typeof shard !== "number") return shard;
    const spec = specOf(declared, standing, { shard, declaredBy: declarerOf(standing, by) });
    // The declaration is valid by itself; with the overrides over it it may not be. One that a newer command line has set is no
    // issue here: it would keep a deployment from being rolled back.
    checkConfig(effectiveDeclaration(spec), { voters, leaveOut: () => undefined });
    if (await store.writeSpec(spec, standing?.version ?? 0)) return { kind: "registered", version: spec.version };
  }
  return { kind: "refused", detail: crowded(declared.name) };
}

/**
 * Takes back what `by` declared. The nodes are left as they are, and so is a group that is somebody else's by now; one whose
 * predecessor is there still is its again.
 */
export async function withdrawDeclared(
  store: SpecStore,
  group: GroupName,
  by: Omit<Declaring, "isNew">,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const standing = await store.readSpec(group);
    if (standing?.owner !== "cdk") return;
    const { declaredBy } = standing;
    // An earlier version wrote it, and whoever it had deleted was the one.
    if (declaredBy === undefined) return store.removeGroup(group);
    const { replaces, ...without } = declaredBy;
    const isOwn = isSame(declaredBy, by);
    if (isOwn && replaces === undefined) return store.removeGroup(group);
    if (replaces === undefined || !(isOwn || isSame(replaces, by))) return;
    const spec = {
      ...standing,
      ...(isOwn ? givenBack(replaces) : { declaredBy: without }),
      version: standing.version + 1,
    };
    if (await store.writeSpec(spec, standing.version)) return;
  }
  throw new Error(crowded(group));
}

type Named = Pick<Declarer, "stack" | "resource">;

const isSame = (one: Named, other: Named): boolean => one.stack === other.stack && one.resource === other.resource;

const givenBack = ({
  declared,
  ...declaredBy
}: Required<Declarer>["replaces"]): Pick<SpecRecord, "declared" | "declaredBy"> => ({
  declared,
  declaredBy,
});

const crowded = (group: GroupName): string => `group ${group} was changed by others ${ATTEMPTS} times in a row`;

/** Why the group is not the asker's; null: it is, or nobody's in particular. */
function objectionTo({ group, owner, declaredBy }: SpecRecord, by: Declaring): string | null {
  if (owner !== "cdk") {
    return (
      `group ${group} was registered with \`valkeeper groups add\` and belongs to the command line: ` +
      `remove it there first (\`valkeeper groups remove ${group}\`; the nodes are not touched), or take it out of the app`
    );
  }
  if (declaredBy === undefined || declaredBy.isReleased === true) return null;
  const release =
    `where that one is gone, or is to hand it over, say \`valkeeper groups release ${group}\` first and deploy this again; ` +
    "the nodes are not touched";
  if (declaredBy.stack !== by.stack) {
    return (
      `group ${group} is declared by another stack, ${declaredBy.stack} (${declaredBy.resource}): take it out there, ` +
      `or give one of them another name or another table; ${release}`
    );
  }
  // Of what is new the other is the predecessor, as far as can be seen from here.
  if (by.isNew || declaredBy.resource === by.resource) return null;
  return `group ${group} is declared twice in this stack, by ${declaredBy.resource} too: take one of them out; ${release}`;
}

/** The one before is kept as long as this one may yet be rolled back: an update of it tells that it was not. */
function declarerOf(standing: SpecRecord | null, { isNew, ...by }: Declaring): Declarer {
  const before = standing?.declaredBy;
  if (standing === null || before === undefined) return by;
  if (isSame(before, by)) return isNew && before.replaces !== undefined ? { ...by, replaces: before.replaces } : by;
  return { ...by, replaces: { stack: before.stack, resource: before.resource, declared: standing.declared } };
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

const specOf = (
  declared: DeclaredConfig,
  standing: SpecRecord | null,
  { shard, declaredBy }: { readonly shard: number; readonly declaredBy: Declarer },
): SpecRecord => ({
  // With what a newer version has added.
  ...standing,
  schema: 1,
  group: declared.name,
  version: (standing?.version ?? 0) + 1,
  owner: "cdk",
  declaredBy,
  declared,
  overrides: standing?.overrides ?? {},
  shard,
});
