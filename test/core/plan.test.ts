import { describe, expect, it } from "vitest";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import { newRun } from "../../lib/core/operation.ts";
import { planLook, planProbes, rareAfterLong } from "../../lib/core/plan.ts";
import { type GroupState, NEVER } from "../../lib/core/state.ts";
import { instant } from "../../lib/core/types.ts";
import { B, ballot, context, lease, N1, N2, N3, turnAt, vote, watching, withNode } from "./builders.ts";

const TEN_MINUTES = 600_000;
const voted = ballot({ votes: { [B]: vote() } });
const astray = withNode(watching(), N2, { class: "silent", heard: "silent" });
const operation = newRun({
  ballot: ballot(),
  takenOver: false,
  at: instant(0),
  leaseUntil: instant(1),
  renewDueAt: instant(1),
});

describe("the next look", () => {
  const looked = (state: GroupState, at: number, settings: Partial<DeclaredConfig> = {}, wanted = false) => {
    const turn = turnAt(state, at, context(settings));
    turn.lookWanted = wanted;
    planLook(turn);
    return { reads: turn.commands.length, wakeAt: turn.wakeAt, state: turn.state };
  };

  it.each<[string, GroupState, number]>([
    ["a quiet group", watching(), 0],
    ["a write of unknown outcome", watching(ballot(), { unresolved: {} as never }), 1],
    ["a store that failed", watching(ballot(), { storeFailedSince: instant(0) }), 1],
    ["no look yet", watching(null), 1],
    ["a glance that saw something newer", watching(ballot(), { staleLook: true }), 1],
  ])("for %s comes at once: %s", (_, state, reads) => {
    expect(looked(state, 1).reads).toBe(reads);
  });

  it("comes at once when something waits for it, and not beside another use of the store", () => {
    expect(looked(watching(), 1, {}, true).reads).toBe(1);
    expect(looked(watching(ballot(), { storeBusy: { sentAt: instant(0), pending: null } }), 1, {}, true).reads).toBe(0);
    const resting = looked(watching(ballot(), { storeRetryAt: instant(9) }), 1, {}, true);
    expect([resting.reads, resting.wakeAt]).toEqual([0, 9]);
  });

  it("for a record that is missing comes with the next probes", () => {
    const missing = watching(null, { missing: true, lastAt: instant(0) });
    expect([looked(missing, 499).reads, looked(missing, 499).wakeAt, looked(missing, 500).reads]).toEqual([0, 500, 1]);
  });

  it("comes every tick while anything is irregular, and is the holder's own business under its lease", () => {
    const state = watching(voted);
    expect([looked(state, 99).reads, looked(state, 99).wakeAt, looked(state, 100).reads]).toEqual([0, 100, 1]);
    expect(looked({ ...state, operation }, 5_000).reads).toBe(0);
  });

  it("comes with the probes while a replica is not as recorded, never more often than every tick", () => {
    expect([looked(astray, 499).reads, looked(astray, 500).reads]).toEqual([0, 1]);
    const quick = { probeIntervalMs: 50 };
    expect([looked(astray, 99, quick).reads, looked(astray, 100, quick).reads]).toEqual([0, 1]);
    expect(looked(watching(), 90_000).reads).toBe(0);
  });

  it("notes since when there is trouble, and that there is none any more", () => {
    expect(looked(astray, 7).state.irregularSince).toBe(7);
    expect(looked(watching(voted), 7).state.irregularSince).toBe(7);
    expect(looked({ ...astray, irregularSince: instant(3) }, 7).state.irregularSince).toBe(3);
    expect(looked(watching(ballot(), { irregularSince: instant(3) }), 7).state.irregularSince).toBe(null);
    expect(looked(watching(), 7).state.irregularSince).toBe(null);
  });
});

describe("what is done every tick", () => {
  const every = (since: number | null, at: number, state = watching(voted), quickMs = 100) =>
    rareAfterLong(turnAt({ ...state, irregularSince: since === null ? null : instant(since) }, at), quickMs);

  it("is done every interval after ten minutes of the same trouble, unless a lease stands", () => {
    expect([every(0, TEN_MINUTES), every(0, TEN_MINUTES + 1)]).toEqual([100, 500]);
    expect(every(null, TEN_MINUTES + 1)).toBe(100);
    expect(every(5, TEN_MINUTES + 5)).toBe(100);
    expect(every(0, TEN_MINUTES + 1, watching(ballot({ lease: lease() })))).toBe(100);
    expect(every(0, TEN_MINUTES + 1, watching(null))).toBe(100);
    expect(every(0, TEN_MINUTES + 1, watching(voted), 900)).toBe(900);
  });
});

describe("the next probe", () => {
  /** Probed at 0; nobody has asked for a probe but where it is said. */
  const unasked = (state: GroupState): GroupState =>
    [N1, N2, N3].reduce((all, id) => withNode(all, id, { probeDueAt: NEVER }), state);
  const probed = (state: GroupState, at: number, settings: Partial<DeclaredConfig> = {}) => {
    const turn = turnAt(unasked(state), at, context(settings));
    planProbes(turn);
    const nodes = turn.commands.flatMap((each) => (each.kind === "probe" ? [each.node] : []));
    return { nodes: nodes.length, of: nodes, commands: turn.commands, wakeAt: turn.wakeAt, state: turn.state };
  };

  it("is every interval, of every node, and remembered", () => {
    expect([probed(watching(), 499).nodes, probed(watching(), 499).wakeAt, probed(watching(), 500).nodes]).toEqual([
      0, 500, 3,
    ]);
    const { commands, state } = probed(watching(), 500);
    expect(commands[0]).toEqual({
      kind: "probe",
      node: N1,
      address: { host: "10.0.0.1", port: 6379 },
      deadline: 1_000,
      fresh: false,
    });
    expect(state.nodes[N1]).toMatchObject({ probing: 500, probedAt: 500 });
    expect(probed(withNode(watching(), N1, { probing: instant(0) }), 500).of).not.toContain(N1);
    expect(probed(withNode(watching(), N1, { probedAt: null }), 1).of).toEqual([N1]);
  });

  it("is every tick of all nodes while anything is irregular, and of one that is astray alone", () => {
    expect([probed(watching(voted), 99).nodes, probed(watching(voted), 100).nodes]).toEqual([0, 3]);
    expect(probed(astray, 100).of).toEqual([N2]);
    expect(probed(watching(voted), 50, { probeIntervalMs: 50 }).nodes).toBe(3);
  });

  it("is every interval again after ten minutes of trouble", () => {
    const long = watching(voted, { irregularSince: instant(-TEN_MINUTES - 1) });
    expect([probed(long, 499).nodes, probed(long, 500).nodes]).toEqual([0, 3]);
  });

  it("that is asked for at once comes after a breath", () => {
    const asked = (askedFor: number, at: number) => {
      const turn = turnAt(withNode(unasked(watching()), N2, { probeDueAt: instant(askedFor) }), at);
      planProbes(turn);
      return [turn.commands.map((each) => (each.kind === "probe" ? each.node : each)), turn.wakeAt];
    };
    expect([asked(0, 1), asked(0, 2)]).toEqual([
      [[], 2],
      [[N2], 500],
    ]);
    expect([asked(30, 29), asked(30, 30)]).toEqual([
      [[], 30],
      [[N2], 500],
    ]);
  });
});
