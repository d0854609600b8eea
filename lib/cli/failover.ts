// `valkeeper failover GROUP --accept-data-loss`: replaces a primary without waiting for votes. Whether the flag is needed
// is for the voter to say, who sees the primary: this only carries it.

import type { Command } from "commander";
import type { Host } from "./host.ts";
import { addOrderOptions, type OrderOptions, orderedBy } from "./order-options.ts";
import { carryOut, concluded } from "./request.ts";
import { specOf } from "./snapshot.ts";

interface Options extends OrderOptions {
  readonly acceptDataLoss?: boolean;
}

export function addFailover(program: Command, host: Host): void {
  const command = program
    .command("failover")
    .argument("<group>")
    .option("--accept-data-loss", "also when the primary is healthy: writes that no replica has yet may be lost")
    .description("replaces the primary now; a healthy one is better handed over by switchover, which loses nothing");
  addOrderOptions(command).action((group: string, options: Options, self: Command) =>
    host.run(self, async (call) => {
      const spec = await specOf(call.store, group);
      const acceptDataLoss = options.acceptDataLoss === true;
      const order = { kind: "failover", target: null, acceptDataLoss, ...orderedBy(options) } as const;
      const followed = await carryOut(call, spec, order);
      return concluded(call, [followed]);
    }),
  );
}
