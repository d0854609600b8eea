import { describe, expect, it } from "vitest";
import { answersNow, isFollowedReborn, observe } from "../../lib/core/observation.ts";
import type { NodeState } from "../../lib/core/state.ts";
import { BOOT_FENCE } from "../../lib/core/token.ts";
import { instant, type NodeReading, type Observation } from "../../lib/core/types.ts";
import {
  answered,
  ballot,
  connection,
  history,
  N1,
  N2,
  N3,
  newborn,
  primaryReading,
  reading,
  refused,
  run,
  settings,
  silent,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

function observed(observation: Observation, id = N1, state = watching(), at = 100, sentAt = 90) {
  const turn = turnAt(state, at);
  observe(turn, id, instant(sentAt), observation);
  return { turn, node: turn.state.nodes[id] as NodeState, events: turn.events.map((each) => each.event) };
}

const says = (of: NodeReading) => answered(of, connection(2, 95));

describe("the class of the committed primary", () => {
  it.each<[string, NodeReading]>([
    ["serving", primaryReading()],
    ["reborn", primaryReading({ runId: run(11) })],
    ["reborn", reading({ runId: run(11), follows: BOOT_FENCE })],
    ["reborn", primaryReading({ runId: run(11), loading: true })],
    ["loading", primaryReading({ loading: true })],
    ["wrong-role", reading({ runId: run(1) })],
    ["write-dead", primaryReading({ lastAofWriteOk: false })],
  ])("is %s by its answer", (name, said) => {
    expect(observed(says(said)).node.class).toBe(name);
  });

  it("is write-dead after a failed snapshot only where Valkey refuses writes for it", () => {
    const failed = primaryReading({ lastBgsaveOk: false });
    const by = (values: object) =>
      observed({ ...says(failed), settings: settings({ savesSnapshots: true, ...values }) } as Observation).node.class;
    expect([by({}), by({ savesSnapshots: false }), by({ stopWritesOnBgsaveError: false })]).toEqual([
      "write-dead",
      "serving",
      "serving",
    ]);
  });

  it.each<[string, Observation]>([
    ["refused", refused],
    ["silent", silent()],
    ["loading", { kind: "loading", detail: "LOADING" }],
    ["busy", { kind: "busy", detail: "BUSY" }],
    ["misconfigured", { kind: "misconfigured", reason: "wrong-password", detail: "WRONGPASS" }],
  ])("is %s without an answer", (name, observation) => {
    expect(observed(observation).node.class).toBe(name);
  });
});

describe("the class of another node", () => {
  it.each<[string, NodeReading]>([
    ["serving", reading()],
    ["serving", reading({ runId: run(22) })],
    ["wrong-role", primaryReading({ runId: run(2) })],
    ["loading", reading({ loading: true })],
  ])("is %s", (name, said) => {
    expect(observed(says(said), N2).node.class).toBe(name);
  });

  it("is serving, whatever its role, before there is a primary", () => {
    expect(observed(says(primaryReading()), N2, watching(newborn())).node.class).toBe("serving");
  });
});

describe("what a probe leaves behind", () => {
  it("keeps the answer, the one before it, when both were asked and came, and the connection", () => {
    const { node } = observed(says(primaryReading({ offset: 200 })));
    expect(node).toMatchObject({
      reading: { offset: 200 },
      earlier: { reading: { offset: 100 }, readAt: 0 },
      readSentAt: 90,
      readAt: 100,
      latencyMs: 10,
      connection: { id: 2, authenticatedAt: 95 },
      parkable: null,
      answeredAt: 100,
      lostAt: null,
      refusals: 0,
    });
  });

  it("keeps the settings of an earlier answer when this one brought none", () => {
    const { node } = observed({ ...says(primaryReading()), settings: null } as Observation);
    expect(node.settings).toEqual(settings());
  });

  it("counts refusals from the first, which an answer or a silence ends", () => {
    const first = observed(refused).turn.state;
    const second = observed(refused, N1, first, 200, 190).turn.state;
    expect(second.nodes[N1]).toMatchObject({
      refusals: 2,
      firstRefusedAt: 100,
      lostAt: 90,
      connection: null,
      answeredAt: 0,
    });
    expect(observed(silent(), N1, second, 300, 290).node).toMatchObject({
      refusals: 0,
      firstRefusedAt: null,
      lostAt: 90,
    });
    expect(observed(says(primaryReading()), N1, second, 300, 290).node).toMatchObject({ refusals: 0, lostAt: null });
  });

  it("keeps a hanging connection that a freeze can be parked on, and none when it was refused", () => {
    expect(observed(silent(connection(7))).node).toMatchObject({ parkable: { id: 7 }, connection: null });
    const parked = observed(silent(connection(7))).turn.state;
    expect(observed(refused, N1, parked).node.parkable).toBe(null);
  });

  it("ends a silence with any answer, also one that cannot be read", () => {
    const lost = observed(silent()).turn.state;
    expect(observed({ kind: "busy", detail: "" }, N1, lost, 200).node).toMatchObject({
      lostAt: null,
      answeredAt: 200,
      connection: null,
    });
  });

  it("says when a node goes, comes back, and cannot be spoken to, once each", () => {
    const gone = observed(refused);
    const still = observed(silent(), N1, gone.turn.state);
    const back = observed(says(primaryReading()), N1, still.turn.state);
    const strange = observed({ kind: "misconfigured", reason: "tls", detail: "handshake" }, N1, back.turn.state);
    expect([gone, still, back, strange].map((each) => each.events)).toEqual([
      ["node.down"],
      [],
      ["node.up"],
      ["node.misconfigured"],
    ]);
  });

  it("is nothing for a node that is none of the group's", () => {
    const turn = turnAt(watching(), 100);
    observe(turn, "n9" as never, instant(90), refused);
    expect(turn.state).toEqual(watching());
  });
});

describe("answersNow", () => {
  it("holds for two rounds of probes after the last answer", () => {
    const holds = (at: number, values: Partial<NodeState> = {}) => {
      const state = withNode(watching(), N2, values);
      return answersNow(turnAt(state, at), state.nodes[N2] as NodeState);
    };
    expect([holds(1_500), holds(1_501), holds(10, { heard: "busy" }), holds(10, { readAt: null })]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("isFollowedReborn", () => {
  const said = { replicationId: history(9) };
  const state = [N2, N3].reduce(
    (all, id) => withNode(all, id, { reading: reading(said) }),
    withNode(watching(), N1, { class: "reborn", reading: primaryReading({ ...said, runId: run(11) }) }),
  );
  it.each([
    ["everybody who answers follows it", state, true],
    ["one that does not answer is not asked", withNode(state, N3, { heard: "silent", reading: reading() }), true],
    ["one has another history", withNode(state, N3, { reading: reading() }), false],
    ["nobody answers", [N2, N3].reduce((all, id) => withNode(all, id, { heard: "silent" }), state), false],
    ["it is boot-fenced", withNode(state, N1, { reading: reading({ ...said, runId: run(11) }) }), false],
    ["it is the process that was committed", withNode(state, N1, { class: "serving" }), false],
  ])("%s: %s", (_, of, result) => {
    expect(isFollowedReborn(turnAt(of, 10), ballot())).toBe(result);
  });
});
