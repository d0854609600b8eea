// Schedules that a review of primaries made by hand found: what no record explains is left alone, also when it appears in
// the middle of an operation (R22), until a person names the data that counts.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { conclude } from "../../lib/core/conclude.ts";
import { contend } from "../../lib/core/contend.ts";
import { newRun } from "../../lib/core/operation.ts";
import type { Turn } from "../../lib/core/turn.ts";
import { epoch, instant } from "../../lib/core/types.ts";
import {
  ballot,
  connection,
  history,
  lease,
  N1,
  N2,
  N3,
  operation,
  primary,
  primaryReading,
  reading,
  recorded,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

/** A holder of `record`'s lease at epoch 2 that has just read n3 as a primary with a history that nobody recorded. */
function holding(record: Ballot): Turn {
  const times = { at: instant(0), leaseUntil: instant(4_500), renewDueAt: instant(1_600) };
  const state = watching(record, { operation: newRun({ ballot: record, takenOver: false, ...times }) });
  const gone = withNode(state, N1, { heard: "silent", class: "silent", connection: null });
  return turnAt(withNode(gone, N3, { reading: primaryReading({ runId: run(3), replicationId: history(9) }) }), 10);
}

const commanded = (turn: Turn): readonly string[] =>
  turn.commands.flatMap((each) => (each.kind === "command-node" ? [`${each.command.kind} ${each.node}`] : []));

describe("R22: a node that a person made a primary while an operation is going on", () => {
  it("is not frozen by a failover", () => {
    const turn = holding(ballot({ epoch: epoch(2), lease: lease(), operation: operation() }));
    contend(turn);
    expect(commanded(turn)).toEqual([`freeze ${N2}`]);
  });

  it("is frozen by a recovery, which a person has ordered who was shown it", () => {
    const recovery = operation({ kind: "recover", target: N2, insists: true });
    const turn = holding(ballot({ epoch: epoch(2), lease: lease(), operation: recovery }));
    contend(turn);
    expect(commanded(turn)).toEqual([`freeze ${N2}`, `freeze ${N3}`]);
  });

  it("is not pointed at the primary when the operation is concluded", () => {
    const record = ballot({
      epoch: epoch(2),
      lease: lease(),
      operation: operation({ step: "committed" }),
      primary: primary({ node: N2, epoch: epoch(2), runId: run(2), replicationId: history(2) }),
      lineage: {
        histories: [recorded(), recorded({ epoch: epoch(2), node: N2, replicationId: history(2) })],
        intents: [],
      },
    });
    const turn = holding(record);
    turn.state = withNode(turn.state, N2, { reading: primaryReading({ runId: run(2), replicationId: history(2) }) });
    turn.state = withNode(turn.state, N1, {
      heard: "answered",
      reading: reading({ runId: run(1) }),
      connection: connection(1),
    });
    conclude(turn);
    expect(commanded(turn)).toEqual([`repoint ${N1}`]);
  });
});

describe("recover: a person's choice beside a primary that restarted and was followed", () => {
  it("is contended for, instead of the restarted one being accepted", () => {
    const recovery = operation({ kind: "recover", target: N2, insists: true });
    const turn = holding(ballot({ epoch: epoch(2), lease: lease(), operation: recovery }));
    const follower = { replicationId: history(9) };
    let { state } = turn;
    state = withNode(state, N1, {
      heard: "answered",
      class: "reborn",
      connection: connection(1),
      reading: primaryReading({ runId: run(9), ...follower }),
    });
    state = withNode(state, N2, { reading: reading({ runId: run(2), ...follower }) });
    turn.state = withNode(state, N3, { reading: reading({ runId: run(3), ...follower }) });
    contend(turn);
    expect(commanded(turn)).toEqual([`freeze ${N1}`, `freeze ${N2}`, `freeze ${N3}`]);
  });
});
