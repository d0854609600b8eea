// `valkeeper groups release NAME --yes`: another stack may declare the group from now on, as when a stack is to get another name,
// or is no more and has left the record. Voters look after the group throughout: nothing that they go by is changed.

import type { Command } from "commander";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { refused, usage } from "./failure.ts";
import type { Host } from "./host.ts";
import { specOf } from "./snapshot.ts";

export function addGroupsRelease(groups: Command, host: Host): void {
  groups
    .command("release")
    .argument("<group>")
    .option("--yes", "really")
    .description("lets another stack declare a group that a stack declares")
    .action((name: string, options: { readonly yes?: boolean }, command: Command) =>
      host.run(command, (call) => release(call, name, options.yes === true)),
    );
}

async function release(call: Call, name: string, isConfirmed: boolean): Promise<ExitCode> {
  const spec = await specOf(call.store, name);
  const { group, declaredBy } = spec;
  if (spec.owner !== "cdk")
    throw refused(`group ${group} is no stack's: it was registered with \`valkeeper groups add\``);
  if (declaredBy === undefined)
    throw refused(`whose group ${group} is was not recorded: any stack may declare it already`);
  const { stack, resource } = declaredBy;
  if (declaredBy.isReleased === true) throw refused(`group ${group} is released by ${stack} already`);
  if (!isConfirmed) {
    throw usage(
      `the next stack that declares ${group} would take it over from ${stack} (${resource}): repeat with --yes`,
    );
  }
  const released = { ...spec, version: spec.version + 1, declaredBy: { ...declaredBy, isReleased: true } };
  if (!(await call.store.writeSpec(released, spec.version))) {
    throw refused(
      `group ${group} was changed by somebody else at the same moment: look at \`valkeeper groups list\` and try again`,
    );
  }
  say(call, { schema: 1, group, version: released.version, releasedBy: { stack, resource } }, () => [
    `${group} may be declared by another stack: deploy that before it is taken out of ${stack}, ` +
      "which forgets the group as long as no other stack has declared it",
  ]);
  return EXIT.ok;
}
