import { describe, expect, it } from "vitest";
import type { Primary } from "../../lib/core/ballot.ts";
import type { BallotWrite } from "../../lib/core/ballot-write.ts";
import { begin } from "../../lib/core/beginning.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { BOOT_FENCE, tokenAddress } from "../../lib/core/token.ts";
import { instant, wallTime } from "../../lib/core/types.ts";
import {
  ballot,
  context,
  control,
  history,
  N1,
  N2,
  N3,
  newborn,
  node,
  ofEpoch,
  primaryReading,
  reading,
  run,
  settings,
  stepAt,
  turnAt,
  VOTERS,
  watching,
  withNode,
} from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

/** Never adopted; what was published before is known to be epoch `standing`. */
const fresh = (standing: number | null = 0): GroupState =>
  watching(newborn(), { standingEpoch: standing === null ? null : ofEpoch(standing) });

const blank = (state: GroupState): GroupState =>
  [N1, N2, N3].reduce(
    (known, id, index) =>
      withNode(known, id, {
        reading: reading({
          runId: run(index + 1),
          replicationId: history(10 + index),
          follows: BOOT_FENCE,
          linkUp: false,
          offset: 0,
          keyCount: 0,
        }),
      }),
    state,
  );

function begun(state: GroupState, at = 10, of = context()) {
  const turn = turnAt(state, at, of);
  const rejection = begin(turn, state.look?.ballot ?? newborn());
  const write = turn.commands.flatMap((each): BallotWrite[] => (each.kind === "write-ballot" ? [each.write] : []))[0];
  const value = (name: string) => write?.changes.find((each) => each.path[0] === name)?.value;
  return { turn, rejection, write, value };
}

describe("adopting", () => {
  it("takes the one primary that everybody follows, without a command to any node", () => {
    const { turn, rejection, write, value } = begun(fresh());
    expect([rejection, turn.commands.length, write?.name]).toEqual([null, 1, "adopt"]);
    expect(value("primary")).toEqual({ node: N1, epoch: 1, runId: run(1), replicationId: history(1) });
    expect(value("members")).toEqual({
      version: 1,
      nodes: { n1: { runId: run(1), inSyncEpoch: 1 }, n2: { inSyncEpoch: 0 }, n3: { inSyncEpoch: 0 } },
    });
    expect(value("lineage")).toEqual({
      histories: [{ epoch: 1, node: N1, replicationId: history(1), forkOffset: 100 }],
      intents: [],
    });
    expect(turn.state.storeBusy?.pending?.events).toEqual([
      { event: "group.adopted", epoch: 1, node: N1, detail: { nodes: 3 } },
    ]);
  });

  it("R19: begins above its own epoch, everything that was published and every token that a node ever carried", () => {
    const tokenOnSilent = withNode(fresh(4), N3, {
      heard: "silent",
      reading: reading({ follows: tokenAddress(ofEpoch(9)) }),
    });
    expect(begun(fresh(4)).value("epoch")).toBe(5);
    expect(begun(tokenOnSilent, 1_500).value("epoch")).toBe(10);
    const givenUp = watching({ ...newborn(), epoch: ofEpoch(65_537) }, { standingEpoch: ofEpoch(4) });
    expect(begun(givenUp).value("epoch")).toBe(65_538);
  });

  it("R19: asks what was published before it adopts, and again some time after no answer, not in a busy loop", () => {
    const asked = begun(fresh(null));
    expect([asked.turn.commands, asked.rejection?.reason]).toEqual([[{ kind: "read-standing" }], "not-adopted"]);
    expect(asked.turn.state).toMatchObject({ standingEpoch: "asked", standingAskedAt: 10 });
    const failed = stepAt(asked.turn.state, 20, { kind: "standing-read", epoch: null, table: null });
    const asks = (commands: readonly { kind: string }[]) =>
      commands.filter((each) => each.kind === "read-standing").length;
    expect(asks(failed.commands)).toBe(0);
    const state = [N1, N2, N3].reduce((known, id) => withNode(known, id, { readAt: instant(1_010) }), failed.state);
    expect(asks(stepAt({ ...state, dueAt: null }, 1_010, { kind: "time-passed" }).commands)).toBe(1);
  });

  it("R19: a record that is lost after a failover is begun above what was published since this invocation asked", () => {
    const asked = watching(ballot(), { standingEpoch: ofEpoch(0), standingAskedAt: instant(0) });
    const reads = { storeBusy: { sentAt: instant(5), pending: null } };
    const failedOver = ballot({ epoch: ofEpoch(2), primary: { ...(ballot().primary as Primary), epoch: ofEpoch(2) } });
    const after = stepAt({ ...asked, ...reads }, 6, { kind: "ballot-read", sentAt: instant(5), ballot: failedOver });
    const lost = stepAt({ ...after.state, ...reads }, 8, {
      kind: "ballot-read",
      sentAt: instant(7),
      ballot: newborn(),
    });
    expect([lost.state.standingEpoch, lost.commands.filter(({ kind }) => kind === "write-ballot")]).toEqual([null, []]);
    const state = [N1, N2, N3].reduce((known, id) => withNode(known, id, { readAt: instant(1_010) }), lost.state);
    const later = stepAt({ ...state, dueAt: null }, 1_010, { kind: "time-passed" });
    expect(later.commands).toContainEqual({ kind: "read-standing" });
  });

  it("R19: asks once where what was published is the group's own", () => {
    const known: GroupState = { ...fresh(4), standingTable: "table-1", standingAskedAt: instant(0) };
    const state = [N1, N2, N3].reduce((all, id) => withNode(all, id, { readAt: instant(60_000) }), known);
    const { write, value, turn } = begun(state, 60_000);
    expect([write?.name, value("epoch"), turn.commands.length]).toEqual(["adopt", 5, 1]);
  });

  describe("while the group's parameters are another deployment's", () => {
    const foreign = { ...fresh(4), standingTable: "table-0", standingAskedAt: instant(0) };

    it("waits for a person, and says whose they are", () => {
      const { rejection, turn } = begun(foreign);
      expect([rejection?.reason, turn.commands]).toEqual(["adoption-refused", []]);
      expect(rejection?.detail).toContain("table-0");
      expect(begun(blank(foreign)).rejection?.detail).toContain("table-0");
    });

    it("looks again every five seconds, and goes on when they are gone or its own", () => {
      expect(begun(foreign, 4_999).turn.commands).toEqual([]);
      const again = begun(foreign, 5_000).turn;
      expect(again.commands).toEqual([{ kind: "read-standing" }]);
      const askedLater = { ...foreign, standingAskedAt: instant(100) };
      expect(begun(askedLater, 5_099).turn.commands).toEqual([]);
      expect(begun(askedLater, 5_100).turn.commands).toEqual([{ kind: "read-standing" }]);
      for (const table of [null, "table-1"]) {
        expect(begun({ ...foreign, standingTable: table }).write?.name).toBe("adopt");
      }
    });
  });

  it.each<[string, string, GroupState]>([
    [
      "n1, n2 claim to be primary",
      "two primaries",
      withNode(fresh(), N2, { reading: primaryReading({ runId: run(2) }) }),
    ],
    ["n3 does not follow n1", "a stray", withNode(fresh(), N3, { reading: reading({ linkUp: false }) })],
    [
      "n3 does not follow n1",
      "another history",
      withNode(fresh(), N3, { reading: reading({ replicationId: history(9) }) }),
    ],
    [
      "a Sentinel still watches n2",
      "a Sentinel",
      withNode(fresh(), N2, { settings: settings({ watchedBySentinel: true }) }),
    ],
    [
      "whether a Sentinel watches n2 cannot be seen",
      "an ACL that hides clients",
      withNode(fresh(), N2, { settings: null }),
    ],
    ["no primary serves, and n1 does not answer", "no primary", withNode(fresh(), N1, { heard: "silent" })],
    [
      "no primary serves, and n2 and n3 hold data",
      "fenced nodes with data",
      withNode(blankButOne(), N2, { reading: reading({ follows: BOOT_FENCE }) }),
    ],
  ])("refuses, and says that %s: %s", (words, _, state) => {
    const { turn, rejection } = begun(state, 1_500);
    expect([rejection?.reason, turn.commands]).toEqual(["adoption-refused", []]);
    expect(rejection?.detail).toContain(words);
    expect(rejection?.ends).not.toBe("");
  });

  it.each<[string, GroupState, { detail: string; ends: string; check: string | null }]>([
    [
      "the group is paused",
      { ...fresh(), look: { ...fresh().look!, ballot: newborn({ control: control({ mode: "paused" }) }) } },
      { detail: "the group is paused", ends: "resume", check: null },
    ],
    [
      "the group is observed",
      { ...fresh(), look: { ...fresh().look!, ballot: newborn({ control: control({ mode: "observe" }) }) } },
      { detail: "the group is only observed", ends: "mode act is set", check: null },
    ],
    [
      "a node has said nothing yet",
      withNode(fresh(), N3, { heard: null }),
      { detail: "the nodes are being looked at for the first time", ends: "all have answered once", check: null },
    ],
    [
      "the published epoch is being asked for",
      fresh(null),
      { detail: "the epoch of earlier publications is being read", ends: "it was read", check: null },
    ],
    [
      "another table's deployment publishes",
      { ...fresh(4), standingTable: "table-0", standingAskedAt: instant(1_000) },
      {
        detail: "the parameters of g were published from another table, table-0",
        ends: "they are deleted, once that deployment no longer looks after the group",
        check: "valkeeper groups remove there and delete the parameters, or valkeeper groups recover here",
      },
    ],
    [
      "two claim to be primary",
      withNode(fresh(), N2, { reading: primaryReading({ runId: run(2) }) }),
      {
        detail: "n1, n2 claim to be primary",
        ends: "one is made a replica of the other, or a person decides",
        check: "valkeeper groups recover",
      },
    ],
    [
      "replicas follow somebody else",
      withNode(withNode(fresh(), N3, { reading: reading({ linkUp: false }) }), N2, { reading: null }),
      {
        detail: "n2 and n3 do not follow n1",
        ends: "every reachable node follows the one primary",
        check: "REPLICAOF on those nodes, or valkeeper groups recover",
      },
    ],
    [
      "a Sentinel watches",
      withNode(fresh(), N2, { settings: settings({ watchedBySentinel: true }) }),
      {
        detail: "a Sentinel still watches n2",
        ends: "every Sentinel has removed the group (SENTINEL REMOVE)",
        check: "sentinel-*-cmd in CLIENT LIST",
      },
    ],
    [
      "nobody knows whether a Sentinel watches",
      withNode(fresh(), N2, { settings: null }),
      {
        detail: "whether a Sentinel watches n2 cannot be seen",
        ends: "CLIENT LIST and CONFIG GET are answered",
        check: "the coordinator's ACL",
      },
    ],
    [
      "no primary is seen",
      [N1, N2].reduce((state, id) => withNode(state, id, { heard: "silent" }), fresh()),
      {
        detail: "no primary serves, and n1 and n2 do not answer",
        ends: "every node answers, or a primary serves",
        check: null,
      },
    ],
    [
      "fenced nodes hold data",
      withNode(blankButOne(), N2, { reading: reading({ follows: BOOT_FENCE }) }),
      {
        detail: "no primary serves, and n2 and n3 hold data or follow somebody",
        ends: "a person names the node whose data counts",
        check: "valkeeper groups recover",
      },
    ],
  ])("S12: says word for word that %s", (_, state, words) => {
    expect(begun(state, 1_500).rejection).toMatchObject(words);
  });

  it("names in its event who did not answer, and where nobody did", () => {
    const silent = [N2, N3].reduce((state, id) => withNode(state, id, { heard: "silent" }), fresh());
    expect(begun(silent, 1_500).turn.state.storeBusy?.pending?.events).toMatchObject([
      { detail: { nodes: 1, unanswered: "n2 (10.0.0.2:6379), n3 (10.0.0.3:6379)" } },
    ]);
  });

  it("waits for a write that is under way", () => {
    const busy = { storeBusy: { sentAt: instant(0), pending: null } };
    expect(begun({ ...fresh(), ...busy })).toMatchObject({ rejection: null, write: undefined });
    expect(begun({ ...blank(fresh()), ...busy })).toMatchObject({ rejection: null, write: undefined });
  });

  it("says what to correct on a node that answers and lets nobody in, where no primary is seen", () => {
    const shut = { heard: "misconfigured", class: "misconfigured", detail: "wrong-password: WRONGPASS" } as const;
    const { turn, rejection } = begun(withNode(withNode(fresh(), N1, shut), N2, { heard: "silent" }), 1_500);
    expect([rejection?.reason, rejection?.detail]).toEqual(["misconfigured", "n1: wrong-password: WRONGPASS"]);
    expect([rejection?.check, turn.commands]).toEqual(["user, password, ACL and TLS of the coordinator on n1", []]);
    expect(begun(withNode(fresh(), N3, shut), 1_500).write?.name).toBe("adopt");
  });

  it("waits for a node that has not answered yet, a moment, and then goes by what it sees", () => {
    const state = withNode(fresh(), N3, { heard: "silent" });
    expect(begun(state).rejection?.reason).toBe("not-adopted");
    expect(begun(state, 1_500).write?.name).toBe("adopt");
  });

  it("waits for the first word of every node, however long", () => {
    expect(begun(withNode(fresh(), N3, { heard: null }), 1_500).rejection?.reason).toBe("not-adopted");
  });

  it.each(["observe", "paused"] as const)("S8: does nothing in %s", (mode) => {
    const look = newborn({ control: control({ mode, until: mode === "paused" ? wallTime(9e15) : null }) });
    const { turn, rejection } = begun({ ...fresh(), look: { ballot: look, sentAt: instant(0), at: instant(0) } });
    expect([rejection?.reason, turn.commands]).toEqual(["not-adopted", []]);
  });
});

function blankButOne(): GroupState {
  return withNode(blank(fresh()), N3, { reading: reading({ runId: run(3), follows: tokenAddress(ofEpoch(3)) }) });
}

describe("initialising", () => {
  it.each<[string, object]>([
    ["a replica of somebody", { follows: { host: "10.9.9.9", port: 6379 } }],
    ["one that holds a key", { keyCount: 1 }],
  ])("is not begun beside %s", (_, values) => {
    const state = blank(fresh());
    const other = withNode(state, N2, { reading: { ...state.nodes[N2]!.reading!, ...values } });
    expect(begun(other).rejection?.detail).toBe("no primary serves, and n2 holds data or follows somebody");
    const unread = withNode(state, N2, { reading: null });
    expect(begun(unread).rejection?.detail).toBe("no primary serves, and n2 holds data or follows somebody");
  });

  it("is recorded as nobody's order", () => {
    expect(begun(blank(fresh())).value("operation")).toMatchObject({
      by: "automatic",
      reason: "new group of empty nodes",
      insists: false,
    });
  });

  it("begins when every node answers, boot-fenced and empty, above everything that was published", () => {
    const { write, value, rejection } = begun(blank(fresh(6)));
    expect([rejection, write?.name, value("epoch")]).toEqual([null, "grant", 7]);
    expect(value("operation")).toMatchObject({ kind: "initialise", step: "begun", began: 7 });
  });

  it.each([
    [N2, "the declared primary", { primary: N2 }],
    [N3, "the best priority", { nodes: [node("n1"), node("n2", { priority: 50 }), node("n3", { priority: 10 })] }],
    [N2, "never priority 0", { primary: N1, nodes: [node("n1", { priority: 0 }), node("n2"), node("n3")] }],
  ])("makes %s the first primary: %s", (first, _, declared) => {
    const world = new World({ ...QUICK, ...declared });
    for (const voter of VOTERS) world.start(voter);
    expect(world.run((each) => each.isSettled())).toBe(true);
    expect([world.ballot.primary, world.violations]).toMatchObject([{ node: first, epoch: 1 }, []]);
    expect(world.done.filter((each) => each.startsWith("promote"))).toEqual([`promote ${first}@1`]);
  });
});

describe("the first record of a group", () => {
  const absent = { look: null, missing: true } as const;
  const created = (values: Partial<GroupState> = {}, mode: "act" | "observe" | "paused" = "act") =>
    stepAt({ ...fresh(), ...absent, ...values }, 10, { kind: "time-passed" }, context({ mode })).commands.flatMap(
      (each) => (each.kind === "write-ballot" ? [each.write] : []),
    );

  it("is written where there is none, with the mode that was declared", () => {
    const [write] = created({}, "observe");
    expect(write?.name).toBe("create");
    expect(write?.changes.find(({ path }) => path[0] === "control")?.value).toEqual({
      mode: "observe",
      by: "configuration",
      reason: "as declared",
      attempt: "declared",
    });
  });

  it("has a pause that nobody ends but a person, where one was declared", () => {
    const value = created({}, "paused")[0]?.changes.find(({ path }) => path[0] === "control")?.value;
    expect(value).toMatchObject({ mode: "paused", until: Number.MAX_SAFE_INTEGER });
  });

  it("is not written again while the outcome of the first try is unknown, nor beside another use of the store", () => {
    const pending = { write: {} as never, sentAt: instant(0), events: [] };
    expect(created({ unresolved: pending })).toEqual([]);
    expect(created({ storeBusy: { sentAt: instant(0), pending } })).toEqual([]);
    expect(created({ storeRetryAt: instant(11) })).toEqual([]);
  });
});
