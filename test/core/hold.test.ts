import { describe, expect, it } from "vitest";
import type { Ballot, Member } from "../../lib/core/ballot.ts";
import { holdWrites } from "../../lib/core/hold.ts";
import type { Count } from "../../lib/core/quorum.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { instant, type NodeId } from "../../lib/core/types.ts";
import {
  A,
  B,
  ballot,
  C,
  connection,
  context,
  control,
  lease,
  member,
  N1,
  N2,
  N3,
  node,
  ofEpoch,
  operation,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

const lostByOthers: Count = { down: [], suspectOrDown: [B, C], unreachable: [] };

/** Of the replicas, n2 alone is a member. */
const withMembers = (of: Member): Ballot => ballot({ members: { version: 1, nodes: { [N1]: member(1), [N2]: of } } });

const nothingOf =
  (id: NodeId) =>
  (state: GroupState): GroupState => ({
    ...state,
    nodes: Object.fromEntries(Object.entries(state.nodes).filter(([each]) => each !== id)),
  });

/** This voter hears the primary and nobody else. */
const isolated = (of: Ballot = ballot(), values: Partial<GroupState> = {}): GroupState =>
  [N2, N3].reduce((all, id) => withNode(all, id, { heard: "silent", lostAt: instant(0) }), watching(of, values));

function held(state: GroupState, options: { count?: Count; at?: number; settings?: object; look?: Ballot } = {}) {
  const turn = turnAt(state, options.at ?? 1_000, context(options.settings));
  const at = options.at ?? 1_000;
  if (state.nodes[N1] !== undefined)
    turn.state = withNode(turn.state, N1, { answeredAt: instant(at), readAt: instant(at) });
  holdWrites(turn, options.look ?? ballot(), options.count ?? lostByOthers);
  return turn;
}

describe("the write hold", () => {
  it("pauses the primary's writes for a moment, and says so once", () => {
    const turn = held(isolated());
    expect(turn.commands).toEqual([
      {
        kind: "command-node",
        node: N1,
        address: { host: "10.0.0.1", port: 6379 },
        command: { kind: "pause", connection: 1, durationMs: 300 },
        deadline: 1_200,
      },
    ]);
    expect(turn.events).toEqual([{ event: "writes.held", epoch: 1, node: N1, detail: { votes: 2 } }]);
    expect([turn.state.hold, turn.wakeAt]).toEqual([{ since: 1_000, lastPauseAt: 1_000 }, 1_100]);
  });

  const going = { hold: { since: instant(1_000), lastPauseAt: instant(1_000) } };
  it("is repeated every 100 ms while it is warranted", () => {
    expect(held(isolated(ballot(), going), { at: 1_099 }).commands).toEqual([]);
    const again = held(isolated(ballot(), going), { at: 1_100 });
    expect([again.commands.length, again.events]).toEqual([1, []]);
  });

  it("R17: ends by itself: it is left to lapse, after at most downAfterMs and two seconds, and is never undone", () => {
    const last = held(isolated(ballot(), going), { at: 7_999 });
    const over = held(isolated(ballot(), going), { at: 8_000 });
    const healed = held(watching(ballot(), going), { count: { ...lostByOthers, suspectOrDown: [] } });
    expect([last.commands.length, over.commands, healed.commands]).toEqual([1, [], []]);
    expect(healed.state.hold).toBe(null);
  });

  it("does not begin a new episode while the others have still lost it", () => {
    const spent = held(isolated(ballot(), going), { at: 9_000 });
    const between = held(withNode(isolated(ballot(), going), N2, { lostAt: null, answeredAt: instant(9_000) }), {
      at: 9_000,
    });
    for (const { state, commands } of [spent, between]) expect([state.hold, commands]).toEqual([going.hold, []]);
  });

  it.each<[string, GroupState, Parameters<typeof held>[1]]>([
    ["reaches another node of the group", withNode(isolated(), N2, { lostAt: null, answeredAt: instant(900) }), {}],
    ["sees too few of the others' votes", isolated(), { count: { ...lostByOthers, suspectOrDown: [B] } }],
    ["would need its own vote", isolated(), { count: { ...lostByOthers, suspectOrDown: [A, B] } }],
    ["does not hear the primary", withNode(isolated(), N1, { class: "silent" }), {}],
    [
      "knows no replica that could take over",
      isolated(),
      { look: ballot({ members: { version: 1, nodes: { [N1]: member(1) } } }) },
    ],
    [
      "knows only replicas that were never in sync",
      isolated(),
      { look: withMembers(member(2, { inSyncEpoch: ofEpoch(0) })) },
    ],
    [
      "knows only replicas of priority 0",
      isolated(),
      { settings: { nodes: [node("n1"), node("n2", { priority: 0 }), node("n3", { priority: 0 })] } },
    ],
    ["does not know the primary's node", nothingOf(N1)(isolated()), {}],
    ["watches a group without a primary", isolated(), { look: ballot({ primary: null }) }],
    ["has it switched off", isolated(), { settings: { writeHoldAfterMs: 0 } }],
    ["watches a group that is not armed", isolated(), { look: ballot({ armed: false }) }],
    ["may only observe (S8)", isolated(), { look: ballot({ control: control({ mode: "observe" }) }) }],
    ["is paused (S8)", isolated(), { look: ballot({ control: control({ mode: "paused" }) }) }],
    ["has no connection", withNode(isolated(), N1, { connection: null }), {}],
  ])("is not sent by a voter that %s", (_, state, options) => {
    expect(held(state, options).commands).toEqual([]);
  });

  it("is for the sake of a replica that the record alone names, and of any priority but 0", () => {
    const nodes = [node("n1"), node("n2", { priority: 0 }), node("n3", { priority: 50 })];
    expect(held(isolated(), { settings: { nodes } }).commands).toHaveLength(1);
    const declared = { nodes: [node("n1"), node("n3")] };
    expect(held(isolated(), { look: withMembers(member(2)), settings: declared }).commands).toHaveLength(1);
  });

  it("R9: goes only over a connection that is older than the look, else a look is asked for", () => {
    const turn = held(withNode(isolated(), N1, { connection: connection(1, 5) }));
    expect([turn.commands, turn.lookWanted]).toEqual([[], true]);
  });

  it("keeps a cut-off primary's clients waiting until the others' failover fences it, and loses nothing", () => {
    const world = new World({
      ...QUICK,
      downAfterMs: 1_500,
      probeIntervalMs: 300,
      refusedAfterMs: 250,
      writeHoldAfterMs: 400,
    }).watched();
    // az-a and n1 are cut off from the rest; both still reach the table.
    for (const [voter, nodes] of [
      [A, [N2, N3]],
      [B, [N1]],
      [C, [N1]],
    ] as const)
      for (const node of nodes) world.partitions.add(`${voter}>${node}`);
    for (const id of [N2, N3]) world.node(id).isLagging = true;
    expect(world.run((each) => each.done.includes("pause n1"), 3_000)).toBe(true);
    expect(world.node(N1).pausedUntil).toBeGreaterThan(world.now);
    for (const id of [N2, N3])
      world.on(`freeze ${id}@2`, () => {
        world.node(id).isLagging = false;
      });
    expect(world.run((each) => each.ballot.primary?.node !== N1 && each.node(N1).role === "replica", 6_000)).toBe(true);
    world.wait(20);
    // The voter beside it fenced it, by the record alone (R16).
    expect(world.events.filter((each) => each.event === "node.fenced").map((each) => each.voter)).toEqual([A]);
    expect([world.violations, world.lost()]).toEqual([[], []]);
  });
});

describe("beside an operation", () => {
  it("a pause never belongs to somebody's switchover, whose own is longer", () => {
    const busy = ballot({
      lease: lease({ holder: B }),
      operation: operation({ kind: "switchover", target: N2 }),
      epoch: ofEpoch(2),
    });
    const turn = held(isolated(busy), { look: busy });
    expect(turn.commands).toHaveLength(1);
  });
});
