// The simulator's SSM and Route 53, and its publisher over them, keep the contract that the real adapters keep.

import type { GroupName } from "../../lib/core/types.ts";
import { configOf, publicationAt } from "../contract/publication-setting.ts";
import { describePublisherContract, type PublisherWorld } from "../contract/publisher.contract.ts";
import { Dice } from "./dice.ts";
import { EventQueue } from "./event-queue.ts";
import { Network } from "./network.ts";
import { Copies, SimPublisher } from "./publication.ts";
import { pump } from "./pump.ts";
import { Sandbox } from "./sandbox.ts";
import { CALM, SimStore } from "./store.ts";
import { Table } from "./table.ts";

const SOMEWHERE = { parameterPrefix: "/sim", dns: { hostedZoneId: "Z1", name: "main.sim", ttlSeconds: 5 } };

describePublisherContract("the simulator's", () => {
  const dice = new Dice("publisher's contract");
  const queue = new EventQueue(dice.split("queue"));
  const network = new Network(queue, dice.split("network"));
  const table = new Table(queue);
  const copies = new Copies();
  const close = pump(queue);
  const weather = { failRate: 0, lostAnswerRate: 0, slowMs: 0 };
  const [one, other] = ["one", "other"].map((name) => {
    const user = { place: { name, zone: null }, sandbox: new Sandbox(name, queue, dice.split(name)), direct: true };
    const store = new SimStore(table, { ...CALM, staleRate: 0 }, network, user, dice.split(`store of ${name}`));
    const publisher = new SimPublisher({ queue, network, copies, weather, store, user, dice: dice.split(name) });
    return { publisher, store };
  });
  if (one === undefined || other === undefined) throw new Error("there are two publishers");
  const config = (group: GroupName) => configOf(group, SOMEWHERE);
  const world: PublisherWorld = {
    publish: (copy, group, order, by = 0) =>
      (by === 0 ? one : other).publisher.publish(copy, publicationAt(group, order), config(group)),
    publishNowhere: (copy, group, order) =>
      one.publisher.publish(copy, publicationAt(group, order), configOf(group, { parameterPrefix: null, dns: null })),
    read: async (copy, group) => {
      const standing = copies.read(copy, group);
      return standing === null ? null : `${standing.epoch}.${standing.revision} ${standing.primary.host}`;
    },
    rename: async (copy, group, host) => {
      const standing = copies.read(copy, group);
      if (standing === null) throw new Error("there is nothing to overwrite");
      copies.overwrite(copy, group, { ...standing, primary: { ...standing.primary, host } }, "hand");
    },
    exchange: async (group, { from, to }) => {
      const standing = copies.read("dns", group);
      if (standing === null) throw new Error("there is nothing to exchange");
      const at = (host: string) => ({ ...standing, primary: { ...standing.primary, host } });
      return copies.exchange(group, at(from), at(to), "somebody");
    },
    standing: (group) => one.publisher.standing(config(group)).then(({ epoch }) => epoch),
    confirmed: (group) => one.store.readCopies(group),
    close: async () => close(),
  };
  return Promise.resolve(world);
});
