// The writes that no lease is needed for: what each changes, and beside what it is refused.

import { describe, expect, it } from "vitest";
import type { Ballot, StopWish } from "../../lib/core/ballot.ts";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, holds } from "../../lib/core/ballot-write.ts";
import { attemptId, epoch, wallTime } from "../../lib/core/types.ts";
import { samePrimary } from "../../lib/core/write-words.ts";
import {
  adopt,
  arm,
  castVote,
  create,
  enterReplicationId,
  type Grant,
  grant,
  nextEpoch,
  recordStop,
  setControl,
  takeOver,
  updateMembers,
} from "../../lib/core/writes.ts";
import {
  A,
  attempt as attemptOf,
  ballot,
  control,
  history,
  lease,
  member,
  N1,
  N2,
  newborn,
  ofEpoch,
  operation,
  primary,
  recorded,
  run,
  vote,
} from "./builders.ts";

const attempt = attemptId("mine");
const holdsFor = (write: BallotWrite, of: Ballot): boolean => holds(encodeBallot(of), write.condition);
const refusedFor = (write: BallotWrite, of: Ballot, changes: Readonly<Record<string, Partial<Ballot>>>) => {
  expect(holdsFor(write, of)).toBe(true);
  const held = Object.entries(changes).filter(([, each]) => holdsFor(write, { ...of, ...each }));
  expect(held.map(([name]) => name)).toEqual([]);
};
const changed = (write: BallotWrite) =>
  Object.fromEntries(write.changes.map(({ path, value }) => [path.join("."), value]));

const budgetOf = (write: BallotWrite) => changed(write)["budget"];
const otherPrimary = { primary: primary({ node: N2 }) };
const laterPrimary = { primary: primary({ epoch: ofEpoch(2) }) };
const busy = { operation: operation() };

describe("a vote", () => {
  it("is an attribute of its voter's own, and recognised by its own attempt", () => {
    const write = castVote(ballot(), A, vote());
    expect([write.name, changed(write)]).toEqual(["cast-vote", { "vote_az-a": vote() }]);
    expect(write.attempt).toEqual({ path: ["vote_az-a", "attempt"], id: vote().attempt });
  });
});

describe("a grant", () => {
  const granted = (values: Partial<Grant> = {}) =>
    grant({
      ballot: ballot(),
      writer: { voter: A, generation: 9 },
      attempt,
      leaseMs: 6_000,
      operation: operation(),
      counted: [],
      budget: null,
      above: ofEpoch(0),
      table: "table-1",
      ...values,
    });

  it("leaves the last request on record where it carries out none", () => {
    const request = changed(granted({ operation: operation({ request: "request-1" }) }));
    expect(request).toMatchObject({ lastRequest: "request-1", lastRequestBegan: 2 });
    expect(Object.keys(changed(granted())).sort()).toEqual(["attempt", "epoch", "lease", "operation", "table"]);
  });

  it("R20: enters its own attempt into the budget under the new epoch, and leaves the others where they were", () => {
    const budget = [attemptOf({ epoch: ofEpoch(1) }), attemptOf({ epoch: ofEpoch(0) })];
    expect(budgetOf(granted({ budget }))).toMatchObject([{ epoch: 1 }, { epoch: 2 }]);
  });

  it("S3: counts no votes where there is no primary to vote on", () => {
    const nobody = { ballot: newborn(), counted: [A] };
    expect(() => granted(nobody)).toThrow("S3: votes are counted against a primary");
  });
});

describe("arming", () => {
  const waiting = ballot({ armed: false });
  it("sets that, and is refused where it is set or where the primary is another one or operated on", () => {
    const write = arm(waiting, attempt);
    expect([write.name, changed(write)]).toEqual(["arm", { armed: true, attempt: "mine" }]);
    refusedFor(write, waiting, { otherPrimary, laterPrimary, busy, armed: { armed: true } });
  });
});

describe("what is known of the members", () => {
  const nodes = { [N1]: member(1), [N2]: member(2, { inSyncEpoch: ofEpoch(0) }) };
  const of = ballot({ revision: 4, members: { version: 7, nodes: { [N1]: member(1) } } });

  it("is replaced as a whole, and counted", () => {
    const write = updateMembers({ ballot: of, attempt, nodes, republish: false });
    expect(write.name).toBe("update-members");
    expect(Object.keys(changed(write)).sort()).toEqual(["attempt", "members"]);
    expect(changed(write)["members"]).toMatchObject({
      version: 8,
      nodes: { n1: { inSyncEpoch: 1 }, n2: { inSyncEpoch: 0 } },
    });
  });

  it("takes the publication's revision along when the published replicas change with it", () => {
    const revision = (republish: boolean) =>
      changed(updateMembers({ ballot: of, attempt, nodes, republish }))["revision"];
    expect([revision(true), revision(false)]).toEqual([5, undefined]);
  });

  it("R2: is refused beside another primary, other members and any operation", () => {
    const write = updateMembers({ ballot: of, attempt, nodes, republish: true });
    refusedFor(write, of, { otherPrimary, laterPrimary, busy, others: { members: { version: 8, nodes: {} } } });
  });
});

describe("a new replication id of the committed primary", () => {
  const of = ballot();
  const next = recorded({ replicationId: history(2), forkOffset: 50 });

  it("is entered beside the one that was read, and into the lineage", () => {
    const write = enterReplicationId(of, attempt, next);
    expect(write.name).toBe("enter-replication-id");
    expect(changed(write)).toEqual({
      "primary.replicationId": history(2),
      lineage: { histories: [recorded(), next], intents: [] },
      attempt: "mine",
    });
  });

  it("is refused beside another primary, epoch, id and any operation", () => {
    const write = enterReplicationId(of, attempt, next);
    refusedFor(write, of, {
      otherPrimary,
      laterPrimary,
      busy,
      epoch: { epoch: ofEpoch(2) },
      id: { primary: primary({ replicationId: history(3) }) },
    });
  });
});

describe("a person's pause", () => {
  it("sets the control alone, is refused beside another's, and is recognised by its own attempt", () => {
    const next = control({ mode: "paused", by: "alice", until: wallTime(9), attempt: attemptId("pause") });
    const write = setControl(ballot(), next);
    expect([write.name, write.attempt]).toEqual(["set-control", { path: ["control", "attempt"], id: "pause" }]);
    expect(write.changes.map(({ path }) => path)).toEqual([["control"]]);
    refusedFor(write, ballot(), { another: { control: control({ attempt: attemptId("bob") }) } });
  });
});

describe("the stopper's word", () => {
  const wished = (values: Partial<StopWish> = {}): Partial<Ballot> => ({
    operation: operation({ stop: { node: N1, epoch: ofEpoch(2), outcome: null, ...values } }),
  });
  const of = ballot({ epoch: ofEpoch(2), lease: lease(), ...wished() });
  const outcome = { kind: "stopped", detail: "i-1", attempt } as const;

  it("ends the wish that stands, and is recognised by its own attempt", () => {
    const write = recordStop(of, outcome);
    expect([write.name, changed(write)]).toEqual(["record-stop", { "operation.stop.outcome": outcome }]);
    expect(write.attempt).toEqual({ path: ["operation", "stop", "outcome", "attempt"], id: "mine" });
  });

  it("S5: is refused beside another, another wish and another operation, and is a mistake where nothing was asked", () => {
    refusedFor(recordStop(of, outcome), of, {
      said: wished({ outcome: { ...outcome, kind: "refused" } }),
      later: wished({ epoch: ofEpoch(3) }),
      elsewhere: wished({ node: N2 }),
      busy,
      over: { operation: null },
    });
    expect(() => recordStop(ballot(busy), outcome)).toThrow("S5: nothing is to be stopped");
    expect(() => recordStop(ballot(), outcome)).toThrow("S5: nothing is to be stopped");
  });
});

it("the same primary is none where none is committed", () => {
  const none = samePrimary(newborn());
  expect([newborn(), ballot()].map((each) => holds(encodeBallot(each), none))).toEqual([true, false]);
});

describe("the first record", () => {
  it("is all of the ballot, and is refused where there is any", () => {
    const write = create(newborn());
    expect(write.name).toBe("create");
    expect(Object.fromEntries(write.changes.map(({ path, value }) => [path[0], value]))).toMatchObject(
      encodeBallot(newborn()),
    );
    expect([holds({}, write.condition), holdsFor(write, newborn())]).toEqual([true, false]);
  });
});

describe("an adoption", () => {
  const write = adopt({
    ballot: newborn(),
    attempt,
    primary: primary({ epoch: ofEpoch(5) }),
    members: { [N1]: member(1) },
    forkOffset: 77,
  });

  it("records primary, members and history at its epoch, published anew", () => {
    expect(write.name).toBe("adopt");
    expect(changed(write)).toMatchObject({
      epoch: 5,
      revision: 0,
      primary: { node: N1, epoch: 5, runId: run(1), replicationId: history(1) },
      members: { version: 1 },
      lineage: { histories: [{ epoch: 5, node: N1, replicationId: history(1), forkOffset: 77 }], intents: [] },
    });
  });

  it("S1: is refused beside another's, beside a beginning and beside a pause", () => {
    refusedFor(write, newborn(), {
      adopted: { primary: primary() },
      begun: { epoch: ofEpoch(1) },
      leased: { lease: lease() },
      paused: { control: control({ mode: "paused", attempt: attemptId("pause") }) },
    });
  });
});

describe("a take-over", () => {
  const of = ballot({ epoch: ofEpoch(3), lease: lease({ version: 4 }), operation: operation() });
  const write = takeOver({ ballot: of, writer: { voter: A, generation: 9 }, attempt, leaseMs: 6_000 });

  it("is the next epoch and a lease of its own over the operation as it is", () => {
    expect(write.name).toBe("take-over");
    expect(changed(write)).toEqual({
      epoch: 4,
      lease: { holder: A, generation: 9, version: 5, durationMs: 6_000, attempt: "mine" },
      attempt: "mine",
    });
  });

  it("S11: takes only the version that was watched", () => {
    refusedFor(write, of, {
      epoch: { epoch: ofEpoch(4) },
      renewed: { lease: lease({ version: 5 }) },
      released: { lease: null },
      ended: { operation: null },
    });
  });

  it("S2: comes to an end with the bits of an epoch", () => {
    const most = 2 ** 24 - 1;
    expect(nextEpoch(ballot({ epoch: epoch(most - 1) }), epoch(0))).toBe(most);
    expect(nextEpoch(ballot({ epoch: epoch(1) }), epoch(8))).toBe(9);
    expect(() => nextEpoch(ballot({ epoch: epoch(most) }), epoch(0))).toThrow(
      "S2: the 24 bits of the epoch are used up",
    );
  });
});
