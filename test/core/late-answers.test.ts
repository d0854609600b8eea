// Schedules that a review of answers which come too late found: what was given up as unknown is looked at anew.

import { describe, expect, it } from "vitest";
import { assist } from "../../lib/core/assist.ts";
import type { Fact } from "../../lib/core/commands.ts";
import { yields } from "../../lib/core/lease.ts";
import { factsOf, newRun, type OperationRun } from "../../lib/core/operation.ts";
import { epoch, instant, type NodeCommand } from "../../lib/core/types.ts";
import {
  B,
  ballot,
  connection,
  history,
  intent,
  lease,
  N1,
  N2,
  operation,
  primary,
  primaryReading,
  reading,
  run,
  stepAt,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

const TOKEN = { host: "127.0.0.2", port: 1 };
const frozen = reading({ runId: run(2), follows: TOKEN, linkUp: false });
const promoted = primaryReading({
  runId: run(2),
  replicationId: history(2),
  secondReplicationId: history(1),
  secondReplicationOffset: 101,
});
const record = ballot({
  epoch: epoch(2),
  lease: lease(),
  operation: operation({ step: "intended" }),
  lineage: { histories: [], intents: [intent()] },
});

/** A holder at epoch 2 that has frozen n2 over connection 2. */
function holding() {
  const times = { at: instant(0), leaseUntil: instant(4_500), renewDueAt: instant(1_600) };
  const made = newRun({ ballot: record, takenOver: false, ...times });
  const facts = {
    ...factsOf(made, N2),
    frozen: { node: N2, before: frozen, after: frozen, connection: connection(2) },
  };
  const held: OperationRun = { ...made, facts: { [N2]: facts } };
  return withNode(watching(record, { operation: held }), N2, { reading: frozen, connection: connection(2) });
}

const late = (command: NodeCommand, after = promoted): Fact => ({
  kind: "command-ended",
  node: N2,
  command,
  outcome: { kind: "applied", before: frozen, after, rewriteError: null, connection: connection(1) },
  late: true,
});

describe("R24: a promotion's answer that comes after the node was frozen again", () => {
  it("commits nothing: the node is no primary any more", () => {
    const expectation = { runId: run(2), replicationId: history(1), offset: 100, tokenHost: TOKEN.host };
    const answer = late({ kind: "promote", epoch: epoch(2), connection: 1, expect: expectation });
    const { state, commands } = stepAt(holding(), 10, answer);
    expect(state.operation?.facts[N2]?.promoted).toBe(null);
    expect(state.operation?.facts[N2]?.frozen).not.toBe(null);
    expect(commands.filter((each) => each.kind === "write-ballot")).toEqual([]);
  });
});

describe("a parked freeze that is answered after a freeze over a new connection", () => {
  it("is not what the node is promoted over", () => {
    const answer = late({ kind: "freeze", epoch: epoch(2), connection: 1, parked: true }, frozen);
    const { state } = stepAt(holding(), 10, answer);
    expect(state.operation?.facts[N2]?.frozen?.connection.id).toBe(2);
  });
});

describe("an assistant beside a dead primary", () => {
  it("does not ask it in a busy loop", () => {
    const standing = { ...record, lease: lease({ holder: B }) };
    const dead = withNode(watching(standing), N1, {
      heard: "refused",
      class: "refused",
      connection: null,
      probeDueAt: instant(90),
    });
    const turn = turnAt(dead, 10);
    assist(turn);
    expect(turn.state.nodes[N1]?.probeDueAt).toBe(90);
  });
});

describe("L2: a new primary that dies while its operation is still telling", () => {
  it("is replaced without waiting for that, and a restored one is not", () => {
    const committed = operation({ step: "committed" });
    expect(yields(ballot({ operation: committed, primary: primary({ node: N2, epoch: epoch(2) }) }))).toBe(true);
    expect(yields(ballot({ operation: committed }))).toBe(false);
    expect(yields(ballot({ operation: operation({ step: "intended" }) }))).toBe(false);
  });
});
