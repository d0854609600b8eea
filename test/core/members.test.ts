// R4, R18: what a quiet group's record learns of its members: each fact by itself, the events word for word, and when the
// publication changes with it.

import { describe, expect, it } from "vitest";
import type { Ballot, Member } from "../../lib/core/ballot.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { GroupState, NodeState } from "../../lib/core/state.ts";
import { type Address, instant, type ListedReplica, type NodeId, nodeId, wallTime } from "../../lib/core/types.ts";
import { followDeclaredMode, maintain, noteHealth, syncNodes } from "../../lib/core/upkeep.ts";
import {
  addressOf,
  ballot,
  context,
  control,
  history,
  member,
  N1,
  N2,
  N3,
  newborn,
  node,
  nodeState,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  reading,
  run,
  turnAt,
  WALL_START,
  watching,
  withNode,
} from "./builders.ts";

const nobody = { runId: null, inSyncEpoch: ofEpoch(0) };
const membersOf = (nodes: Readonly<Record<NodeId, Member>>, values: Partial<Ballot> = {}): Ballot =>
  ballot({ members: { version: 1, nodes }, revision: 4, ...values });
const three = (n2: Partial<Member>, n3: Partial<Member> = {}): Ballot =>
  membersOf({ [N1]: member(1), [N2]: member(2, n2), [N3]: member(3, n3) });

interface Learnt {
  readonly nodes: Readonly<Record<string, object>> | null;
  readonly revision: unknown;
  readonly events: readonly object[];
  readonly wakeAt: number;
  readonly state: GroupState;
}

function learnt(state: GroupState, at = 10, settings: Partial<DeclaredConfig> = {}): Learnt {
  const turn = turnAt(state, at, context(settings));
  maintain(turn, state.look?.ballot ?? ballot());
  const changes = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? each.write.changes : []));
  const value = (name: string) => changes.find(({ path }) => path[0] === name)?.value;
  return {
    nodes: (value("members") as { nodes: Record<string, object> } | undefined)?.nodes ?? null,
    revision: value("revision"),
    events: turn.state.storeBusy?.pending?.events ?? [],
    wakeAt: turn.wakeAt,
    state: turn.state,
  };
}

/** n2 was read right after the primary, as a replica with all that the primary had. */
const inSync = (of: Ballot, values: object = {}): GroupState =>
  withNode(watching(of), N2, { readSentAt: instant(0), readAt: instant(5), ...values });

describe("a member in sync", () => {
  it("becomes a published replica, so the publication changes with it", () => {
    const { nodes, revision, events } = learnt(inSync(three(nobody)));
    expect(nodes?.["n2"]).toEqual({ runId: run(2), inSyncEpoch: 1 });
    expect(revision).toBe(5);
    expect(events).toEqual([{ event: "member.in-sync", node: N2, epoch: 1, detail: { primaryEpoch: 1 } }]);
  });

  it("that only restarted is as published as it was", () => {
    const restarted = inSync(three({}), { reading: reading({ runId: run(22) }) });
    const { nodes, revision, events } = learnt(restarted);
    expect(nodes?.["n2"]).toEqual({ runId: run(22), inSyncEpoch: 1 });
    expect(revision).toBe(undefined);
    expect(events).toEqual([{ event: "member.reborn", node: N2, epoch: 1, detail: { runId: run(22) } }]);
  });

  it("of an earlier primary comes in sync with this one", () => {
    const later = { primary: primary({ epoch: ofEpoch(2) }), epoch: ofEpoch(2) };
    const of = membersOf({ [N1]: member(1, { inSyncEpoch: ofEpoch(2) }), [N2]: member(2), [N3]: member(3) }, later);
    expect(learnt(inSync(of)).events).toMatchObject(
      [N2, N3].map((node) => ({ event: "member.in-sync", node, detail: { primaryEpoch: 2 } })),
    );
  });

  it("and unchanged is nothing to write, whatever it lacks at the moment", () => {
    expect(learnt(inSync(ballot(), { reading: reading({ runId: run(2), offset: 7 }) })).nodes).toBe(null);
  });

  it("changes the publication, although of another only the process is another", () => {
    const state = withNode(inSync(three({}, nobody), { reading: reading({ runId: run(22) }) }), N3, {
      readSentAt: instant(0),
      readAt: instant(5),
    });
    const { events, revision } = learnt(state);
    expect(events).toMatchObject([{ event: "member.reborn" }, { event: "member.in-sync" }]);
    expect(revision).toBe(5);
  });

  it("that is doubted is nothing to write when it has been set aside by then", () => {
    const doubts = { [N3]: { isFit: false, since: instant(-9_000) } };
    expect(learnt({ ...watching(three({}, { aside: true })), doubts }).nodes).toBe(null);
    // Nor where one that was discovered is a member as well.
    const four = {
      ...three({}, { aside: true }).members.nodes,
      [nodeId("n9")]: member(9, { address: addressOf("n9") }),
    };
    expect(learnt({ ...watching(membersOf(four)), doubts }).nodes).toBe(null);
    expect(learnt({ ...watching(three({})), doubts }).nodes?.["n3"]).toMatchObject({ aside: true });
  });

  it.each<[string, GroupState]>([
    ["it is the primary itself", watching(membersOf({ [N1]: member(1, nobody), [N2]: member(2), [N3]: member(3) }))],
    ["it was never read", inSync(three(nobody), { reading: null })],
    ["no question of ours was answered", inSync(three(nobody), { readSentAt: null })],
    ["it does not answer now", inSync(three(nobody), { heard: "silent" })],
    ["it was asked before the primary had answered", inSync(three(nobody), { readSentAt: instant(-1) })],
  ])("is not found while %s", (_, state) => {
    expect(learnt(state).nodes).toBe(null);
  });

  it("is not found by what the primary said too long ago", () => {
    const old = withNode(inSync(three(nobody), { readAt: instant(2_000), readSentAt: instant(1_990) }), N1, {
      readAt: instant(0),
    });
    expect(learnt(old, 2_000).nodes).toBe(null);
    expect(learnt(withNode(old, N1, { readAt: instant(1_990) }), 2_000).nodes).not.toBe(null);
  });

  it("is found by what the primary said before, where its newest word is younger than the question", () => {
    const earlier = (readAt: number, offset: number) =>
      withNode(inSync(three(nobody)), N1, {
        readAt: instant(9),
        earlier: { reading: primaryReading({ offset }), readAt: instant(readAt) },
      });
    expect(learnt(earlier(0, 100)).nodes).not.toBe(null);
    expect(learnt(earlier(1, 100)).nodes).toBe(null);
    expect(learnt(earlier(0, 101)).nodes).toBe(null);
    const unread = (values: object) => withNode(inSync(three(nobody)), N1, { earlier: null, ...values });
    expect(learnt(unread({ readAt: null })).nodes).toBe(null);
  });
});

describe("a member that is gone", () => {
  const lost = { heard: "refused", class: "refused", lostAt: instant(-6_000), connection: null } as const;
  const gone = (of: Ballot = ballot(), n1: object = {}, n3: object = {}) =>
    withNode(withNode(watching(of), N3, { ...lost, ...n3 }), N1, {
      reading: primaryReading({ offset: 200 }),
      readSentAt: instant(0),
      ...n1,
    });

  it("is no published replica, and what the primary had is told", () => {
    const { nodes, revision, events } = learnt(gone());
    expect(nodes?.["n3"]).toMatchObject({ goneAt: 200, inSyncEpoch: 1, aside: true });
    expect(revision).toBe(1);
    expect(events).toEqual([
      { event: "member.gone", node: N3, epoch: 1, detail: { primaryOffset: 200 } },
      { event: "replica.set-aside", node: N3, epoch: 1, detail: { reason: "it is refused" } },
    ]);
  });

  it("is said to be so once of one silence: another voter that hears it has the last word, until it is heard here too", () => {
    const seen = learnt(gone(three({}, { goneAt: 150 }))).state;
    const again = (values: object = {}) => learnt(withNode(gone(), N3, { ...seen.nodes[N3], ...values }));
    expect(again().nodes).toBe(null);
    expect(again({ lostAt: instant(-5_500) }).nodes?.["n3"]).toMatchObject({ goneAt: 200 });
  });

  it("is none while the primary lists it, whoever else is linked", () => {
    const chained = nodeId("n4");
    const listed = (...ids: readonly NodeId[]): readonly ListedReplica[] =>
      ids.map((id) => ({ address: addressOf(id), state: "online", offset: 1, lagSeconds: 0 }));
    const by = (...ids: readonly NodeId[]) => {
      const state = gone(ballot(), { reading: primaryReading({ offset: 200, replicas: listed(...ids) }) });
      const n4 = { ...(state.nodes[N2] as NodeState), id: chained };
      return learnt({ ...state, nodes: { ...state.nodes, [chained]: n4 } }).nodes?.["n3"];
    };
    expect(by(N2, N3)).toBe(undefined);
    expect(by(N2)).toMatchObject({ goneAt: 200 });
    expect(by(N2, chained)).toMatchObject({ goneAt: 200 });
  });

  it("is said to be so when its down-after is over, and not only if nobody looked before that", () => {
    const { state } = learnt(gone(ballot(), {}, { lostAt: instant(-4_000) }), 10);
    expect(learnt(state, 1_000).nodes?.["n3"]).toMatchObject({ goneAt: 200 });
  });

  it("that was never published changes no publication", () => {
    const { nodes, revision } = learnt(gone(three({}, { inSyncEpoch: ofEpoch(0) })));
    expect(nodes?.["n3"]).toEqual({ runId: run(3), inSyncEpoch: 0, goneAt: 200 });
    expect(revision).toBe(undefined);
  });

  it("is told as gone and as back once, whatever else becomes of it", () => {
    const doubts = { [N3]: { isFit: false, since: instant(-9_000) } };
    const { nodes, events } = learnt({ ...gone(three({}, { goneAt: 150 })), doubts });
    expect(nodes?.["n3"]).toMatchObject({ goneAt: 150, aside: true });
    expect(events).toMatchObject([{ event: "replica.set-aside" }]);
  });

  it("is recorded once, and back as a published one", () => {
    expect(learnt(gone(three({}, { goneAt: 150 }))).nodes).toBe(null);
    const { events, revision } = learnt(watching(three({}, { goneAt: 150 })));
    expect(events).toEqual([{ event: "member.back", node: N3, epoch: 1, detail: {} }]);
    expect(revision).toBe(5);
  });

  it("is asked about when its down-after has passed", () => {
    const { nodes, wakeAt } = learnt(gone(ballot(), {}, { lostAt: instant(-4_000) }));
    expect([nodes, wakeAt]).toEqual([null, 1_000]);
  });

  it.each<[string, GroupState]>([
    ["the primary was never read", gone(ballot(), { reading: null })],
    ["the primary answered no question of ours", gone(ballot(), { readSentAt: null })],
    ["the primary was read before the group was quiet", { ...gone(), quietSince: instant(5) }],
    ["it is the primary", withNode(watching(), N1, { lostAt: instant(-6_000), readSentAt: instant(0) })],
  ])("is not recorded while %s", (_, state) => {
    expect(learnt(state).nodes).toBe(null);
  });

  it("is one from when what was under way to it had drained", () => {
    const at = (readSentAt: number) =>
      learnt({ ...gone(ballot(), { readSentAt: instant(readSentAt) }), quietSince: instant(-9_000) }).nodes !== null;
    expect([at(-5_801), at(-5_800)]).toEqual([false, true]);
  });
});

describe("N", () => {
  const found = nodeId("found-10-0-0-9-6380");
  const address: Address = { host: "10.0.0.9", port: 6_380 };
  const listed = (at: Address, state = "online"): ListedReplica => ({ address: at, state, offset: 1, lagSeconds: 0 });
  const lists = (...replicas: readonly ListedReplica[]) =>
    withNode(watching(), N1, { reading: primaryReading({ replicas }) });
  const declared = [listed(addressOf(N2)), listed(addressOf(N3))];
  const joined = (state: GroupState, settings: Partial<DeclaredConfig> = {}) =>
    Object.keys(learnt(state, 10, settings).nodes ?? {}).filter((id) => !/^n\d$/.test(id));

  it("grows by a declared node that the record does not know, and shrinks by one that is declared no longer", () => {
    const two = membersOf({ [N1]: member(1), [N2]: member(2) });
    expect(learnt(withNode(watching(two), N3, { reading: null })).nodes?.["n3"]).toEqual({ inSyncEpoch: 0 });
    const { nodes, events, revision } = learnt(watching(ballot({ revision: 4 })), 10, {
      nodes: [node("n1"), node("n2")],
    });
    expect(Object.keys(nodes ?? {})).toEqual(["n1", "n2"]);
    expect(events).toEqual([{ event: "member.removed", node: N3, epoch: 1, detail: {} }]);
    expect(revision).toBe(5);
  });

  it("grows by a replica that the primary lists and nobody declared", () => {
    expect(learnt(lists(...declared, listed(address))).nodes?.[found]).toEqual({ inSyncEpoch: 0, address });
    expect(joined(lists(...declared, listed({ host: "fd00::9", port: 1 })))).toEqual(["found-fd00--9-1"]);
    expect(joined(withNode(lists(listed(addressOf(N2)), listed(address)), N3, { reading: null }))).toEqual([found]);
    const state = lists(...declared, listed({ ...address, port: 1 }), listed(address));
    const nodes = { ...state.nodes, [found]: { ...nodeState(found, reading({ runId: run(9) })), address } };
    expect(joined({ ...state, nodes })).toEqual(["found-10-0-0-9-1"]);
  });

  it("grows by one that is listed twice once, and by none that the record has", () => {
    const twice = learnt(lists(...declared, listed(address), listed(address)));
    expect(twice.events).toMatchObject([{ event: "member.discovered", node: found }]);
    const of = membersOf({ ...ballot().members.nodes, [found]: member(9, { address }) });
    const known = { ...lists(...declared, listed(address)), look: watching(of).look };
    expect(learnt(known).nodes).toBe(null);
  });

  it("is told of once, and not again when the discovered one is seen in sync", () => {
    const of = membersOf({ ...ballot().members.nodes, [found]: member(9, { ...nobody, address }) });
    const state = watching(of);
    const known = { ...nodeState(found, reading({ runId: run(9) })), address };
    const { events } = learnt({ ...state, nodes: { ...state.nodes, [found]: known } });
    expect(events).toMatchObject([{ event: "member.in-sync", node: found }]);
  });

  it.each<[string, GroupState]>([
    ["receives no writes yet", lists(...declared, listed(address, "wait_bgsave"))],
    ["has no port", lists(...declared, listed({ host: "10.0.0.9", port: 0 }))],
    ["has no host", lists(...declared, listed({ host: "", port: 6_380 }))],
    ["is a declared one under its address", lists(...declared)],
    ["may be a declared one, as many as which are linked", lists(listed(addressOf(N2)), listed(address))],
  ])("does not grow by one that %s", (_, state) => {
    expect(joined(state)).toEqual([]);
  });

  it("does not grow by a declared one that is listed where clients reach it", () => {
    const announced = { nodes: [node("n1"), node("n2"), node("n3", { announce: address })] };
    const state = withNode(lists(listed(addressOf(N2)), listed(addressOf(N3)), listed(address)), N3, {});
    expect(joined(state, announced)).toEqual([]);
    const elsewhere = { nodes: [node("n1"), node("n2", { announce: { ...address, port: 1 } }), node("n3")] };
    expect(joined(state, elsewhere)).toEqual([found]);
  });

  it("R18: a discovered one that is declared by now, or is a declared one's process, is a member no longer", () => {
    const of = membersOf({
      [N1]: member(1),
      [N2]: member(2),
      [N3]: member(3),
      [found]: member(9, { address }),
    });
    const known = (said = reading({ runId: run(9) }), heard: "answered" | "silent" = "answered"): GroupState => {
      const state = watching(of);
      const each = { ...nodeState(found, said), address, heard };
      return { ...state, nodes: { ...state.nodes, [found]: each } };
    };
    const left = (state: GroupState, settings: Partial<DeclaredConfig> = {}) =>
      learnt(state, 10, settings).events.filter((each) => (each as { event: string }).event === "member.removed")
        .length;
    expect(left(known())).toBe(0);
    expect(left(known(reading({ runId: run(3) })))).toBe(1);
    expect(left(known(reading({ runId: run(3) }), "silent"))).toBe(0);
    expect(left(withNode(known(reading({ runId: run(3) })), N3, { heard: "silent" }))).toBe(0);
    expect(left(known(), { nodes: [node("n1"), node("n2"), node("n3", { announce: address })] })).toBe(1);
    const { [found]: _, ...unseen } = known().nodes;
    expect(left({ ...known(), nodes: unseen })).toBe(0);
  });

  it("R18: one that is declared under the very name that it was discovered by is the member that it was, also while it is lost", () => {
    const of = membersOf({ [N1]: member(1), [N2]: member(2), [found]: member(9, { address }) });
    const settings = { nodes: [node("n1"), node("n2"), { ...node(found), ...address }] };
    const { [N3]: _, ...others } = watching(of).nodes;
    const lost = { heard: "refused", class: "refused", lostAt: instant(0), connection: null } as const;
    const known = { ...nodeState(found, reading({ runId: run(9) })), address };
    for (const each of [{ ...known, ...lost }, known]) {
      const { nodes, events, revision } = learnt(
        { ...watching(of), nodes: { ...others, [found]: each } },
        10,
        settings,
      );
      expect(nodes?.[found]).toEqual({ runId: run(9), inSyncEpoch: 1 });
      expect([events, revision]).toEqual([[], undefined]);
    }
    const uncommitted = membersOf(of.members.nodes, { primary: null });
    expect(learnt(watching(uncommitted), 10, settings).nodes?.[found]).toEqual({ runId: run(9), inSyncEpoch: 1 });
    const { [N1]: _lost, ...unwatched } = watching(of).nodes;
    const undeclared = { nodes: settings.nodes.slice(1) };
    expect(learnt({ ...watching(of), nodes: unwatched }, 10, undeclared).nodes?.[found]).toMatchObject({
      runId: run(9),
    });
  });
});

describe("the declared mode", () => {
  const followed = (mode: "act" | "observe" | "paused", of: Ballot, values: Partial<GroupState> = {}) => {
    const turn = turnAt(watching(of, values), 10, context({ mode }));
    followDeclaredMode(turn, of);
    const [write] = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write] : []));
    return { value: write?.changes[0]?.value, events: turn.state.storeBusy?.pending?.events ?? [] };
  };
  const acting = ballot();

  it("is the one in force, and that is told", () => {
    const { value, events } = followed("observe", acting);
    expect(value).toMatchObject({ mode: "observe", by: "configuration", reason: "as declared" });
    const detail = { mode: "observe", by: "configuration" };
    expect(events).toEqual([{ event: "control.changed", epoch: 1, node: null, detail }]);
  });

  it("S8: gives way to a pause until that ends, and waits for an operation and for another write", () => {
    const paused = (until: number | null) =>
      ballot({ control: control({ mode: "paused", until: until === null ? null : wallTime(WALL_START + until) }) });
    expect(followed("act", paused(11)).value).toBe(undefined);
    expect(followed("act", paused(10)).value).toMatchObject({ mode: "act" });
    expect(followed("observe", { ...acting, operation: operation() }).value).toBe(undefined);
    expect(followed("act", acting).value).toBe(undefined);
    expect(followed("paused", acting).value).toBe(undefined);
    expect(followed("observe", acting, { storeBusy: { sentAt: instant(0), pending: null } }).value).toBe(undefined);
  });
});

describe("what is known of health", () => {
  const noted = (state: GroupState, of: Ballot, at = 10) => {
    const turn = turnAt(state, at);
    noteHealth(turn, of);
    return turn.state;
  };

  it("L4: ends the rests between repairs once every node is in line", () => {
    const state = watching(ballot(), { repairs: 3 });
    expect(noted(state, ballot()).repairs).toBe(0);
    const astray = withNode(state, N2, { reading: reading({ follows: { host: "10.9.9.9", port: 6_379 } }) });
    expect(noted(astray, ballot()).repairs).toBe(3);
    expect(noted(withNode(state, N2, { readSentAt: instant(-1) }), ballot()).repairs).toBe(3);
    expect(noted(withNode(state, N1, { class: "silent" }), ballot()).repairs).toBe(3);
  });

  it("counts from its beginning, and not from later looks", () => {
    expect(noted(watching(ballot(), { healthySince: instant(3) }), ballot()).healthySince).toBe(3);
    expect(noted(watching(), ballot()).healthySince).toBe(10);
    expect(noted(watching(newborn(), { healthySince: instant(3) }), newborn()).healthySince).toBe(null);
  });

  it("R18: needs a replica in sync under this primary, where there are replicas", () => {
    const since = (of: Ballot) => noted(watching(of), of).healthySince;
    expect(since(membersOf({ [N1]: member(1) }))).toBe(10);
    expect(since(membersOf({ [N1]: member(1), [N2]: member(2, nobody) }))).toBe(null);
    expect(since(membersOf({ [N1]: member(1), [N2]: member(2, nobody), [N3]: member(3) }))).toBe(10);
  });

  it("arms the group when it has lasted, and looks at it again before it is known", () => {
    const waiting = ballot({ armed: false });
    const armed = (healthySince: number | null, at: number) =>
      learnt(watching(waiting, { healthySince: healthySince === null ? null : instant(healthySince) }), at);
    expect(armed(null, 10).wakeAt).toBe(510);
    expect([armed(0, 1_400).events, armed(0, 1_400).wakeAt]).toEqual([[], 10_000]);
  });
});

describe("nodes of the state", () => {
  const found = nodeId("found");
  const at = (host: string): Member => member(4, { address: { host, port: 6_380 } });
  const synced = (state: GroupState, settings: Partial<DeclaredConfig> = {}) => {
    const turn = turnAt(state, 10, context(settings));
    syncNodes(turn);
    return turn.state;
  };

  it("are left as they are while they are in step", () => {
    const of = membersOf({ ...ballot().members.nodes, [found]: at("10.0.0.9") });
    const once = synced(watching(of));
    expect(Object.keys(once.nodes)).toEqual(["n1", "n2", "n3", "found"]);
    expect(synced(once)).toBe(once);
    expect(synced(watching())).toEqual(watching());
  });

  it("lose one that is known no more, and know one anew that moved", () => {
    const of = membersOf({ ...ballot().members.nodes, [found]: at("10.0.0.9") });
    const once = synced(watching(of));
    expect(Object.keys(synced({ ...once, look: watching().look }).nodes)).toEqual(["n1", "n2", "n3"]);
    const moved = membersOf({ ...ballot().members.nodes, [found]: at("10.0.0.8") });
    expect(synced({ ...once, look: watching(moved).look }).nodes[found]?.address.host).toBe("10.0.0.8");
    expect(Object.keys(synced(watching(null)).nodes)).toEqual(["n1", "n2", "n3"]);
  });

  it("are where they are declared, although a member of the same name was found elsewhere", () => {
    const of = membersOf({ [N1]: member(1), [N2]: member(2), [N3]: at("10.0.0.9") });
    const once = synced(watching(of));
    expect(once.nodes[N3]?.address).toEqual(addressOf(N3));
    expect(synced(once)).toBe(once);
  });
});

describe("a replication id that the primary changed by itself", () => {
  const changed = (values: object = {}) =>
    withNode(watching(), N1, { reading: primaryReading({ replicationId: history(2), offset: 120 }), ...values });

  it("is told, and is nothing to enter for a primary that nobody knows or that was not read", () => {
    expect(learnt(changed()).events).toMatchObject([
      { event: "primary.replication-id-changed", node: N1, detail: { replicationId: history(2) } },
    ]);
    expect(learnt(changed({ reading: null })).events).toEqual([]);
    expect(learnt({ ...changed(), storeBusy: { sentAt: instant(0), pending: null } }).nodes).toBe(null);
  });
});
