import { useProcessGroup } from "../support/local-group.ts";
import { describeValkeyNodeContract } from "./valkey-node.contract.ts";
import { makeRealNodeWorld } from "./valkey-node-real-world.ts";

const group = useProcessGroup();
describeValkeyNodeContract("real servers", (options) => makeRealNodeWorld(group, options));
