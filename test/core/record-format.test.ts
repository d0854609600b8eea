import { describe, expect, it } from "vitest";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { RecordFormatError } from "../../lib/core/errors.ts";
import {
  decodeCopies,
  decodeHistory,
  decodePublication,
  decodeRequest,
  decodeSlot,
  decodeSpec,
} from "../../lib/core/record-format.ts";

const address = { host: "10.0.0.1", port: 6379 };
const confirmed = { epoch: 7, revision: 3, at: 9 };

/** One of each, with every field that is looked at. */
const records: Readonly<Record<string, readonly [decode: (item: Item) => unknown, record: Item]>> = {
  spec: [
    decodeSpec,
    {
      schema: 1,
      group: "g",
      version: 2,
      owner: "cdk",
      declaredBy: {
        ...{ stack: "arn:aws:cloudformation:eu-west-1:1:stack/new", resource: "New", isReleased: true },
        replaces: { stack: "stack/old", resource: "Old", declared: { name: "g", nodes: [{ id: "n1", ...address }] } },
      },
      declared: { name: "g", nodes: [{ id: "n1", ...address }] },
      overrides: { downAfterMs: { value: 1, by: "alice", at: 5 } },
      shard: 0,
    },
  ],
  request: [
    decodeRequest,
    {
      schema: 1,
      id: "r",
      kind: "switchover",
      target: "n2",
      by: "alice",
      reason: "maintenance",
      acceptDataLoss: false,
      askedAt: 1,
      expiresAt: 2,
      result: { kind: "done", detail: "n2 is primary", epoch: 7, at: 3 },
    },
  ],
  "history entry": [
    decodeHistory,
    {
      schema: 1,
      id: "event#7",
      group: "g",
      epoch: 7,
      at: 1,
      voter: "az-a",
      generation: 1,
      event: "lease.acquired",
      detail: { by: "automatic", tookMs: 1, isLast: true, none: null },
    },
  ],
  publication: [
    decodePublication,
    {
      schema: 1,
      group: "g",
      table: "t",
      epoch: 7,
      revision: 3,
      primary: { node: "n1", address },
      replicas: [{ node: "n2", address }],
      at: 1,
    },
  ],
  "record of published copies": [
    decodeCopies,
    {
      ...{ ssm: confirmed, dns: confirmed },
      ...{ ssmFailure: { detail: "denied", at: 9 }, dnsFailure: { detail: "gone", at: 9 } },
      conditions: {
        at: 9,
        standing: { "group-not-ready": { since: 3, epoch: 7, reason: "n2 link down", isTold: true, goneAt: 8 } },
      },
    },
  ],
  slot: [
    decodeSlot,
    {
      schema: 1,
      voter: "az-a",
      shard: 1,
      groupsPerVoter: 50,
      generation: 1,
      owner: "request-id",
      heartbeatAt: 1,
      regular: true,
      restsMs: 60_000,
      groups: {
        g: {
          at: 1,
          epoch: 7,
          operation: { kind: "failover", step: "begun" },
          vote: "down",
          rejection: { reason: "paused", detail: "by alice", ends: "a resume", check: "status", sinceMs: 1 },
          nodes: { n1: { address, zone: "az-a", class: "serving", sinceMs: 1, detail: "ok" } },
          candidate: "n2",
          notCandidates: { n3: "it lags" },
        },
      },
    },
  ],
};

it("a slot without a rest is one of a voter that does not rest", () => {
  const { restsMs: _, ...slot } = records["slot"]![1] as Record<string, Json>;
  expect(decodeSlot(slot as Item)).toMatchObject({ restsMs: null });
});

it("a slot that says neither its shard nor how many groups it is meant for is one of the first shard, of an earlier version", () => {
  const { shard: _, groupsPerVoter: __, ...slot } = records["slot"]![1] as Record<string, Json>;
  expect(decodeSlot(slot as Item)).toMatchObject({ shard: 0, groupsPerVoter: null });
  expect(decodeSlot({ ...(slot as Item), shard: 2, groupsPerVoter: 10 })).toMatchObject({
    shard: 2,
    groupsPerVoter: 10,
  });
});

const everyRecord = Object.entries(records).map(([what, [decode, record]]) => ({ what, decode, record }));

function paths(value: Json, at: readonly string[] = []): readonly (readonly string[])[] {
  if (value === null || typeof value !== "object") return [at];
  const inner = Object.entries(value).flatMap(([key, each]) => paths(each, [...at, key]));
  return at.length === 0 ? inner : [at, ...inner];
}

function replaced(value: Json, [key, ...rest]: readonly string[], to: Json | undefined): Json {
  if (key === undefined) return to ?? null;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, Json>;
  if (rest.length === 0 && to === undefined) delete copy[key];
  else copy[key] = replaced(copy[key] as Json, rest, to);
  return copy;
}

const everyPath = everyRecord.flatMap(({ what, decode, record }) =>
  paths(record).map((path) => ({ name: `${what}.${path.join(".")}`, decode, record, path })),
);
/** Only shown: a value of any kind may stand there. */
const shown = /^(spec\.overrides\.\w+\.value|history entry\.detail\.\w+)$/;
/** May be left out. */
const optional =
  /\.(target|result|table|restsMs|shard|groupsPerVoter|ssm|dns|ssmFailure|dnsFailure|conditions|group-not-ready|goneAt|operation|rejection|check|candidate|detail\.\w+|value|downAfterMs|declaredBy|isReleased|replaces|g|n1|n3|nodes\.0|replicas\.0)$/;

describe("the format of the records", () => {
  it.each(everyRecord)("gives a whole $what back as it is, with fields that a newer version may add", (each) => {
    const { decode, record } = each;
    expect(decode(record)).toEqual(record);
    expect(decode({ ...record, later: 1 })).toEqual({ ...record, later: 1 });
  });

  // The copies that were published are no record of their own.
  const versioned = everyRecord.filter(({ record }) => "schema" in record);
  it.each(versioned)("does not compare a schema of a $what that is no number", ({ what, decode, record }) => {
    expect(() => decode({ ...record, schema: "2" })).toThrow(`${what}.schema should be a number and is "2"`);
  });

  it.each(versioned)("refuses a newer schema of a $what and says what to do", ({ what, decode, record }) => {
    expect(decode({ ...record, schema: 1 })).toEqual(record);
    expect(() => decode({ ...record, schema: 2 })).toThrow(
      `the ${what} has schema 2 and this version knows 1: update Valkeeper`,
    );
  });
});

describe("a damaged record", () => {
  it.each(everyPath.filter(({ name }) => !shown.test(name)))("is refused for another kind of value at $name", (at) => {
    const wrong = () => at.decode(replaced(at.record, at.path, [[["damaged"]]]) as Item);
    expect(wrong).toThrow(RecordFormatError);
    expect(wrong).toThrow(/ should be .* and is .*: the record is damaged or of another program$/);
  });

  it.each(everyPath.filter(({ name }) => !optional.test(name)))("is refused without $name", (at) => {
    expect(() => at.decode(replaced(at.record, at.path, undefined) as Item)).toThrow(/ and is missing: /);
  });

  it.each([
    ["spec", "owner", "spec.owner should be one of cdk, cli"],
    ["request", "kind", "request.kind should be one of failover, switchover, drain, recover, set-members"],
    ["request", "result.kind", "request.result.kind should be one of done, refused, failed"],
    ["record of published copies", "ssm.epoch", "record of published copies.ssm.epoch should be a number"],
    ["slot", "groups.g.vote", "slot.groups.g.vote should be one of none, suspect, down"],
  ])("of a %s with a word that nobody knows at %s is refused", (what, path, message) => {
    const [decode, record] = records[what]!;
    expect(() => decode(replaced(record, path.split("."), "later") as Item)).toThrow(`${message} and is "later"`);
  });
});

describe("a record with what may be missing left out", () => {
  it("reads as a spec of no stack, or of one that neither lets go nor replaces another", () => {
    const [, item] = records["spec"] as (typeof records)[string];
    const { declaredBy: _, ...ofNobody } = item;
    expect(decodeSpec(ofNobody)).toStrictEqual(ofNobody);
    const plain = { ...ofNobody, declaredBy: { stack: "stack/new", resource: "New" } };
    expect(decodeSpec(plain)).toStrictEqual(plain);
  });

  it("reads as a request that names no target and has no result", () => {
    const { target: _, result: __, ...rest } = records["request"]![1];
    expect(decodeRequest(rest)).toEqual({ ...rest, target: null, result: null });
  });

  it("reads as a publication of no table", () => {
    const { table: _, ...rest } = records["publication"]![1];
    expect(decodePublication(rest)).toEqual({ ...rest, table: null });
  });

  it("reads as copies of which none is confirmed", () => {
    const none = { ssm: null, dns: null };
    expect(decodeCopies({})).toEqual(none);
    expect(decodeCopies({ ...none, ssmFailure: null, dnsFailure: null })).toEqual(none);
  });

  it.each([
    "conditions.at",
    "conditions.standing",
    ...["since", "epoch", "reason", "isTold", "goneAt"].map((name) => `conditions.standing.group-not-ready.${name}`),
  ])("is refused for another kind of value at %s", (path) => {
    const [decode, record] = records["record of published copies"]!;
    const at = replaced(record, path.split("."), [[["damaged"]]]) as Item;
    expect(() => decode(at)).toThrow(`record of published copies.${path} should be `);
  });

  it("reads as a condition that is seen still", () => {
    const standing = { "group-not-ready": { since: 3, epoch: 7, reason: "n2 link down", isTold: false } };
    const noted = { ssm: null, dns: null, conditions: { at: 9, standing } };
    expect(decodeCopies(noted)).toStrictEqual(noted);
    expect(decodeCopies({ ...noted, conditions: null })).toStrictEqual({ ssm: null, dns: null });
  });

  it("of published copies has no schema of its own to be compared", () => {
    expect(decodeCopies({ schema: 9 })).toEqual({ schema: 9, ssm: null, dns: null });
  });
});
