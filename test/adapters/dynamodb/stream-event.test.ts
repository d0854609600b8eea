import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import {
  conditionChanges,
  groupsToPublish,
  groupsToStop,
  type StreamRecord,
} from "../../../lib/adapters/dynamodb/stream-event.ts";

type Image = Readonly<Record<string, AttributeValue>>;

function recordOf(
  pk: string,
  sk: string,
  more: { number?: string; before?: Image; after?: Image; name?: string } = {},
): StreamRecord {
  return {
    eventName: more.name ?? "MODIFY",
    dynamodb: {
      Keys: { pk: { S: pk }, sk: { S: sk } },
      SequenceNumber: more.number ?? "1",
      ...(more.before === undefined ? {} : { OldImage: more.before }),
      ...(more.after === undefined ? {} : { NewImage: more.after }),
    },
  };
}

const ballot = (changes: Image = {}): Image => ({
  primary: { M: { node: { S: "n1" }, epoch: { N: "4" } } },
  revision: { N: "0" },
  members: { M: { version: { N: "1" } } },
  control: { M: { mode: { S: "act" } } },
  "vote_az-a": { M: { seq: { N: "1" } } },
  ...changes,
});

describe("which groups a batch of stream records asks to be published", () => {
  it.each<readonly [string, Image]>([
    ["another primary", { primary: { M: { node: { S: "n2" }, epoch: { N: "5" } } } }],
    ["another revision", { revision: { N: "1" } }],
    ["other members", { members: { M: { version: { N: "2" } } } }],
    ["the end of a pause", { control: { M: { mode: { S: "paused" } } } }],
  ])("those whose ballot has %s", (_name, change) => {
    const record = recordOf("group#mymaster", "ballot", { before: ballot(), after: ballot(change), number: "17" });
    expect([...groupsToPublish([record])]).toEqual([["mymaster", "17"]]);
  });

  it("not those of which only votes and leases changed", () => {
    const after = ballot({ "vote_az-a": { M: { seq: { N: "2" } } }, lease: { M: { version: { N: "1" } } } });
    expect(groupsToPublish([recordOf("group#mymaster", "ballot", { before: ballot(), after })]).size).toBe(0);
  });

  it("those whose images are not in the record", () => {
    expect([...groupsToPublish([recordOf("group#mymaster", "ballot")]).keys()]).toEqual(["mymaster"]);
  });

  it("those whose publication or spec was written, not those whose spec is gone", () => {
    const records = [
      recordOf("published#one", "primary"),
      recordOf("groups", "two"),
      recordOf("groups", "three", { name: "REMOVE" }),
    ];
    expect([...groupsToPublish(records).keys()]).toEqual(["one", "two"]);
  });

  it("not for what the publisher notes itself, nor for history, requests and slots", () => {
    const others = [
      recordOf("published#g", "copies"),
      recordOf("group#g", "event#00000004#00000000000001#az-a#0001"),
      recordOf("group#g", "request"),
      recordOf("voter#az-a#0", "slot"),
      recordOf("voters", "az-a#0"),
      {},
    ];
    expect(groupsToPublish(others).size).toBe(0);
  });

  it("each with its first record, so that nothing behind it is passed over", () => {
    const records = ["5", "6", "7"].map((number) => recordOf("published#g", "primary", { number }));
    expect([...groupsToPublish(records)]).toEqual([["g", "5"]]);
  });
});

describe("what is wished to be stopped", () => {
  const wishing = (at: string | null) =>
    ballot(at === null ? {} : { operation: { M: { stop: { M: { node: { S: "n1" }, epoch: { N: at } } } } } });
  const change = (before: string | null, after: string | null) =>
    recordOf("group#g", "ballot", { before: wishing(before), after: wishing(after), number: "9" });

  it("is new with its epoch, and told with the record from which the stream is read again", () => {
    expect([...groupsToStop([change(null, "7")])]).toEqual([["g", "9"]]);
    expect([...groupsToStop([change("7", "9")])]).toEqual([["g", "9"]]);
  });

  it("is nothing while it stands as it was, is gone, or was never there", () => {
    expect(groupsToStop([change("7", "7"), change("7", null), change(null, null), {}]).size).toBe(0);
    expect(groupsToStop([recordOf("group#g", "request", { after: wishing("7") })]).size).toBe(0);
  });
});

describe("which conditions a batch of stream records says have begun or ended", () => {
  const noted = (name: string, more: Image = {}): Image => ({
    conditions: {
      M: {
        at: { N: "9" },
        standing: {
          M: {
            [name]: {
              M: { since: { N: "5" }, epoch: { N: "7" }, reason: { S: "n2" }, isTold: { BOOL: true }, ...more },
            },
          },
        },
      },
    },
  });
  const change = (before?: Image, after?: Image) =>
    recordOf("published#g", "copies", {
      number: "3",
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
  const changesOf = (...records: readonly StreamRecord[]) =>
    conditionChanges(records).flatMap(({ changes }) =>
      changes.map(({ group, name, kind, at }) => [group, name, kind, at]),
    );

  it("what is told and was not has begun, and what was and is not has ended when it was seen last", () => {
    expect(changesOf(change(undefined, noted("group-not-ready")))).toEqual([["g", "group-not-ready", "began", 5]]);
    const gone = noted("failover-blocked", { goneAt: { N: "8" } });
    expect(changesOf(change(gone, noted("needless-churn")))).toEqual([
      ["g", "needless-churn", "began", 5],
      ["g", "failover-blocked", "ended", 8],
    ]);
  });

  it("what is not told yet, is missed once, or stands beside a copy that changes, is no news", () => {
    const told = noted("group-not-ready");
    const untold = noted("group-not-ready", { isTold: { BOOL: false } });
    const copied = { ...told, ssm: { M: { epoch: { N: "7" }, revision: { N: "0" }, at: { N: "9" } } } };
    const missed = noted("group-not-ready", { goneAt: { N: "8" } });
    const records = [change(undefined, untold), change(untold, {}), change(told, copied), change(told, missed)];
    expect(changesOf(...records, change(missed, told), recordOf("published#g", "primary"), {})).toEqual([]);
  });

  it("a group that was removed has none any more", () => {
    const { dynamodb, ...record } = change(noted("group-not-ready"));
    const removed = { ...record, eventName: "REMOVE", dynamodb: { ...dynamodb, ApproximateCreationDateTime: 12 } };
    expect(changesOf(removed)).toEqual([["g", "group-not-ready", "ended", 12_000]]);
  });

  it("a note that cannot be decoded is given back to the stream", () => {
    const [damaged] = conditionChanges([change({}, noted("group-not-ready", { since: { S: "long" } }))]);
    expect(damaged).toMatchObject({ changes: [], sequenceNumber: "3", trouble: expect.stringContaining("since") });
  });
});
