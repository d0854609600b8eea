import { describe, expect, it } from "vitest";
import { answersNow, isFollowedReborn, isOfNow, isSameNode, observe } from "../../lib/core/observation.ts";
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
    const unknown = withNode(watching(), N1, { settings: null });
    const said = { ...says(failed), settings: null } as Observation;
    expect(observed(said, N1, unknown).node.class).toBe("serving");
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
    expect(observed(says(reading({ loading: true })), N2, watching(newborn())).node.class).toBe("loading");
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

  it("says of a node that goes why, of one that comes back what it is, and what keeps us out", () => {
    const told = (observation: Observation, state = watching()) => observed(observation, N2, state).turn.events;
    expect(told({ kind: "refused", detail: "ECONNREFUSED" })).toEqual([
      { event: "node.down", node: N2, epoch: 1, detail: { class: "refused", reason: "ECONNREFUSED" } },
    ]);
    const gone = withNode(watching(), N2, { class: "silent", heard: "silent" });
    expect(told(says(primaryReading({ runId: run(2) })), gone)).toEqual([
      { event: "node.up", node: N2, epoch: 1, detail: { class: "wrong-role" } },
    ]);
    const shut: Observation = { kind: "misconfigured", reason: "wrong-password", detail: "WRONGPASS" };
    expect(told(shut)).toEqual([
      { event: "node.misconfigured", node: N2, epoch: 1, detail: { reason: "wrong-password: WRONGPASS" } },
    ]);
  });

  it.each([
    ["was never seen", { class: "unknown", heard: null }],
    ["could not be spoken to", { class: "misconfigured", heard: "misconfigured" }],
  ] as const)("says nothing when a node that %s answers, or is silent", (_, values) => {
    const state = withNode(watching(), N2, values);
    expect([observed(says(reading()), N2, state).events, observed(refused, N2, state).events]).toEqual([[], []]);
  });

  it("says nothing when a node that is loading is silent no longer but for that, and counts its class from then", () => {
    const lost = withNode(watching(), N2, { class: "silent", heard: "silent" });
    const loading = observed({ kind: "loading", detail: "LOADING" }, N2, lost);
    expect([loading.events, loading.node.class, loading.node.classSince, loading.node.detail]).toEqual([
      ["node.up"],
      "loading",
      100,
      "LOADING",
    ]);
    const again = observed({ kind: "loading", detail: "LOADING" }, N2, loading.turn.state, 200, 190);
    expect([again.events, again.node.classSince]).toEqual([[], 100]);
    expect(observed(says(reading({ loading: true })), N2, loading.turn.state, 300, 290).node.classSince).toBe(100);
  });

  it("has nothing earlier at the first answer, and no detail after any", () => {
    for (const values of [{ reading: null }, { readAt: null }]) {
      const state = withNode(watching(), N2, { ...values, detail: "no answer" });
      expect(observed(says(reading()), N2, state).node).toMatchObject({ earlier: null, detail: "" });
    }
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

describe("a witness", () => {
  const lost = withNode(withNode(watching(), N1, { lostAt: instant(0) }), N2, { readSentAt: instant(500) });
  const advance = (values: Partial<NodeReading> = {}) => says(reading({ runId: run(2), offset: 101, ...values }));
  const seen = (state = lost, values: Partial<NodeReading> = {}, id = N2) =>
    observed(advance(values), id, state, 700, 690).node.advancedAt;

  it("is a replica whose offset grew between two answers, after what was under way had drained", () => {
    expect(seen()).toBe(700);
  });

  it.each<[string, Parameters<typeof seen>]>([
    ["the primary was not lost", [withNode(lost, N1, { lostAt: null })]],
    ["no primary is recorded", [{ ...lost, look: watching(newborn()).look }]],
    ["nobody looked at the record", [{ ...lost, look: null }]],
    ["the primary is not known", [{ ...lost, nodes: { [N2]: lost.nodes[N2]! } }]],
    ["it was never read before", [withNode(lost, N2, { reading: null })]],
    [
      "its last answer was to no question of ours",
      [withNode(withNode(lost, N1, { lostAt: instant(-5_000) }), N2, { readSentAt: null })],
    ],
    ["its last answer was from before", [withNode(lost, N2, { readSentAt: instant(100) })]],
    ["its history is another", [lost, { replicationId: history(9) }]],
    ["its history was another", [withNode(lost, N2, { reading: reading({ replicationId: history(9) }) })]],
    ["its process is another", [lost, { runId: run(22) }]],
    ["its link is down", [lost, { linkUp: false }]],
    ["it stands still", [lost, { offset: 100 }]],
    [
      "what advances is of a node that a person has promoted",
      [withNode(lost, N2, { reading: reading({ replicationId: history(9) }) }), { replicationId: history(9) }],
    ],
  ])("is none while %s", (_, given) => {
    expect(seen(...given)).toBe(null);
  });

  it("is one also by the history that the primary was last read with, and none that was never read", () => {
    const later = withNode(lost, N2, { reading: reading({ replicationId: history(9) }) });
    const read = withNode(later, N1, { reading: primaryReading({ replicationId: history(9) }) });
    expect(seen(read, { replicationId: history(9) })).toBe(700);
    const unread = (state: typeof lost) => withNode(state, N1, { reading: null, class: "silent", heard: "silent" });
    expect(seen(unread(later), { replicationId: history(9) })).toBe(null);
    expect(seen(unread(lost))).toBe(700);
  });

  it("is never the primary of itself", () => {
    const state = withNode(withNode(lost, N1, { readSentAt: instant(500), lostAt: instant(0) }), N2, {});
    expect(observed(says(primaryReading({ offset: 101, linkUp: true })), N1, state, 700, 690).node.advancedAt).toBe(
      null,
    );
  });

  it("vouches until it is seen again: another answer does not take its word back", () => {
    expect(seen(withNode(lost, N2, { advancedAt: instant(600) }), { offset: 100 })).toBe(600);
  });
});

describe("one node", () => {
  it("is one by its name, also where it was never read, or by its process", () => {
    const { n1, n2 } = watching().nodes as Readonly<Record<string, NodeState>> as { n1: NodeState; n2: NodeState };
    const unread = { ...n1, reading: null };
    expect([isSameNode(unread, unread), isSameNode(n1, n2), isSameNode(n2, unread)]).toEqual([true, false, false]);
    expect(isSameNode(n1, { ...n2, reading: n1.reading })).toBe(true);
  });

  it("is read since the record is quiet only where both times are known", () => {
    const isRead = (quiet: number | null, readSentAt: number | null) => {
      const at = (ms: number | null) => (ms === null ? null : instant(ms));
      const state = withNode(watching(ballot(), { quietSince: at(quiet) }), N2, { readSentAt: at(readSentAt) });
      return isOfNow(turnAt(state, 10), state.nodes[N2] as NodeState);
    };
    expect([isRead(5, 5), isRead(5, 4), isRead(null, 5), isRead(0, null)]).toEqual([true, false, false, false]);
  });
});

describe("a reborn primary that nobody recorded", () => {
  it("is followed by nobody", () => {
    expect(isFollowedReborn(turnAt(watching(newborn()), 10), newborn())).toBe(false);
    const unread = withNode(watching(), N1, { class: "reborn", reading: null });
    expect(isFollowedReborn(turnAt(unread, 10), ballot())).toBe(false);
  });
});
