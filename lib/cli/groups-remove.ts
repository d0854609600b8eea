// `valkeeper groups remove NAME --yes`: the voters let the group go. Nodes, history, parameters and DNS stay as they are.

import type { Command } from "commander";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { refused, usage } from "./failure.ts";
import type { Host } from "./host.ts";
import { specOf } from "./snapshot.ts";

export function addGroupsRemove(groups: Command, host: Host): void {
  groups
    .command("remove")
    .argument("<group>")
    .option("--yes", "really")
    .description("stops looking after a group; its nodes, history, parameters and DNS records stay as they are")
    .action((name: string, options: { readonly yes?: boolean }, command: Command) =>
      host.run(command, (call) => remove(call, name, options.yes === true)),
    );
}

async function remove(call: Call, name: string, isConfirmed: boolean): Promise<ExitCode> {
  const spec = await specOf(call.store, name);
  const { group } = spec;
  if (spec.owner === "cdk") {
    const which = spec.declaredBy === undefined ? "a stack" : `the stack ${spec.declaredBy.stack}`;
    throw refused(
      `group ${group} is declared by ${which}: take it out there and deploy; until then \`valkeeper pause ${group}\` keeps voters off it`,
    );
  }
  const ballot = await call.store.readBallot(group);
  if (ballot?.operation != null) {
    throw refused(
      `a ${ballot.operation.kind} of ${group} is going on: wait for its end (\`valkeeper history ${group} --follow\`)`,
    );
  }
  if (!isConfirmed) {
    throw usage(
      `${group} would not be failed over any more, and its published primary would stand as it is: repeat with --yes`,
    );
  }
  await call.store.removeGroup(group);
  say(call, { schema: 1, group, removed: true }, () => [
    `${group} is removed: nobody looks after it any more; its nodes, history, parameters and DNS records stand as they were`,
  ]);
  return EXIT.ok;
}
