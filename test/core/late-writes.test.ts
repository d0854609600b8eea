// A write that nobody waits for any more can still arrive: the network held it, or the store's client had given it up and
// sent it again. So a condition must be false once its own change, or any later one of the same author, stands.

import { describe, expect, it } from "vitest";
import { type Ballot, emptyBallot, type Operation, type Vote } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, interpret } from "../../lib/core/ballot-write.ts";
import { changeKind, commit, finish, recordIntent, recordRestored, renew } from "../../lib/core/holder-writes.ts";
import { attemptId, epoch, groupName, nodeId, replicationId, runId, voterId, wallTime } from "../../lib/core/types.ts";
import {
  adopt,
  castVote,
  create,
  enterReplicationId,
  grant,
  setControl,
  takeOver,
  updateMembers,
} from "../../lib/core/writes.ts";

const [n1, n2] = [nodeId("n1"), nodeId("n2")];
const az = voterId("az-a");
const writer = { voter: az, generation: 3 };
let attempts = 0;
const attempt = () => {
  attempts += 1;
  return attemptId(`attempt-${attempts}`);
};
const oldPrimary = { node: n1, epoch: epoch(4), runId: runId("r1"), replicationId: replicationId("i1") };
const candidate = { node: n2, epoch: epoch(5), runId: runId("r2"), replicationId: replicationId("i2") };
const history = { epoch: epoch(5), node: n2, replicationId: replicationId("i2"), forkOffset: 7 };
const intent = { epoch: epoch(5), node: n2, runId: runId("r2"), replicationId: replicationId("i1"), offset: 7 };
const vote: Vote = {
  level: "down",
  node: n1,
  epoch: epoch(4),
  generation: 3,
  seq: 1,
  silentMs: 5_000,
  attempt: attempt(),
};
const operation: Operation = {
  kind: "failover",
  step: "begun",
  began: epoch(0),
  target: null,
  by: "automatic",
  reason: "",
  request: null,
  insists: false,
};
const control = { mode: "act", by: "cdk", reason: "", until: null, attempt: attemptId("declared") } as const;
const empty = emptyBallot({ group: groupName("g"), table: "t", control, attempt: attempt() });
const quiet: Ballot = { ...empty, epoch: epoch(4), primary: oldPrimary, armed: true };

function applied(ballot: Ballot | null, write: BallotWrite): Ballot {
  const result = interpret(ballot === null ? null : encodeBallot(ballot), write);
  if (!result.applied || result.item === null) throw new Error(`${write.name} was refused`);
  return decodeBallot(result.item);
}
const isRefused = (ballot: Ballot, write: BallotWrite): boolean => !interpret(encodeBallot(ballot), write).applied;

const voted = applied(quiet, castVote(quiet, az, vote));
const lease = { attempt: attempt(), leaseMs: 5_000, writer, above: epoch(0), table: "t" };
const granted = applied(voted, grant({ ...lease, ballot: voted, operation, counted: [az], budget: null }));
const held = (ballot: Ballot) => ({ ballot, writer, attempt: attempt() });

const WRITES: readonly (readonly [string, Ballot | null, (ballot: Ballot) => BallotWrite])[] = [
  ["create", null, create],
  ["castVote", quiet, (ballot) => castVote(ballot, az, vote)],
  ["grant", voted, (ballot) => grant({ ...lease, ballot, operation, counted: [az], budget: null })],
  ["takeOver", granted, (ballot) => takeOver({ ...lease, attempt: attempt(), ballot })],
  ["renew", granted, (ballot) => renew(held(ballot))],
  ["recordIntent", granted, (ballot) => recordIntent(held(ballot), intent, "intended")],
  ["commit", granted, (ballot) => commit(held(ballot), candidate, history)],
  ["recordRestored", granted, (ballot) => recordRestored(held(ballot))],
  ["changeKind", granted, (ballot) => changeKind(held(ballot), { ...operation, kind: "switchover" })],
  ["finish", granted, (ballot) => finish(held(ballot))],
  ["adopt", empty, (ballot) => adopt({ ballot, attempt: attempt(), primary: oldPrimary, members: {}, forkOffset: 0 })],
  ["updateMembers", quiet, (ballot) => updateMembers({ ballot, attempt: attempt(), nodes: {}, republish: true })],
  ["enterReplicationId", quiet, (ballot) => enterReplicationId(ballot, attempt(), history)],
  ["setControl", quiet, (ballot) => setControl(ballot, { ...control, until: wallTime(9), attempt: attempt() })],
];

describe("a write that arrives twice", () => {
  it.each(WRITES)("is refused the second time: %s", (_name, before, make) => {
    const write = make(before ?? empty);
    expect(isRefused(applied(before, write), write)).toBe(true);
  });
});

describe("S1, S2: a write of a holder that arrives after its next one", () => {
  const LATE = WRITES.filter(([name]) =>
    ["renew", "recordIntent", "commit", "recordRestored", "changeKind", "finish"].includes(name),
  );

  it.each(LATE)("is refused: %s", (_name, before, make) => {
    const late = make(before ?? empty);
    expect(isRefused(applied(granted, renew(held(granted))), late)).toBe(true);
  });

  it("a commit that was given up does not come over the roll back that followed", () => {
    const intended = applied(granted, recordIntent(held(granted), intent, "intended"));
    const late = commit(held(intended), candidate, history);
    const restoring = applied(intended, recordIntent(held(intended), { ...intent, node: n1 }, "restoring"));
    expect(isRefused(restoring, late)).toBe(true);
    const restored = applied(restoring, recordRestored(held(restoring)));
    expect(isRefused(restored, late)).toBe(true);
    expect(isRefused(applied(restored, finish(held(restored))), late)).toBe(true);
  });
});
