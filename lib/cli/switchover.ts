// `valkeeper switchover GROUP [--to NODE]`: hands the primary over without losing a write.

import type { Command } from "commander";
import { nodesOf } from "./assessment.ts";
import type { Host } from "./host.ts";
import { addOrderOptions, type OrderOptions, orderedBy } from "./order-options.ts";
import { carryOut, concluded, targetOf } from "./request.ts";
import { readSnapshots, specOf } from "./snapshot.ts";

interface Options extends OrderOptions {
  readonly to?: string;
}

export function addSwitchover(program: Command, host: Host): void {
  const command = program
    .command("switchover")
    .argument("<group>")
    .option("--to <node>", "the new primary; without it the in-sync replica of the best priority")
    .description("hands the primary over without losing a write");
  addOrderOptions(command).action((group: string, options: Options, self: Command) =>
    host.run(self, async (call) => {
      const spec = await specOf(call.store, group);
      const [snapshot] = await readSnapshots(call.store, [spec], call.environment.wallTime());
      const known = snapshot === undefined ? [] : nodesOf(snapshot).map((node) => node.id);
      const target = targetOf(spec, known, options.to);
      const order = { kind: "switchover", target, acceptDataLoss: false, ...orderedBy(options) } as const;
      return concluded(call, [await carryOut(call, spec, order)]);
    }),
  );
}
