// A primary that nobody ever followed takes a new replication id with its first follower (M1). Recorded only once the
// operation that points the others at it had ended, it was unknown for as long as the first one's synchronization took:
// the primary died then, and its follower carried a history that no record explains.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import { holds } from "../../lib/core/ballot-write.ts";
import type { Command } from "../../lib/core/commands.ts";
import { conclude } from "../../lib/core/conclude.ts";
import { newRun } from "../../lib/core/operation.ts";
import { newOwnHistory } from "../../lib/core/own-history.ts";
import type { NodeState } from "../../lib/core/state.ts";
import type { Turn } from "../../lib/core/turn.ts";
import { epoch, instant, type NodeReading } from "../../lib/core/types.ts";
import {
  B,
  ballot,
  history,
  lease,
  N2,
  operation,
  primary,
  primaryReading,
  recorded,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

const COMMITTED_AT = 100;
const first = recorded({ epoch: epoch(2), node: N2, replicationId: history(2) });
const next = recorded({ epoch: epoch(2), node: N2, replicationId: history(3), forkOffset: 120 });

/** n2 was committed at epoch 2, and the others are being pointed at it. */
const telling = (values: Partial<Ballot> = {}): Ballot =>
  ballot({
    epoch: epoch(2),
    lease: lease(),
    operation: operation({ kind: "cold-start", step: "committed" }),
    primary: primary({ node: N2, epoch: epoch(2), runId: run(2), replicationId: history(2) }),
    lineage: { histories: [recorded(), first], intents: [] },
    ...values,
  });

/** The holder concludes, and has read n2 so at `readSentAt`. */
function concluded(said: Partial<NodeReading>, readSentAt: number, values: Partial<NodeState> = {}): Turn {
  const record = telling();
  const times = { at: instant(0), leaseUntil: instant(4_500), renewDueAt: instant(1_600) };
  const run2 = newRun({ ballot: record, takenOver: false, ...times });
  const state = watching(record, { operation: { ...run2, committedAt: instant(COMMITTED_AT) } });
  const read = primaryReading({ runId: run(2), replicationId: history(2), offset: 120, ...said });
  const turn = turnAt(withNode(state, N2, { reading: read, readSentAt: instant(readSentAt), ...values }), 200);
  conclude(turn);
  return turn;
}

const entered = (turn: Turn): readonly Extract<Command, { kind: "write-ballot" }>["write"][] =>
  turn.commands.flatMap((each) =>
    each.kind === "write-ballot" && each.write.name === "enter-replication-id" ? [each.write] : [],
  );

describe("R25: a new primary that begins another history while others are pointed at it", () => {
  it("has it recorded by the holder before the operation is over, and its followers are pointed at it meanwhile", () => {
    const turn = concluded({ replicationId: history(3) }, COMMITTED_AT);
    const [write, ...more] = entered(turn);
    expect(more).toEqual([]);
    expect(write?.changes).toContainEqual({ path: ["primary", "replicationId"], value: history(3) });
    expect(write?.changes.find(({ path }) => path[0] === "lineage")?.value).toMatchObject({
      histories: [recorded(), first, next],
    });
    expect(turn.state.storeBusy?.pending?.events).toMatchObject([
      { event: "primary.replication-id-changed", epoch: 2, node: N2, detail: { replicationId: history(3) } },
    ]);
    expect(turn.commands.filter((each) => each.kind === "command-node")).toHaveLength(1);
  });

  it("S2: is written under the very lease alone", () => {
    const [write] = entered(concluded({ replicationId: history(3) }, COMMITTED_AT));
    const takes = (of: Ballot) => write !== undefined && holds(encodeBallot(of), write.condition);
    expect(takes(telling())).toBe(true);
    for (const values of [
      { epoch: epoch(3) },
      { lease: lease({ holder: B }) },
      { lease: lease({ version: 2 }) },
      { lease: null },
    ])
      expect(takes(telling(values))).toBe(false);
  });

  it("is nothing that was asked before the commit, of another process, of a replica, or on record", () => {
    const strange = { replicationId: history(3) };
    for (const turn of [
      concluded(strange, COMMITTED_AT - 1),
      concluded({ ...strange, runId: run(22) }, COMMITTED_AT),
      concluded({ ...strange, role: "replica" }, COMMITTED_AT),
      concluded({}, COMMITTED_AT),
      concluded(strange, COMMITTED_AT, { readSentAt: null }),
    ])
      expect(entered(turn)).toEqual([]);
  });

  it("is nothing of one that was not read, and nothing where nobody knows since when an answer counts", () => {
    const strange = withNode(watching(telling()), N2, {
      reading: primaryReading({ runId: run(2), replicationId: history(3) }),
    });
    const found = (since: number | null, values: Partial<NodeState> = {}) =>
      newOwnHistory(turnAt(withNode(strange, N2, values), 200), telling(), since === null ? null : instant(since));
    expect(found(0)?.history.replicationId).toBe(history(3));
    expect([found(0, { reading: null }), found(0, { readSentAt: null }), found(null)]).toEqual([null, null, null]);
  });
});
