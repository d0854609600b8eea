import { describe, expect, it } from "vitest";
import type { Member } from "../../lib/core/ballot.ts";
import { withoutNulls } from "../../lib/core/ballot-format.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { instant, type NodeReading, nodeId } from "../../lib/core/types.ts";
import { maintain, noteHealth, syncNodes } from "../../lib/core/upkeep.ts";
import {
  addressOf,
  answered,
  ballot,
  connection,
  context,
  control,
  history,
  lease,
  member,
  N1,
  N2,
  N3,
  node,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  probeEnded,
  reading,
  run,
  stepAt,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

/** n2 and n3 were never seen in sync. */
const stranger = member(2, { runId: null, inSyncEpoch: ofEpoch(0) });
const strangers = { version: 1, nodes: { [N1]: member(1), [N2]: stranger } };

const written = (turn: { commands: readonly { kind: string }[] }) =>
  turn.commands.flatMap((command) => (command.kind === "write-ballot" ? [command] : []));

describe("maintain", () => {
  it("writes nothing of a group that is as recorded", () => {
    const turn = turnAt(watching(), 10);
    maintain(turn, ballot());
    expect([turn.commands, turn.events]).toEqual([[], []]);
  });

  it.each([
    ["an operation", ballot({ members: strangers, operation: operation(), lease: lease() })],
    ["an operation that nobody holds", ballot({ members: strangers, operation: operation() })],
    ["a lease over nothing", ballot({ members: strangers, lease: lease() })],
    ["observe", ballot({ members: strangers, control: control({ mode: "observe" }) })],
    ["paused", ballot({ members: strangers, control: control({ mode: "paused" }) })],
  ])("writes nothing beside %s", (_, look) => {
    const turn = turnAt(watching(look), 10);
    maintain(turn, look);
    expect(turn.commands).toEqual([]);
  });

  it("writes nothing while the primary does not serve", () => {
    const look = ballot({ members: strangers });
    const turn = turnAt(withNode(watching(look), N1, { class: "silent" }), 10);
    maintain(turn, look);
    expect(turn.commands).toEqual([]);
  });
});

describe("members", () => {
  const look = ballot({
    members: { version: 1, nodes: { [N1]: member(1), [N2]: stranger, [N3]: member(3) } },
  });
  const readAfterPrimary = { readSentAt: instant(0), readAt: instant(5) };

  it("are in sync with what the primary had when it was read before", () => {
    const turn = turnAt(withNode(watching(look), N2, readAfterPrimary), 10);
    maintain(turn, look);
    const nodes = { n1: member(1), n2: member(2), n3: member(3) };
    const members = { path: ["members"], value: withoutNulls({ version: 2, nodes } as never) };
    expect(written(turn)).toMatchObject([
      { write: { name: "update-members", changes: expect.arrayContaining([members]) } },
    ]);
    expect(turn.state.storeBusy?.pending?.events).toEqual([
      { event: "member.in-sync", epoch: 1, node: N2, detail: { primaryEpoch: 1 } },
    ]);
  });

  it("become in sync although the primary is always the first to answer", () => {
    // Both are asked at 500; the primary's answer comes first, so its newest reading is never from before the question.
    const asked = withNode(watching(look), N2, { readSentAt: instant(-1) });
    const first = stepAt(asked, 501, probeEnded(N1, answered(primaryReading({ offset: 200 })), 500));
    const second = stepAt(first.state, 502, probeEnded(N2, answered(reading({ offset: 150 })), 500));
    expect(written(second)).toMatchObject([{ write: { name: "update-members" } }]);
  });

  it.each([
    ["its link is down", reading({ linkUp: false })],
    ["it is in the middle of a synchronization", reading({ syncInProgress: true })],
    ["it is loading", reading({ loading: true })],
    ["it has another history", reading({ replicationId: history(9) })],
    ["it lacks what the primary had", reading({ offset: 99 })],
    ["it is a primary", primaryReading({ runId: run(2) })],
  ])("are not in sync while %s", (_, said) => {
    const turn = turnAt(withNode(watching(look), N2, { ...readAfterPrimary, reading: said }), 10);
    maintain(turn, look);
    expect(turn.commands).toEqual([]);
  });

  it("are not in sync by a reading from before the primary's", () => {
    const state = withNode(watching(look), N2, { readSentAt: instant(-5), readAt: instant(-1) });
    const turn = turnAt(state, 10);
    maintain(turn, look);
    expect(turn.commands).toEqual([]);
  });

  it("R18: two names of one process are one member", () => {
    const none = { runId: null, inSyncEpoch: ofEpoch(0) };
    const fresh = ballot({
      members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2, none), [N3]: member(3, none) } },
    });
    const twins = [N2, N3].reduce(
      (state, id) => withNode(state, id, { ...readAfterPrimary, reading: reading({ runId: run(2) }) }),
      watching(fresh),
    );
    const turn = turnAt(twins, 10);
    maintain(turn, fresh);
    const [command] = written(turn) as unknown as { write: { changes: { path: string[]; value: unknown }[] } }[];
    const members = command?.write.changes.find((change) => change.path[0] === "members")?.value;
    expect(members).toMatchObject({ nodes: { n2: { runId: run(2) }, n3: { inSyncEpoch: 0 } } });
    expect((members as { nodes: { n3: object } }).nodes.n3).not.toHaveProperty("runId");
  });

  it("R4: a restarted one keeps its old process until it is in sync again", () => {
    const state = withNode(watching(), N2, {
      ...readAfterPrimary,
      reading: reading({ runId: run(22), linkUp: false }),
    });
    const turn = turnAt(state, 10);
    maintain(turn, ballot());
    expect(turn.commands).toEqual([]);
    const later = turnAt(withNode(state, N2, { reading: reading({ runId: run(22) }) }), 10);
    maintain(later, ballot());
    expect(later.state.storeBusy?.pending?.events.map((each) => each.event)).toEqual(["member.reborn"]);
  });

  it("R18: one that the primary lists and nobody declared joins with its address, and N grows at once", () => {
    const listed = { address: { host: "10.0.0.9", port: 6380 }, state: "online", offset: 100, lagSeconds: 0 };
    const state = withNode(watching(), N1, {
      reading: primaryReading({
        replicas: [listed, ...[N2, N3].map((id) => ({ ...listed, address: addressOf(id) }))],
      }),
    });
    const turn = turnAt(state, 10);
    maintain(turn, ballot());
    expect(turn.state.storeBusy?.pending?.events).toEqual([
      { event: "member.discovered", epoch: 1, node: "found-10-0-0-9-6380", detail: listed.address },
    ]);
  });
});

describe("what else the record lacks", () => {
  it("is a replication id that the primary changed by itself", () => {
    const state = withNode(watching(), N1, { reading: primaryReading({ replicationId: history(2), offset: 120 }) });
    const turn = turnAt(state, 10);
    maintain(turn, ballot());
    expect(written(turn)).toMatchObject([{ write: { name: "enter-replication-id" } }]);
    expect(turn.state.storeBusy?.pending?.events).toEqual([
      {
        event: "primary.replication-id-changed",
        epoch: 1,
        node: N1,
        detail: { replicationId: history(2) },
      },
    ]);
  });

  it("is never the id of a primary that restarted, nor one read before the record was quiet", () => {
    const changed = primaryReading({ replicationId: history(2) });
    for (const state of [
      withNode(watching(), N1, { reading: { ...changed, runId: run(11) } }),
      withNode(watching(ballot(), { quietSince: instant(5) }), N1, { reading: changed }),
    ]) {
      const turn = turnAt(state, 10);
      maintain(turn, ballot());
      expect(written(turn).filter((each) => JSON.stringify(each).includes("enter-replication-id"))).toEqual([]);
    }
  });

  it("is arming, once the group was healthy for the whole bound", () => {
    const look = ballot({ armed: false });
    const state = watching(look, { healthySince: instant(0) });
    const early = turnAt(state, 9_999);
    maintain(early, look);
    expect([early.commands, early.wakeAt]).toEqual([[], 10_000]);
    const due = turnAt(state, 10_000);
    maintain(due, look);
    expect(written(due)).toMatchObject([{ write: { name: "arm" } }]);
    expect(due.state.storeBusy?.pending?.events).toMatchObject([{ event: "group.armed" }]);
  });

  it("is asked for one write at a time", () => {
    const look = ballot({ armed: false, members: strangers });
    const state = withNode(watching(look, { healthySince: instant(-20_000) }), N2, {
      readSentAt: instant(0),
      readAt: instant(5),
    });
    const turn = turnAt(state, 10);
    maintain(turn, look);
    expect(written(turn)).toHaveLength(1);
  });
});

describe("noteHealth", () => {
  it("counts from when the primary serves and a replica is in sync", () => {
    const turn = turnAt(watching(), 10);
    noteHealth(turn, ballot());
    expect(turn.state.healthySince).toBe(10);
  });

  it("starts again when the primary stops serving, or no replica is in sync under it", () => {
    const known = { healthySince: instant(3) };
    const down = turnAt(withNode(watching(ballot(), known), N1, { class: "silent" }), 10);
    noteHealth(down, ballot());
    const behind = ballot({ primary: primary({ epoch: ofEpoch(2) }) });
    const unsynced = turnAt(watching(behind, known), 10);
    noteHealth(unsynced, behind);
    expect([down.state.healthySince, unsynced.state.healthySince]).toEqual([null, null]);
  });
});

describe("syncNodes", () => {
  it("follows what is declared and what was discovered", () => {
    const found = member(4, { address: { host: "10.0.0.9", port: 6380 } });
    const look = ballot({ members: { version: 2, nodes: { ...ballot().members.nodes, [nodeId("found")]: found } } });
    const turn = turnAt(watching(look), 10, context({ nodes: [node("n1"), node("n2")] }));
    syncNodes(turn);
    expect(Object.keys(turn.state.nodes)).toEqual(["n1", "n2", "found"]);
  });

  it("R18: knows one that was discovered and is declared by now under its declared name only", () => {
    const found = (host: string) => member(4, { address: { host, port: 6379 } });
    const listed = { a: found("10.0.0.2"), b: found("192.0.2.3"), c: found("10.0.0.9") };
    const nodes = [node("n1"), node("n2"), node("n3", { announce: { host: "192.0.2.3", port: 6379 } })];
    const look = ballot({ members: { version: 2, nodes: { ...ballot().members.nodes, ...listed } } });
    const synced = (state: GroupState) => {
      const turn = turnAt(state, 10, context({ nodes }));
      syncNodes(turn);
      return turn.state;
    };
    const once = synced(watching(look));
    expect(Object.keys(once.nodes)).toEqual(["n1", "n2", "n3", "c"]);
    expect(synced(once)).toBe(once);
  });

  it("R18: one that was discovered and is declared by now is the member that it was, also while the primary is lost", () => {
    const { n2: _, ...others } = ballot().members.nodes as Readonly<Record<string, Member>>;
    const found = member(2, { address: { host: "10.0.0.2", port: 6379 } });
    const look = ballot({ members: { version: 2, nodes: { ...others, found } as never } });
    const lost = withNode(watching(look), N1, { heard: "refused", class: "refused", lostAt: instant(0) });
    for (const state of [lost, watching(look)]) {
      const turn = turnAt(state, 10);
      maintain(turn, look);
      const [command] = written(turn) as unknown as { write: { changes: { path: string[]; value: unknown }[] } }[];
      const nodes = command?.write.changes.find((change) => change.path[0] === "members")?.value;
      expect(nodes).toMatchObject({ nodes: { n2: { runId: run(2), inSyncEpoch: 1 } } });
      expect(nodes).not.toHaveProperty("nodes.n2.address");
      expect(Object.keys((nodes as { nodes: object }).nodes).toSorted()).toEqual(["n1", "n2", "n3"]);
    }
    const known = ballot({ members: { version: 2, nodes: { ...ballot().members.nodes, found } as never } });
    const turn = turnAt(withNode(watching(known), N1, { heard: "refused", class: "refused", lostAt: instant(0) }), 10);
    maintain(turn, known);
    expect(written(turn)).toEqual([]);
  });

  it("forgets what it knew of a node that moved", () => {
    const turn = turnAt(watching(), 10, context({ nodes: [node("n1"), node("n2", { host: "10.0.9.9" }), node("n3")] }));
    syncNodes(turn);
    expect(turn.state.nodes[N2]).toMatchObject({ class: "unknown", reading: null, address: { host: "10.0.9.9" } });
    expect(turn.state.nodes[N1]).toMatchObject({ class: "serving", connection: connection(1) });
  });
});

describe("a member that is lost", () => {
  const lost = { heard: "refused", class: "refused", lostAt: instant(-6_000), connection: null } as const;
  const listed = (...hosts: string[]) =>
    hosts.map((host) => ({ address: { host, port: 6379 }, state: "online", offset: 0, lagSeconds: 0 }));
  const goneIn = (state: GroupState, look = ballot()) => {
    const turn = turnAt(state, 10);
    maintain(turn, look);
    const [command] = written(turn) as unknown as { write: { changes: { path: string[]; value: unknown }[] } }[];
    const members = command?.write.changes.find((change) => change.path[0] === "members")?.value;
    const told = turn.state.storeBusy?.pending?.events.map((each) => each.event) ?? [];
    return { told, goneAt: (members as { nodes: { n3: { goneAt?: number } } } | undefined)?.nodes.n3.goneAt ?? null };
  };
  const without = (values: Partial<NodeReading> = {}, node: object = {}) =>
    withNode(withNode(watching(), N3, { ...lost, ...node }), N1, {
      reading: primaryReading({ offset: 200, replicas: listed("10.0.0.2") as never, ...values }),
      readSentAt: instant(0),
    });

  it("is recorded with what the primary had then", () => {
    expect(goneIn(without())).toEqual({ told: ["member.gone", "replica.set-aside"], goneAt: 200 });
  });

  it.each<[string, GroupState]>([
    ["before its down-after has passed", without({}, { lostAt: instant(-4_989) })],
    ["while the primary lists one more than those that are linked", without({ replicas: listed("a", "b") as never })],
    ["by what the primary said before it was lost", withNode(without(), N1, { readSentAt: instant(-5_900) })],
    [
      "while it answers without a link",
      without({}, { heard: "answered", lostAt: null, reading: reading({ linkUp: false }) }),
    ],
  ])("is not recorded %s", (_, state) => {
    expect(goneIn(state)).toEqual({ told: [], goneAt: null });
  });

  it("is told back when it is linked again, not when it only answers", () => {
    const nodes = { [N1]: member(1), [N2]: member(2), [N3]: member(3, { goneAt: 200 }) };
    const look = ballot({ members: { version: 1, nodes } });
    const back = (linkUp: boolean) => withNode(watching(look), N3, { reading: reading({ runId: run(3), linkUp }) });
    expect(goneIn(back(false), look).told).toEqual([]);
    expect(goneIn(back(true), look)).toEqual({ told: ["member.back"], goneAt: null });
  });
});
