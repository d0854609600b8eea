import { describe, expect, it } from "vitest";
import {
  bestTarget,
  foreseen,
  isFrozenPrimary,
  isGivingBack,
  isSilencedPrimary,
  whyNotHandOver,
  whyNotTarget,
} from "../../lib/core/preflight.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { BOOT_FENCE, tokenAddress } from "../../lib/core/token.ts";
import { type NodeId, type NodeReading, nodeId } from "../../lib/core/types.ts";
import {
  addressOf,
  ballot,
  context,
  history,
  member,
  N1,
  N2,
  N3,
  newborn,
  node,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  reading,
  run,
  settings,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

const record = ballot();
const of = context();
const options = { coldStart: false, insists: false };
const at = 1_000;

/** Foreseen from one record throughout: whatever differs is in the arguments. */
const foresee = (state = watching(record), changes: Partial<typeof options> = {}, over = of) =>
  foreseen(turnAt(state, at, over), record, { ...options, ...changes });

const whereAhead = (id: NodeId, bytes: number) => {
  const state = watching(record);
  const said = state.nodes[id]?.reading;
  if (said == null) throw new Error(`${id} was not read`);
  return withNode(state, id, { reading: { ...said, offset: said.offset + bytes } });
};

describe("what is foreseen of one record", () => {
  it("is the same selection for the same readings, also at another time", () => {
    const state = watching(record);
    expect(foresee(state)).toMatchObject({ kind: "selected", node: N2 });
    expect(foreseen(turnAt(state, at + 1, of), record, options)).toBe(foresee(state));
  });

  it("follows a reading that changed, and back", () => {
    const state = watching(record);
    expect(foresee(state)).toMatchObject({ node: N2 });
    expect(foresee(whereAhead(N3, 1))).toMatchObject({ node: N3 });
    expect(foresee(state)).toMatchObject({ node: N2 });
    // The others' readings are the same.
    const ahead = withNode(state, N3, { reading: reading({ runId: run(3), offset: 900 }) });
    expect(foresee(ahead)).toMatchObject({ node: N3 });
  });

  it("leaves out who does not answer any more", () => {
    const state = watching(record);
    foresee(state);
    expect(foresee(withNode(state, N2, { heard: "silent" }))).toMatchObject({ node: N3 });
    expect(foreseen(turnAt(state, at + 60_000, of), record, options)).toMatchObject({ kind: "none" });
  });

  it("is another for a cold start, for a primary to be replaced, for another configuration and another record", () => {
    const state = whereAhead(N1, 1_000);
    const barred = context({
      nodes: of.config.nodes.map((each) => (each.id === N2 ? { ...each, priority: 0 } : each)),
    });
    expect(foresee(state)).toMatchObject({ node: N2 });
    expect(foresee(state, { coldStart: true })).toMatchObject({ node: N1 });
    const lost = withNode(state, N1, { heard: "silent" });
    expect(foresee(lost, { coldStart: true })).not.toBe(foresee(lost));
    expect(foresee(state, { coldStart: true, insists: true })).not.toBe(foresee(state, { coldStart: true }));
    expect(foresee(state, {}, barred)).toMatchObject({ node: N3 });
    const { members } = record;
    const reborn = ballot({ members: { ...members, nodes: { ...members.nodes, [N2]: member(9) } } });
    expect(foreseen(turnAt(state, at, of), reborn, options)).toMatchObject({ node: N3 });
  });
});

const unlisted = ballot({ primary: primary({ node: nodeId("n9") }) });
const everybody = (values: Parameters<typeof settings>[0]): GroupState =>
  [N1, N2, N3].reduce((state, id) => withNode(state, id, { settings: settings(values) }), watching());

describe("why a node cannot take over", () => {
  const whyNot = (state: GroupState, id = N3) => whyNotTarget(turnAt(state, 10), state.nodes[id]!);
  const says = (values: Partial<NodeReading>) =>
    withNode(watching(), N3, { reading: reading({ runId: run(3), ...values }) });

  it.each<[string | null, GroupState]>([
    [null, watching()],
    [null, withNode(watching(), N3, { settings: null })],
    ["the group has no primary", watching(newborn())],
    ["the group has no primary", watching(null)],
    ["n3 does not answer: ECONNREFUSED", withNode(watching(), N3, { heard: "refused", detail: "ECONNREFUSED" })],
    ["n3 does not answer: ", withNode(watching(), N3, { reading: null })],
    ["n3 has priority 0 and is never promoted", says({ priority: 0 })],
    ["n3 says that it is a primary itself", says({ role: "primary" })],
    ["n3 has no link to the primary", says({ linkUp: false })],
    ["n3 is in the middle of a full synchronization", says({ syncInProgress: true })],
    ["n3 holds another history than the primary's", says({ replicationId: history(9) })],
  ])("%s", (why, state) => {
    expect(whyNot(state)).toBe(why);
  });

  it("is that it is the primary", () => {
    expect(whyNot(watching(), N1)).toBe("n1 is the primary");
  });

  it("counts the others that answer as its followers", () => {
    const demanding = withNode(watching(), N3, { settings: settings({ minReplicasToWrite: 2 }) });
    expect(whyNot(demanding)).toBe(null);
    expect(whyNot(withNode(demanding, N2, { heard: "silent" }))).toBe(
      "n3 demands 2 replicas for a write (min-replicas-to-write) and would have 1",
    );
  });
});

describe("why a primary cannot hand over", () => {
  const whyNot = (state: GroupState) => whyNotHandOver(turnAt(state, 10));
  const open = { requiresAuth: false, primaryAuthSet: false };

  it.each<[string | null, GroupState]>([
    [null, watching()],
    ["the group has no primary", watching(newborn())],
    ["the group has no primary", watching(null)],
    ["the group has no primary", watching(unlisted)],
    ["the primary n1 does not answer as one", withNode(watching(), N1, { heard: "silent" })],
    ["the primary n1 does not answer as one", withNode(watching(), N1, { reading: reading() })],
    ["the primary n1 does not answer as one", withNode(watching(), N1, { reading: null })],
  ])("%s", (why, state) => {
    expect(whyNot(state)).toBe(why);
  });

  it("is that it could not follow the next one, where any of the others asks for a password", () => {
    const mute = withNode(everybody(open), N1, { settings: settings({ primaryAuthSet: false }) });
    expect(whyNot(everybody(open))).toBe(null);
    // Its own password is what the others need, not it.
    expect(whyNot(mute)).toBe(null);
    expect(whyNot(withNode(mute, N3, { settings: settings() }))).toBe(
      "n1 has no primaryauth and could not follow the new primary: set primaryauth (and primaryuser) on every node",
    );
    expect(whyNot(withNode(withNode(mute, N2, { settings: null }), N3, { settings: null }))).toBe(null);
    expect(whyNot(withNode(watching(), N1, { settings: null }))).toBe(null);
  });
});

describe("the best target", () => {
  const best = (n2: Partial<NodeReading>, n3: Partial<NodeReading>, of = context()) => {
    const state = withNode(watching(), N2, { reading: reading({ runId: run(2), ...n2 }) });
    return bestTarget(turnAt(withNode(state, N3, { reading: reading({ runId: run(3), ...n3 }) }), 10, of));
  };

  it("is by priority, then by offset, then by name", () => {
    expect(best({ priority: 2, offset: 900 }, { priority: 1 }).node).toBe(N3);
    expect(best({ priority: 1 }, { priority: 2, offset: 900 }).node).toBe(N2);
    expect(best({ offset: 100 }, { offset: 101 }).node).toBe(N3);
    expect(best({ offset: 101 }, { offset: 100 }).node).toBe(N2);
    expect(best({}, {}).node).toBe(N2);
    const turned = context({ nodes: [node("n3"), node("n1"), node("n2")] });
    const state = { ...watching(), nodes: { [N3]: watching().nodes[N3]!, [N2]: watching().nodes[N2]! } };
    expect(bestTarget(turnAt(state, 10, turned)).node).toBe(N2);
  });

  it("is nobody when none can take over, and each reason is known", () => {
    expect(best({ linkUp: false }, { priority: 0 })).toEqual({
      node: null,
      why: {
        n1: "n1 is the primary",
        n2: "n2 has no link to the primary",
        n3: "n3 has priority 0 and is never promoted",
      },
    });
    expect(best({}, {}).why).toEqual({ n1: "n1 is the primary" });
  });
});

describe("a primary that stands frozen", () => {
  const frozen = (values: object, of = ballot()) => {
    const state = withNode(watching(of), N1, { reading: reading({ runId: run(1) }), ...values });
    return isFrozenPrimary(turnAt(state, 10), of);
  };

  it("is the committed process, answering as a replica", () => {
    expect(frozen({})).toBe(true);
    expect(frozen({ reading: primaryReading() })).toBe(false);
    expect(frozen({ reading: reading({ runId: run(11) }) })).toBe(false);
    expect(frozen({ reading: null })).toBe(false);
    expect(frozen({ heard: "silent" })).toBe(false);
    expect([frozen({}, newborn()), frozen({}, unlisted)]).toEqual([false, false]);
  });
});

describe("a primary that is silenced", () => {
  const silenced = (values: object, of = ballot()) => {
    const fenced = reading({ runId: run(1), follows: tokenAddress(ofEpoch(2)) });
    const state = withNode(watching(of), N1, { reading: fenced, ...values });
    return isSilencedPrimary(turnAt(state, 10), of);
  };

  it("stands frozen by a token, not by whoever points nodes at each other, and is the process that was committed", () => {
    expect(silenced({})).toBe(true);
    expect(silenced({ reading: reading({ runId: run(1), follows: addressOf(N2) }) })).toBe(false);
    expect(silenced({ reading: reading({ runId: run(11), follows: BOOT_FENCE }) })).toBe(false);
    expect(silenced({ reading: null })).toBe(false);
    expect(silenced({}, unlisted)).toBe(false);
  });
});

describe("an operation that gives a primary back its place", () => {
  const giving = (values: Parameters<typeof operation>[0], of: Parameters<typeof ballot>[0] = {}) =>
    isGivingBack(ballot({ operation: operation(values), ...of }));

  it("is a failover that is meant for the committed primary", () => {
    expect(giving({ target: N1 })).toBe(true);
    expect([giving({ target: N2 }), giving({}), giving({ kind: "switchover", target: N1 })]).toEqual([
      false,
      false,
      false,
    ]);
    expect([giving({}, { primary: null }), giving({ target: N1 }, { operation: null })]).toEqual([false, false]);
  });
});
