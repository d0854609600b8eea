// The rules of an operation's single steps: what the holder sends next, and over which connection, given what it knows.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { Command, Fact } from "../../lib/core/commands.ts";
import { factsOf, type NodeFacts, newRun, type OperationRun } from "../../lib/core/operation.ts";
import type { GroupState, NodeState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import { instant, type NodeId, type NodeReading } from "../../lib/core/types.ts";
import {
  ballot,
  connection,
  history,
  intent,
  lease,
  N1,
  N2,
  N3,
  ofEpoch,
  operation,
  primaryReading,
  reading,
  recorded,
  request,
  run,
  stepAt,
  timePassed,
  watching,
  withNode,
} from "./builders.ts";

/** az-a holds `look`'s operation, its lease good for long. */
function holding(look: Ballot, facts: Partial<Record<NodeId, Partial<NodeFacts>>> = {}, takenOver = false): GroupState {
  const fresh = newRun({
    ballot: look,
    takenOver,
    at: instant(0),
    leaseUntil: instant(4_500),
    renewDueAt: instant(1_700),
  });
  const known = Object.entries(facts).map(([id, each]) => [id, { ...factsOf(fresh, id as NodeId), ...each }]);
  const held: OperationRun = { ...fresh, facts: Object.fromEntries(known) as OperationRun["facts"] };
  return watching(look, { operation: held });
}

const granted = (values: Partial<Ballot> = {}): Ballot =>
  ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation(), ...values });

const lost = (state: GroupState): GroupState =>
  withNode(state, N1, {
    class: "silent",
    heard: "silent",
    connection: null,
    lostAt: instant(0),
    answeredAt: instant(-9_000),
  });

const frozenAs = (said: NodeReading, over = 1, node: NodeId = N2): Partial<NodeFacts> => ({
  frozen: {
    node,
    before: said,
    after: { ...said, follows: tokenAddress(ofEpoch(2)), linkUp: false },
    connection: connection(over),
  },
});

const acts = (commands: readonly Command[]) =>
  commands.flatMap((each) =>
    each.kind === "command-node"
      ? [`${each.command.kind} ${each.node}`]
      : each.kind === "write-ballot"
        ? [`write ${each.write.name}`]
        : each.kind === "read-ballot"
          ? ["read-ballot"]
          : [],
  );

const next = (state: GroupState, at = 10) => stepAt(state, at, timePassed);

describe("R9: the connection rule", () => {
  it("freezes over connections whose AUTH was answered before the look, and asks for a look for a younger one", () => {
    const state = lost(holding(granted()));
    expect(acts(next(state).commands)).toEqual(["freeze n2", "freeze n3"]);
    const younger = withNode(state, N3, { connection: connection(3, 1) });
    expect(acts(next(younger).commands)).toEqual(["freeze n2", "read-ballot"]);
  });

  it("sends nothing without a connection: a probe makes one first", () => {
    const none = withNode(lost(holding(granted())), N3, { connection: null });
    const { commands } = next(none);
    expect(acts(commands)).toEqual(["freeze n2"]);
    expect(commands.some((each) => each.kind === "probe" && each.node === N3)).toBe(true);
  });

  it("parks no freeze on a hanging connection that is younger than the look", () => {
    const hanging = (at: number) => withNode(lost(holding(granted())), N1, { parkable: connection(7, at) });
    expect([acts(next(hanging(0)).commands), acts(next(hanging(1)).commands)]).toEqual([
      ["freeze n1", "freeze n2", "freeze n3"],
      ["freeze n2", "freeze n3"],
    ]);
  });
});

describe("a failover's steps", () => {
  const facts = { [N2]: frozenAs(reading(), 21), [N3]: frozenAs(reading({ runId: run(3) }), 31, N3) };

  it("R12: writes the intent before anything is promoted", () => {
    const state = lost(holding(granted(), facts));
    const gathered = { ...state, operation: { ...(state.operation as OperationRun), gatheringSince: instant(0) } };
    expect(acts(next(gathered).commands)).toEqual(["write record-intent"]);
  });

  it("R1, R6: promotes over the connection that froze, only the process, history, offset and token that the freeze showed", () => {
    const look = granted({
      operation: operation({ step: "intended" }),
      lineage: { histories: [recorded()], intents: [intent()] },
    });
    const { commands } = next(lost(holding(look, facts)));
    expect(commands.filter((each) => each.kind === "command-node")).toMatchObject([
      {
        node: N2,
        command: {
          kind: "promote",
          epoch: 2,
          connection: 21,
          expect: { runId: run(2), replicationId: history(1), offset: 100, tokenHost: "127.0.0.2" },
        },
      },
    ]);
  });

  const promoted = primaryReading({
    runId: run(2),
    replicationId: history(2),
    secondReplicationId: history(1),
    secondReplicationOffset: 101,
  });
  const taken = granted({
    epoch: ofEpoch(3),
    operation: operation({ step: "intended" }),
    lineage: { histories: [recorded()], intents: [intent()] },
  });

  it("R24: commits a node that was found promoted only on this epoch's own answer", () => {
    const found = withNode(lost(holding(taken, {}, true)), N2, { reading: promoted });
    expect(acts(next(found).commands)).toEqual(["settle n2"]);
    const settled = withNode(lost(holding(taken, { [N2]: { settled: promoted } }, true)), N2, { reading: promoted });
    expect(acts(next(settled).commands)).toEqual(["write commit"]);
  });

  it("R21: freezes the node of an open intent before the old primary is meant again, and settles that one after", () => {
    const back = holding(taken, {}, true);
    const first = acts(next(back).commands);
    expect(first).toContain("freeze n2");
    expect(first).not.toContain("write record-intent");
    const never = holding(taken, { [N2]: frozenAs(reading()) }, true);
    expect(acts(next(never).commands)).toEqual(["write record-intent"]);
    const meant = {
      ...taken,
      lineage: { ...taken.lineage, intents: [intent(), intent({ node: N1, epoch: ofEpoch(3), runId: run(1) })] },
    };
    expect(acts(next(holding(meant, { [N2]: frozenAs(reading()) }, true)).commands)).toEqual(["settle n1"]);
  });
});

describe("a switchover's steps", () => {
  const look = granted({ operation: operation({ kind: "switchover", target: N3 }) });
  const frozen = { [N1]: frozenAs(primaryReading({ offset: 100 }), 1, N1) };
  const at = (offset: number): GroupState => {
    const state = withNode(holding(look, frozen), N1, {
      reading: reading({ runId: run(1), follows: tokenAddress(ofEpoch(2)) }),
    });
    return withNode(state, N3, { reading: reading({ runId: run(3), offset, linkUp: false }) });
  };

  it("R11: promotes the target only at exactly the offset of the freeze's answer", () => {
    expect([99, 100, 101].map((offset) => acts(next(at(offset)).commands))).toEqual([[], ["write record-intent"], []]);
  });

  it("R11: freezes the primary, and never points it at the target", () => {
    const world = holding(look, { [N1]: { pausedAt: instant(0), pausedUntil: instant(2_000) } });
    expect(acts(next(world).commands)).toEqual(["freeze n1"]);
  });
});

describe("R13: the replicas of a primary that was committed", () => {
  const look = granted({ operation: operation({ step: "committed" }) });
  const astray = withNode(holding(look), N3, {
    reading: reading({ runId: run(3), follows: tokenAddress(ofEpoch(2)) }),
  });

  it("are pointed at it while it serves", () => {
    expect(acts(next(astray).commands)).toContain("repoint n3");
  });

  it.each<[string, Partial<NodeState>]>([
    ["is another process by now", { class: "reborn", reading: primaryReading({ runId: run(9) }) }],
    ["does not answer", { class: "silent", heard: "silent" }],
    ["was silenced", { class: "wrong-role", reading: reading({ runId: run(1) }) }],
  ])("are left as they are when it %s: what starts there may be empty", (_, values) => {
    const { commands } = next(withNode(astray, N1, values));
    expect(acts(commands).filter((each) => each.startsWith("repoint"))).toEqual([]);
  });
});

describe("once it is committed", () => {
  const look = granted({
    operation: operation({ step: "committed", kind: "switchover", target: N1, request: "request-1" }),
    lastRequest: "request-1",
  });
  const asked = { ...lost(holding(look)), request: request({ target: N1 }) };
  const kinds = (commands: readonly Command[]) =>
    commands.flatMap((each) =>
      each.kind === "publish" ? [`publish ${each.target}`] : each.kind === "resolve-request" ? ["answer"] : [],
    );
  const published = (commands: readonly Command[]): Fact => {
    const publish = commands.find((each) => each.kind === "publish");
    if (publish?.kind !== "publish") throw new Error("nothing was published");
    return { ...publish, kind: "publish-ended", result: "applied", detail: "" };
  };

  it("publishes to the table first, then answers whoever asked, before the last replica follows", () => {
    const first = next(asked);
    expect(kinds(first.commands)).toEqual(["publish table"]);
    const { commands, state } = stepAt(first.state, 20, published(first.commands));
    expect(kinds(commands)).toEqual(["answer", "publish ssm", "publish dns"]);
    expect(state.operation).not.toBeNull();
  });

  it("answers once, also when the lease is released", () => {
    const first = next(asked);
    const second = stepAt(first.state, 20, published(first.commands));
    expect(kinds(stepAt(second.state, 30, timePassed).commands)).toEqual([]);
  });

  it("tells SSM and DNS without the table when that does not answer, and whoever asked later", () => {
    const first = next(asked, 0);
    expect(first.wakeAt).toBeLessThanOrEqual(100);
    expect(kinds(stepAt(first.state, 99, timePassed).commands)).toEqual([]);
    const second = stepAt(first.state, 100, timePassed);
    expect(kinds(second.commands)).toEqual(["publish ssm", "publish dns"]);
    expect(kinds(stepAt(second.state, 1_999, timePassed).commands)).toEqual([]);
    expect(kinds(stepAt(second.state, 2_000, timePassed).commands)).toEqual(["answer"]);
  });
});
