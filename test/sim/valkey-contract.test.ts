// The simulator's nodes and port keep the contract that the real adapter keeps on real servers.

import { describeValkeyNodeContract } from "../contract/valkey-node.contract.ts";
import { simulatedNodeWorld } from "./valkey-contract-world.ts";

describeValkeyNodeContract("the simulator's nodes", (options) => Promise.resolve(simulatedNodeWorld(options)));
