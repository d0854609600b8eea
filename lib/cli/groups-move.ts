// `valkeeper groups move NAME --to SHARD`: other voters look after the group from now on. Both its old and its new ones may
// for some seconds, or for longer where one was stopped and goes on: a voter's votes and leases carry a generation that no
// other of its invocations has, whatever the shard, so that it is no other to the protocol than a change of invocations.

import { type Command, InvalidArgumentError } from "commander";
import { fullText, placeGroup, servedShards } from "../core/placement.ts";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { refused, usage } from "./failure.ts";
import type { Host } from "./host.ts";
import { specOf } from "./snapshot.ts";

export function addGroupsMove(groups: Command, host: Host): void {
  groups
    .command("move")
    .argument("<group>")
    .requiredOption("--to <shard>", "the shard whose voters are to look after it", readShard)
    .description("has the voters of another shard look after a group, whoever declared it")
    .action((name: string, options: { readonly to: number }, command: Command) =>
      host.run(command, (call) => move(call, name, options.to)),
    );
}

function readShard(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError("should be the number of a shard, as in 1.");
  return Number(text);
}

async function move(call: Call, name: string, to: number): Promise<ExitCode> {
  const { store, environment } = call;
  const spec = await specOf(store, name);
  const { group, shard: from } = spec;
  if (from === to) throw usage(`group ${group} is in shard ${to} already`);
  const [{ specs }, slots, ballot] = await Promise.all([store.listSpecs(), store.listSlots(), store.readBallot(group)]);
  const shards = servedShards(slots, environment.wallTime());
  if (!shards.served.includes(to)) {
    const served = shards.served.length === 0 ? "no voter is heard" : `there are voters of ${shards.served.join(", ")}`;
    throw refused(`no voter serves shard ${to}: ${served}`);
  }
  const others = specs.filter((each) => each.group !== group);
  const only = { ...shards, served: [to] };
  if (placeGroup(others, only) === null) throw refused(fullText(others, only));
  if (ballot?.operation != null) {
    throw refused(
      `a ${ballot.operation.kind} of ${group} is going on: wait for its end (\`valkeeper history ${group} --follow\`)`,
    );
  }
  const moved = { ...spec, version: spec.version + 1, shard: to };
  if (!(await store.writeSpec(moved, spec.version))) {
    throw refused(
      `group ${group} was changed by somebody else at the same moment: look at \`valkeeper groups list\` and try again`,
    );
  }
  say(call, { schema: 1, group, version: moved.version, from, to }, () => [
    `${group} is moved from shard ${from} to shard ${to}: its voters change within some seconds, with the next round in economy mode`,
  ]);
  return EXIT.ok;
}
