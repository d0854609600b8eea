// The simulator's table keeps the contract that the real adapter keeps.

import type { Item } from "../../lib/core/ballot-write.ts";
import type { SpecRecord } from "../../lib/core/records.ts";
import type { GroupName } from "../../lib/core/types.ts";
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
  const table = new Table(queue);
  const store = new SimStore(table, weather, network, user, dice.split("store"));
  const putSpec = (group: GroupName, item: Item): void => void table.specs.set(group, item as unknown as SpecRecord);
  return Promise.resolve({ store, putSpec, close: pump(queue) });
});
