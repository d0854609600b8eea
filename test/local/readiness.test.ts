// When an experiment may begin, asked of a real table. What is read for it is counted: whoever waits for many groups must not
// take the table from the voters that begin them.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { GroupConfig } from "../../lib/core/config.ts";
import { completeConfig } from "../../lib/core/config-defaults.ts";
import { epoch, type GroupName, wallTime } from "../../lib/core/types.ts";
import { notReady } from "../../lib/local/readiness.ts";
import {
  az,
  ballotOf,
  createBallot,
  freshAttempt,
  freshGroup,
  publicationAt,
  slotOf,
  specOf,
} from "../contract/group-store-builders.ts";
import { type EndpointStore, localCloudForFile, makeStoreAt } from "../contract/group-store-endpoints.ts";
import { RequestRecorder } from "../support/aws-requests.ts";

const endpoint = localCloudForFile();
const voters = ["a", "b", "c"].map(az);
let made: EndpointStore;
let recorder: RequestRecorder;

beforeAll(async () => {
  made = await makeStoreAt(endpoint());
  recorder = new RequestRecorder();
});
afterEach(() => {
  recorder.sent.length = 0;
});
afterAll(() => {
  recorder?.restore();
  return made?.close();
});

const configOf = (group: GroupName): GroupConfig => completeConfig(specOf(group).declared);
const namesOf = async (configs: readonly GroupConfig[]): Promise<readonly GroupName[]> =>
  (await recorder.as("whoever waits", () => notReady(made.store, configs, voters))).map(({ name }) => name);

async function watch(groups: readonly GroupName[], by = voters): Promise<void> {
  const [view] = Object.values(slotOf(az("a"), 1).groups);
  if (view === undefined) throw new Error("a slot shows a group");
  const shown = Object.fromEntries(groups.map((group) => [group, view]));
  for (const voter of by) {
    const { generation, owner } = await made.store.takeSlot(voter, 0, "an invocation", wallTime(1));
    await made.store.writeSlot(slotOf(voter, generation, { owner, groups: shown }));
  }
}

async function begin(group: GroupName, changes: Parameters<typeof ballotOf>[1] = {}): Promise<void> {
  await createBallot(made.store, ballotOf(group, changes));
}
const publish = (group: GroupName, at = 4) =>
  made.store.writePublication(publicationAt(group, { epoch: at, revision: 0 }));

describe("a group is ready", () => {
  it("when it is armed, published as its record says, and every voter watches it", async () => {
    const [ready, unarmed, older, unpublished, unwatched] = Array.from({ length: 5 }, freshGroup) as [
      ...[GroupName, GroupName, GroupName, GroupName, GroupName],
    ];
    const watched = [ready, unarmed, older, unpublished];
    await watch(watched);
    for (const group of [ready, older, unpublished, unwatched]) await begin(group);
    await begin(unarmed, { armed: false });
    for (const group of [ready, unarmed, unwatched]) await publish(group);
    await publish(older, 3);
    const all = [...watched, unwatched].map(configOf);
    expect(await namesOf(all)).toEqual([unarmed, older, unpublished, unwatched]);
    await watch([...watched, unwatched], voters.slice(0, 2));
    expect(await namesOf([configOf(unwatched)])).toEqual([unwatched]);
    await watch([...watched, unwatched]);
    expect(await namesOf([configOf(unwatched)])).toEqual([]);
  });

  it("when its lease is given back", async () => {
    const group = freshGroup();
    await watch([group]);
    const lease = { holder: az("a"), generation: 1, version: 1, durationMs: 1_000, attempt: freshAttempt() };
    await begin(group, { lease, epoch: epoch(5) });
    await publish(group);
    expect(await namesOf([configOf(group)])).toEqual([group]);
  });
});

describe("fifty groups that have not begun", () => {
  it("are asked for in three requests", async () => {
    const groups = Array.from({ length: 50 }, freshGroup);
    expect(await namesOf(groups.map(configOf))).toEqual(groups);
    const asked = recorder.commandsOf("whoever waits").map((command) => command.constructor.name);
    expect(asked.toSorted()).toEqual(["BatchGetItemCommand", "BatchGetItemCommand", "QueryCommand"]);
  });
});
