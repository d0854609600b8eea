import { describe, expect, it } from "vitest";
import type { Ballot, Member } from "../../lib/core/ballot.ts";
import { READER_BACK_MS } from "../../lib/core/config.ts";
import { publicationOf } from "../../lib/core/publication.ts";
import { noteReaders, offsetBefore, readerTold } from "../../lib/core/readers.ts";
import type { GroupState, NodeState } from "../../lib/core/state.ts";
import { type Instant, instant, type ListedReplica, type NodeReading, nodeId, wallTime } from "../../lib/core/types.ts";
import { maintain } from "../../lib/core/upkeep.ts";
import {
  addressOf,
  ballot,
  config,
  context,
  history,
  member,
  N1,
  N2,
  N3,
  node,
  nodeState,
  ofEpoch,
  primaryReading,
  reading,
  run,
  stepAt,
  timePassed,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

const DOWN_AFTER = 5_000;
const listed = (id: string, values: Partial<ListedReplica> = {}): ListedReplica => ({
  address: addressOf(id),
  state: "online",
  offset: 100,
  lagSeconds: 0,
  ...values,
});
const recordOf = (n3: Partial<Member>, values: Partial<Ballot> = {}): Ballot =>
  ballot({ members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2), [N3]: member(3, n3) } }, ...values });
const says = (values: Partial<NodeReading>) => ({ reading: reading({ runId: run(3), ...values }) });
const isOut = { heard: "silent", class: "silent", connection: null, lostAt: instant(0) } as const;

/** Everybody answered at `at` as at 0, but for what is given. */
function seenAt(
  at: number,
  look: Ballot,
  { n1 = {}, n2 = {}, n3 = {} }: { n1?: object; n2?: object; n3?: object } = {},
): GroupState {
  const now = { readSentAt: instant(at), readAt: instant(at), answeredAt: instant(at) };
  const state = [N1, N2, N3].reduce((each, id) => withNode(each, id, now), watching(look));
  return withNode(withNode(withNode(state, N1, n1), N2, n2), N3, n3);
}

/** What is written of n3 after it was looked at at 0, and as `second` at `ms`. */
function learnt(
  ms: number,
  look: Ballot,
  first: Parameters<typeof seenAt>[2],
  second: Parameters<typeof seenAt>[2] = first,
) {
  const begun = turnAt(seenAt(0, look, first), 0);
  noteReaders(begun, look);
  const turn = turnAt({ ...seenAt(ms, look, second), doubts: begun.state.doubts }, ms);
  noteReaders(turn, look);
  maintain(turn, look);
  const pending = turn.state.storeBusy?.pending;
  const nodes = pending?.write.changes.find(({ path }) => path[0] === "members")?.value as
    | { readonly nodes: Readonly<Record<string, Partial<Member>>> }
    | undefined;
  return {
    aside: nodes === undefined ? null : (nodes.nodes["n3"]?.aside ?? false),
    revision: pending?.write.changes.find(({ path }) => path[0] === "revision")?.value,
    told: (pending?.events ?? []).map(({ event, detail }) => [event, ...Object.values(detail)].join(": ")),
    who: (pending?.events ?? []).map((each) => each.node),
    wakeAt: turn.wakeAt as Instant,
  };
}

describe("a replica that is read from", () => {
  it.each<[string, Parameters<typeof seenAt>[2]]>([
    ["its link is down", { n3: says({ linkUp: false }) }],
    ["it is being synchronized", { n3: says({ syncInProgress: true }) }],
    ["it is loading", { n3: says({ loading: true }) }],
    ["it is loading", { n3: { heard: "loading", class: "loading" } }],
    ["it is busy", { n3: { heard: "busy", class: "busy" } }],
    [
      "it is busy",
      {
        n1: { reading: primaryReading({ replicas: [listed("n2"), listed("n3")] }) },
        n3: { heard: "busy", class: "busy" },
      },
    ],
    ["it has another history", { n3: says({ replicationId: history(9) }) }],
    ["it is no replica", { n3: says({ role: "primary" }) }],
    ["it is behind the primary", { n3: says({ offset: 99 }) }],
    ["it is silent", { n1: { reading: primaryReading({ replicas: [listed("n2")] }) }, n3: isOut }],
    [
      "it is silent",
      { n1: { reading: primaryReading({ replicas: [listed("n2"), listed("n3", { lagSeconds: 3 })] }) }, n3: isOut },
    ],
    [
      "it is silent",
      { n1: { reading: primaryReading({ replicas: [listed("n8"), listed("n9", { lagSeconds: 3 })] }) }, n3: isOut },
    ],
    [
      "it is silent",
      {
        n1: { reading: primaryReading({ replicas: [listed("n2"), listed("n3", { state: "wait_bgsave" })] }) },
        n3: isOut,
      },
    ],
  ])("is set aside after down-after, with a revision, because %s", (reason, seen) => {
    // What the primary still lists of a stopped one is no reason to call it gone.
    const n3 = { ...seen?.n3, ...(seen?.n3 === isOut ? { lostAt: instant(DOWN_AFTER) } : {}) };
    const { aside, revision, told } = learnt(DOWN_AFTER, recordOf({}), { ...seen, n3 });
    expect(aside).toBe(true);
    expect(revision).toBe(1);
    expect(told).toEqual([`replica.set-aside: ${reason}`]);
  });

  it("is asked about when its down-after has passed, and not before", () => {
    const { aside, wakeAt } = learnt(DOWN_AFTER - 1, recordOf({}), { n3: says({ linkUp: false }) });
    expect([aside, wakeAt]).toEqual([null, DOWN_AFTER]);
  });

  it("stays when it was fit in between", () => {
    const look = recordOf({});
    const n3 = says({ linkUp: false });
    const first = turnAt(seenAt(0, look, { n3 }), 0);
    noteReaders(first, look);
    expect(first.state.doubts).toEqual({ n3: { isFit: false, since: 0 } });
    const second = turnAt({ ...seenAt(3_000, look), doubts: first.state.doubts }, 3_000);
    noteReaders(second, look);
    expect(second.state.doubts).toEqual({});
  });

  it.each<[string, Parameters<typeof seenAt>[2]]>([
    [
      "the primary sees it acknowledge",
      { n1: { reading: primaryReading({ replicas: [listed("n2"), listed("n3", { lagSeconds: 2 })] }) }, n3: isOut },
    ],
    [
      "the primary sees it acknowledge, and still lists a link of it that is no more",
      {
        n1: { reading: primaryReading({ replicas: [listed("n3", { state: "send_bulk" }), listed("n3")] }) },
        n3: isOut,
      },
    ],
    [
      "the primary sees one more acknowledge than are linked, and another at its host does not",
      {
        n1: {
          reading: primaryReading({
            replicas: [
              listed("n2"),
              listed("n8"),
              listed("n3", { address: { ...addressOf("n3"), port: 1 }, lagSeconds: 9 }),
            ],
          }),
        },
        n3: isOut,
      },
    ],
    [
      "the primary sees one acknowledge at an address that nobody can compare, and the others are not linked",
      {
        n1: { reading: primaryReading({ replicas: [listed("n9")] }) },
        n2: { reading: reading({ linkUp: false }) },
        n3: isOut,
      },
    ],
    [
      "the primary sees one more acknowledge than are linked, at addresses that nobody can compare",
      { n1: { reading: primaryReading({ replicas: [listed("n8"), listed("n9")] }) }, n3: isOut },
    ],
    ["it lets nobody in", { n3: { heard: "misconfigured", class: "misconfigured" } }],
    ["the primary does not answer either", { n1: { class: "silent", heard: "silent" }, n3: says({ linkUp: false }) }],
    ["it is no candidate", { n3: says({ priority: 0 }) }],
  ])("stays while %s", (_, seen) => {
    const { told, who } = learnt(DOWN_AFTER, recordOf({}), { ...seen, n3: { ...seen?.n3, lostAt: null } });
    expect(told.filter((_each, index) => who[index] === N3)).toEqual([]);
  });

  it("is known by the address that it announces", () => {
    const look = recordOf({});
    const of = context({ nodes: [node("n1"), node("n2"), node("n3", { announce: addressOf("n33") })] });
    const doubts = (lagSeconds: number) => {
      const replicas = [listed("n2"), listed("n33", { lagSeconds }), listed("n44")];
      const turn = turnAt(seenAt(0, look, { n1: { reading: primaryReading({ replicas }) }, n3: isOut }), 0, of);
      noteReaders(turn, look);
      return Object.keys(turn.state.doubts);
    };
    expect([doubts(0), doubts(9)]).toEqual([[], ["n3"]]);
  });

  it("is known by the address at which it was found", () => {
    const found = nodeId("found");
    const address = addressOf("n9");
    const nodes = { ...ballot().members.nodes, [found]: member(9, { address }) };
    const look = ballot({ members: { version: 2, nodes } });
    const doubts = (lagSeconds: number) => {
      const replicas = [listed("n2"), listed("n3"), listed("n9", { lagSeconds })];
      const state = seenAt(0, look, { n1: { reading: primaryReading({ replicas }) } });
      const silent = { ...nodeState(found, reading({ runId: run(9) })), ...isOut, address };
      const turn = turnAt({ ...state, nodes: { ...state.nodes, [found]: silent } }, 0);
      noteReaders(turn, look);
      return Object.keys(turn.state.doubts);
    };
    expect([doubts(0), doubts(9)]).toEqual([[], ["found"]]);
  });

  it("is no longer doubted by a voter that was stalled, or when it is no member any more", () => {
    const doubts = { [N3]: { isFit: false, since: instant(0) } };
    const state = { ...seenAt(0, recordOf({}), { n3: says({ linkUp: false }) }), dueAt: instant(10), doubts };
    const kept = { n3: { isFit: false, since: 0 } };
    expect(stepAt(state, 400, timePassed).state.doubts).toEqual(kept);
    expect(stepAt(state, 2_000, timePassed).state.doubts).not.toEqual(kept);
    const removed = ballot({ members: { version: 2, nodes: { [N1]: member(1), [N2]: member(2) } } });
    const turn = turnAt({ ...seenAt(0, removed), doubts }, 0);
    noteReaders(turn, removed);
    expect(turn.state.doubts).toEqual({});
  });
});

describe("nobody is doubted", () => {
  const doubted = (state: GroupState, look = recordOf({})) => {
    const turn = turnAt(state, 0);
    noteReaders(turn, look);
    return turn.state.doubts;
  };
  const astray = { n3: says({ linkUp: false }) };
  const without = (id: string, state: GroupState): GroupState => ({
    ...state,
    nodes: Object.fromEntries(Object.entries(state.nodes).filter(([name]) => name !== id)),
  });

  it("while the primary answers and does not serve, or is not known", () => {
    expect(doubted(seenAt(0, recordOf({}), { ...astray, n1: { class: "wrong-role" } }))).toEqual({});
    expect(doubted(without("n1", seenAt(0, recordOf({}), astray)))).toEqual({});
  });

  it("who was never in sync, or of whom nothing is known", () => {
    const stranger = recordOf({ inSyncEpoch: ofEpoch(0) });
    expect(doubted(seenAt(0, stranger, astray), stranger)).toEqual({});
    expect(doubted(without("n3", seenAt(0, recordOf({}))))).toEqual({});
  });
});

it("what the primary had is not told by a reading whose time is not known", () => {
  const { n1, n2 } = watching().nodes as Readonly<Record<string, NodeState>>;
  const before = (values: Partial<NodeState>) => offsetBefore({ ...(n1 as NodeState), ...values }, n2 as NodeState);
  expect(before({})).toBe(100);
  expect(before({ readAt: null })).toBe(null);
  expect(before({ reading: null })).toBe(null);
  expect(before({ reading: null, readAt: null })).toBe(null);
});

describe("a replica that was set aside", () => {
  const aside = recordOf({ aside: true }, { revision: 4 });

  it("is no reader, and is published again when it was fit for ten seconds on end", () => {
    expect(publicationOf(aside, config(), wallTime(0))?.replicas.map((each) => each.node)).toEqual(["n2"]);
    const { aside: still, wakeAt } = learnt(READER_BACK_MS - 1, aside, {});
    expect([still, wakeAt]).toEqual([null, READER_BACK_MS]);
    expect(learnt(READER_BACK_MS, aside, {})).toMatchObject({
      aside: false,
      revision: 5,
      told: ["replica.readmitted"],
      who: [N3],
    });
  });

  it("begins anew with every look that finds it unfit", () => {
    expect(learnt(READER_BACK_MS, aside, {}, { n3: says({ offset: 99 }) }).aside).toBe(null);
    expect(learnt(READER_BACK_MS, aside, { n3: says({ offset: 99 }) }, {}).aside).toBe(null);
  });

  it("stays so through a restart, and is let in with the next primary that sees it in sync", () => {
    const reborn = recordOf({ aside: true, runId: run(9) });
    expect(learnt(100, reborn, {})).toMatchObject({
      aside: true,
      revision: undefined,
      told: [`member.reborn: ${run(3)}`],
    });
    const before = recordOf({ aside: true, inSyncEpoch: ofEpoch(0) });
    expect(learnt(100, before, {})).toMatchObject({ aside: false, revision: 1, told: ["member.in-sync: 1"] });
  });

  it("that was gone is back at once, and read from like every other that was set aside", () => {
    const gone = recordOf({ aside: true, goneAt: 100 }, { revision: 4 });
    expect(learnt(100, gone, {})).toMatchObject({ aside: true, revision: undefined, told: ["member.back"] });
  });
});

describe("what is told of one that is set aside", () => {
  const toldOf = (values: object) => {
    const look = recordOf({ aside: true });
    const turn = turnAt(withNode(watching(look), N3, values), 10);
    return readerTold(turn, look, N3, { before: member(3), now: member(3, { aside: true }) });
  };
  const told = (reason: string) => [{ event: "replica.set-aside", epoch: 1, node: N3, detail: { reason } }];

  it("is why, and that it was lost where its answers say no more", () => {
    expect(toldOf({ heard: "loading" })).toEqual(told("it is loading"));
    expect(toldOf({ heard: null })).toEqual(told("it was lost"));
  });
});
