// What a host that goes carries, asked of the emulator: its instances and tasks are records, a task has no address, and a node
// that is declared by a name is taken by the tag. It knows no container instances; which tasks are asked for is held in
// test/adapters/hosts.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDepartures } from "../../lib/adapters/hosts/departures.ts";
import { type GroupName, groupName, nodeId } from "../../lib/core/types.ts";
import type { Departures } from "../../lib/ports/departures.ts";
import type { NodePlace } from "../../lib/ports/hosts.ts";
import { makeTerminationHook, nodeTags, runInstance, runTask } from "../support/cloud-hosts.ts";
import { freshGroup } from "./group-store-builders.ts";
import { clientsFor, localCloudForFile } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
let clients: AwsClients;
let departures: Departures;
let group: GroupName;

beforeAll(() => {
  clients = clientsFor(endpoint());
  departures = createDepartures(clients);
});
afterAll(() => clients?.destroy());
beforeEach(() => {
  group = freshGroup();
});

const place = (node: string, host: string, of = group): NodePlace => ({ group: of, node: nodeId(node), host });

describe("what a host carries", () => {
  it("instance: nodes at its address, of other groups too, and none that its tag contradicts", async () => {
    const id = await runInstance(clients, "10.7.0.1", nodeTags(group, "a"));
    const other = groupName("another");
    const [here, beside, named] = [place("a", "10.7.0.1"), place("z", "10.7.0.1", other), place("a", "a.internal")];
    const places = [
      here,
      beside,
      named,
      place("b", "10.7.0.1"),
      place("c", "10.7.0.2"),
      place("a", "a.internal", other),
    ];
    expect(await departures.placesOn([{ kind: "instance", id }], places)).toEqual([here, beside, named]);
    expect(await departures.placesOn([{ kind: "instance", id: "i-0aaaaaaaaaaaaaaaa" }], places)).toEqual([]);
  });

  it("task: the node of its tag", async () => {
    const { task: id } = await runTask(clients, nodeTags(group, "a"));
    const places = [place("a", "a.internal"), place("b", "b.internal")];
    expect(await departures.placesOn([{ kind: "task", id }], places)).toEqual([places[0]]);
  });
});

describe("a hook", () => {
  it("says how long it holds an instance back, and is completed", async () => {
    await makeTerminationHook(clients, { group: "nodes", hook: "valkeeper", heartbeatSeconds: 45 });
    const action = { autoScalingGroup: "nodes", hook: "valkeeper", token: "token", instance: "i-1" };
    expect(await departures.heartbeatMs(action)).toBe(45_000);
    expect(await departures.heartbeatMs({ ...action, hook: "none" })).toBeNull();
    await departures.complete(action);
  });
});
