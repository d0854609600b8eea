// The simulator's table keeps the contract that the real adapter keeps.

import { describeGroupStoreContract } from "../contract/group-store.contract.ts";
import { Dice } from "./dice.ts";
import { EventQueue } from "./event-queue.ts";
import { Network } from "./network.ts";
import { pump } from "./pump.ts";
import { Sandbox } from "./sandbox.ts";
import { CALM, SimStore } from "./store.ts";
import { Table } from "./table.ts";

describeGroupStoreContract("the simulator's table", () => {
  const dice = new Dice("contract");
  const queue = new EventQueue(dice.split("queue"));
  const network = new Network(queue, dice.split("network"));
  const sandbox = new Sandbox("operator", queue, dice.split("sandbox"));
  const weather = { ...CALM, staleRate: 0 };
  const user = { place: { name: "operator", zone: null }, sandbox };
  const store = new SimStore(new Table(queue), weather, network, user, dice.split("store"));
  return Promise.resolve({ store, close: pump(queue) });
});
