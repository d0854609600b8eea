// What only the holder of a lease writes: what each changes, and that none of them outlives its lease.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, holds } from "../../lib/core/ballot-write.ts";
import {
  changeKind,
  commit,
  finish,
  type Held,
  recordIntent,
  recordRestored,
  renew,
} from "../../lib/core/holder-writes.ts";
import { attemptId } from "../../lib/core/types.ts";
import {
  A,
  addressOf,
  attempt,
  B,
  ballot,
  history,
  intent,
  lease,
  member,
  N1,
  N2,
  ofEpoch,
  operation,
  primary,
  recorded,
  run,
  vote,
} from "./builders.ts";

const found = member(2, { address: addressOf(N2), goneAt: 7 });
const mine = ballot({
  epoch: ofEpoch(3),
  revision: 6,
  armed: false,
  lease: lease({ version: 4 }),
  operation: operation({ began: ofEpoch(2) }),
  members: { version: 5, nodes: { [N1]: member(1), [N2]: found } },
  budget: [attempt({ epoch: ofEpoch(1) }), attempt({ epoch: ofEpoch(2) }), attempt({ epoch: ofEpoch(3) })],
  votes: { [A]: vote(), [B]: vote({ level: "suspect" }) },
});
const held: Held = { ballot: mine, writer: { voter: A, generation: 1 }, attempt: attemptId("mine") };
const changed = (write: BallotWrite) =>
  Object.fromEntries(write.changes.map(({ path, value }) => [path.join("."), value]));
const renewed = { lease: { ...lease({ version: 5 }), attempt: "mine" }, attempt: "mine" };

const intended = intent({ epoch: ofEpoch(3) });
const committed = primary({ node: N2, epoch: ofEpoch(3), runId: run(2), replicationId: history(2) });
const entered = recorded({ epoch: ofEpoch(3), node: N2, replicationId: history(2), forkOffset: 100 });
const all: Readonly<Record<string, BallotWrite>> = {
  renew: renew(held),
  "record-intent": recordIntent(held, intended, "intended"),
  commit: commit(held, committed, entered),
  "record-restored": recordRestored(held),
  "change-kind": changeKind(held, operation({ kind: "failover", reason: "it died" })),
  finish: finish(held),
};

describe.each(Object.entries(all))("%s", (name, write) => {
  it("S2, S11: is written only under the very lease that was held", () => {
    const other: Readonly<Record<string, Partial<Ballot>>> = {
      epoch: { epoch: ofEpoch(4) },
      holder: { lease: lease({ version: 4, holder: B }) },
      generation: { lease: lease({ version: 4, generation: 2 }) },
      version: { lease: lease({ version: 5 }) },
      attempt: { lease: lease({ version: 4, attempt: attemptId("other") }) },
      none: { lease: null },
    };
    expect([write.name, holds(encodeBallot(mine), write.condition)]).toEqual([name, true]);
    const standing = Object.entries(other).filter(([, each]) =>
      holds(encodeBallot({ ...mine, ...each }), write.condition),
    );
    expect(standing.map(([what]) => what)).toEqual([]);
  });
});

describe("each of them renews the lease, and changes", () => {
  it("renew: nothing else, and nothing where there is none", () => {
    expect(changed(renew(held))).toEqual(renewed);
    expect(() => renew({ ...held, ballot: { ...mine, lease: null } })).toThrow("S11: renew without a lease");
  });

  it("R12: record-intent: the lineage and the step", () => {
    expect(changed(recordIntent(held, intended, "restoring"))).toEqual({
      ...renewed,
      lineage: { histories: [recorded()], intents: [intended] },
      "operation.step": "restoring",
    });
    expect(() => recordIntent(held, intent({ epoch: ofEpoch(2) }), "intended")).toThrow("R12: intent of 2 under 3");
  });

  it("commit: all that a new primary is", () => {
    expect(changed(commit(held, committed, entered))).toMatchObject({
      ...renewed,
      primary: committed,
      lineage: { histories: [recorded(), entered] },
      "operation.step": "committed",
      members: {
        version: 6,
        nodes: { n1: { inSyncEpoch: 1 }, n2: { runId: run(2), inSyncEpoch: 3, address: addressOf(N2) } },
      },
      revision: 0,
      armed: true,
    });
    expect(() => commit(held, { ...committed, epoch: ofEpoch(2) }, entered)).toThrow("S1: commit of 2 under 3");
  });

  it("commit: a member that was lost is one no more, and one that nobody knew becomes one", () => {
    const nodes = (of: Ballot) =>
      (changed(commit({ ...held, ballot: of }, committed, entered))["members"] as { nodes: Record<string, object> })
        .nodes;
    expect(nodes(mine)["n2"]).not.toHaveProperty("goneAt");
    expect(nodes({ ...mine, members: { version: 1, nodes: {} } })).toEqual({
      n2: { runId: run(2), inSyncEpoch: 3 },
    });
  });

  it("R20: commit: the attempts of this operation, as ones that promoted somebody or gave the old one back its place", () => {
    const promoted = (of: Ballot, runId = run(2)) =>
      (
        changed(commit({ ...held, ballot: of }, { ...committed, runId }, entered))["budget"] as { promoted: boolean }[]
      ).map((each) => each.promoted);
    expect(promoted(mine)).toEqual([false, true, true]);
    expect(promoted({ ...mine, primary: null })).toEqual([false, true, true]);
    const before = mine.budget.map((each) => ({ ...each, promoted: true }));
    expect(promoted({ ...mine, budget: before }, run(1))).toEqual([true, false, false]);
    expect(promoted({ ...mine, operation: null })).toEqual([true, true, true]);
  });

  it("record-restored: the step, and change-kind: the operation", () => {
    expect(changed(all["record-restored"]!)).toEqual({ ...renewed, "operation.step": "committed" });
    expect(changed(all["change-kind"]!)).toMatchObject({ ...renewed, operation: { reason: "it died" } });
  });

  it("finish: releases it instead, and leaves no vote that could be counted again", () => {
    expect(changed(finish(held))).toEqual({
      lease: null,
      operation: null,
      "vote_az-a.level": "clear",
      "vote_az-b.level": "clear",
      attempt: "mine",
    });
  });
});
