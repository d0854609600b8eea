// The two trios: real servers reached through the real adapter, and the simulator's with its port.

import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { makeRealNodeWorld } from "../contract/valkey-node-real-world.ts";
import { simulatedNodeWorld } from "../sim/valkey-contract-world.ts";
import type { MakeWorld, Sides } from "./compare.ts";

export const makeSimulated: MakeWorld = (options) => Promise.resolve(simulatedNodeWorld(options));

export const realAndSimulated = (group: ProcessGroup): Sides => ({
  left: { name: "real servers", make: (options) => makeRealNodeWorld(group, options) },
  right: { name: "the simulator", make: makeSimulated },
});
