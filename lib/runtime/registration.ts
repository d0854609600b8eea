// How does a group that a deployment declares get into the table? As a record owned by the deployment, checked as a
// whole with what operators have overridden since, which a deployment never undoes. A group that was registered by hand
// is refused: two owners would overwrite each other for ever.

import type { DeclaredConfig } from "../core/config.ts";
import { checkConfig, checkDeclaration } from "../core/config-check.ts";
import type { SpecRecord } from "../core/records.ts";
import { effectiveDeclaration } from "../core/spec.ts";
import type { GroupName, VoterId } from "../core/types.ts";
import type { OperatorStore } from "../ports/group-store.ts";

export type SpecStore = Pick<OperatorStore, "readSpec" | "writeSpec" | "removeGroup">;

export type Registration =
  | { readonly kind: "registered"; readonly version: number }
  | { readonly kind: "refused"; readonly detail: string };

/** An operator's edit can come between reading and writing; so many in a row are no coincidence. */
const ATTEMPTS = 5;

/** Throws `ConfigurationError` with every issue; reads and writes reject as the port says. */
export async function registerDeclared(
  store: SpecStore,
  input: unknown,
  voters: readonly VoterId[],
  hasStopper = false,
): Promise<Registration> {
  const declared = checkDeclaration(input, { voters, hasStopper });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const standing = await store.readSpec(declared.name);
    if (standing !== null && standing.owner !== "cdk") return refusal(standing);
    const spec = specOf(declared, standing);
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

const specOf = (declared: DeclaredConfig, standing: SpecRecord | null): SpecRecord => ({
  // With what a newer version has added.
  ...standing,
  schema: 1,
  group: declared.name,
  version: (standing?.version ?? 0) + 1,
  owner: "cdk",
  declared,
  overrides: standing?.overrides ?? {},
  shard: standing?.shard ?? 0,
});

const refusal = ({ group }: SpecRecord): Registration => ({
  kind: "refused",
  detail:
    `group ${group} was registered with \`valkeeper groups add\` and belongs to the command line: ` +
    `remove it there first (\`valkeeper groups remove ${group}\`; the nodes are not touched), or take it out of the app`,
});
