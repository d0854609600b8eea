// Voters of two versions work at one record: what a newer one has added does not stop an older one, and is still there
// after the older one has written. docs/upgrades.md has the rule that these tests hold.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, type Item, interpret, type Json } from "../../lib/core/ballot-write.ts";
import { type CheckContext, checkConfig } from "../../lib/core/config-check.ts";
import { ConfigurationError } from "../../lib/core/errors.ts";
import {
  changeKind,
  commit,
  enterOwnHistory,
  finish,
  recordIntent,
  recordRestored,
  renew,
} from "../../lib/core/holder-writes.ts";
import { attemptId } from "../../lib/core/types.ts";
import {
  adopt,
  arm,
  castVote,
  enterReplicationId,
  grant,
  setControl,
  takeOver,
  updateMembers,
} from "../../lib/core/writes.ts";
import {
  A,
  B,
  ballot,
  attempt as begun,
  config,
  control,
  history,
  intent,
  lease,
  N2,
  newborn,
  ofEpoch,
  operation,
  primary,
  recorded,
  TABLE,
  VOTERS,
  vote,
} from "./builders.ts";

const LATER = "later";

/** `value` with a field that this version does not know in each of its maps. */
function withAdditions(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(withAdditions);
  const entries = Object.entries(value).map(([key, each]) => [key, withAdditions(each as Json)]);
  return { ...Object.fromEntries(entries), [LATER]: { of: "a newer version" } };
}

/** Where the additions stand, but for those of the maps that are keyed by names. */
function additions(value: Json, at: readonly string[] = []): readonly string[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === LATER ? [[...at, key].join(".")] : additions(each as Json, [...at, key]),
  );
}

/** As a newer version has left it. */
function newer(record: Ballot): Item {
  const item = withAdditions(encodeBallot(record) as Json) as Record<string, Json>;
  // A node is no addition to the map of the nodes: what stands there is a member.
  const members = item["members"] as { readonly nodes: Record<string, Json> };
  delete members.nodes[LATER];
  return item;
}

const attempt = attemptId("mine");
const writer = { voter: A, generation: 1 };
const quiet = ballot({ votes: { [A]: vote(), [B]: vote() }, budget: [begun()] });
const waiting = ballot({ armed: false });
const busy = ballot({
  epoch: ofEpoch(2),
  lease: lease(),
  operation: operation(),
  votes: { [A]: vote(), [B]: vote() },
  lineage: { histories: [recorded()], intents: [intent()] },
  budget: [begun()],
});
const next = primary({ node: N2, epoch: ofEpoch(2), replicationId: history(2) });
const held = (record: Ballot) => ({ ballot: record, writer, attempt });
const granted = { writer, attempt, leaseMs: 5_000, operation: operation(), counted: [A, B], budget: null };

/** Every write but the first of a record, and what of the additions it replaces because all that stands there is another now. */
const writes: readonly (readonly [of: Ballot, make: (record: Ballot) => BallotWrite, replaces: readonly string[]])[] = [
  [quiet, (record) => castVote(record, A, vote({ seq: 2 })), ["vote_az-a.later"]],
  [quiet, (record) => grant({ ...granted, ballot: record, above: ofEpoch(0), table: TABLE }), []],
  [busy, (record) => takeOver({ ...held(record), leaseMs: 5_000 }), ["lease.later"]],
  [newborn(), (record) => adopt({ ...held(record), primary: primary(), members: {}, forkOffset: 0 }), []],
  [waiting, (record) => arm(record, attempt), []],
  [quiet, (record) => updateMembers({ ...held(record), nodes: record.members.nodes, republish: true }), []],
  [quiet, (record) => enterReplicationId(record, attempt, recorded({ replicationId: history(3) })), []],
  [quiet, (record) => setControl(record, control({ mode: "observe", attempt })), ["control.later"]],
  [busy, (record) => renew(held(record)), []],
  [busy, (record) => recordIntent(held(record), intent({ replicationId: history(4) }), "intended"), []],
  [busy, (record) => commit(held(record), next, recorded({ epoch: ofEpoch(2) })), ["primary.later"]],
  [busy, (record) => enterOwnHistory(held(record), recorded({ replicationId: history(3) })), []],
  [busy, (record) => recordRestored(held(record)), []],
  [busy, (record) => changeKind(held(record), { ...(record.operation ?? operation()), kind: "switchover" }), []],
  [busy, (record) => finish(held(record)), ["lease.later", "operation.later"]],
];

describe("a ballot to which a newer version has added fields", () => {
  it("is read as what this version knows of it", () => {
    for (const record of [quiet, busy, newborn()]) {
      expect(encodeBallot(decodeBallot(newer(record)))).toMatchObject(encodeBallot(record));
    }
  });

  it.each(writes.map(([of, make, replaces]) => [make(of).name, of, make, replaces] as const))(
    "still has them after %s",
    (_, of, make, replaces) => {
      const before = newer(of);
      const { applied, item } = interpret(before, make(decodeBallot(before)));
      expect(applied).toBe(true);
      const kept = new Set(additions(item as Json));
      expect(additions(before as Json).filter((each) => !kept.has(each))).toEqual(replaces);
    },
  );

  it("is held still when the newer version says that an older one must not go on: by its schema, or by a word", () => {
    expect(() => decodeBallot({ ...encodeBallot(busy), schema: 2 })).toThrow(/update Valkeeper, nothing is done/);
    const later = { ...encodeBallot(busy), operation: { ...operation(), kind: "evacuation" } };
    expect(() => decodeBallot(later as unknown as Item)).toThrow(/operation\.kind should be one of/);
  });
});

describe("a declaration with settings of a newer version", () => {
  const known = config({ downAfterMs: 3_000 });
  const declared = { ...known, tls: { ...known.tls, pinned: "abc" }, electAfterMs: 7 };
  const leftOut: string[] = [];
  const asRecord: CheckContext = { voters: VOTERS, leaveOut: (issue) => leftOut.push(issue) };

  it("is one that an older version can run with, and tells what was left out", () => {
    expect(checkConfig(declared, asRecord)).toEqual(checkConfig(known, { voters: VOTERS }));
    expect(leftOut).toEqual([
      expect.stringMatching(/^the group has no setting "electAfterMs"/),
      'tls has no setting "pinned": there are enabled, ca, serverName',
    ]);
  });

  it("is refused where somebody declares it, and with a value that is not known everywhere", () => {
    expect(() => checkConfig(declared, { voters: VOTERS })).toThrow(ConfigurationError);
    expect(() => checkConfig({ ...known, coldStart: "later" }, asRecord)).toThrow(ConfigurationError);
  });
});
