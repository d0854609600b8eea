// S5 with made-up worlds that break it, and some just beside them that do not.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { type Made, made, n1, n2, position, stream, truth } from "./made-world.ts";
import type { NodeTruth } from "./oracle-view.ts";

const at = position(stream("a"), 5);

interface Unlike {
  readonly old?: Partial<NodeTruth>;
  readonly record?: object;
}

const recordOf = (node: string, changes: object = {}): Ballot =>
  ({
    table: "table-1",
    primary: { node, epoch: 2, runId: `run of ${node}`, replicationId: "id" },
    control: { mode: "act" },
    operation: null,
    lineage: { histories: [{ epoch: 1, node: "n1", replicationId: at.stream.id, forkOffset: 0 }], intents: [] },
    ...changes,
  }) as unknown as Ballot;

/** n1 was committed, n2 is; both accept writes. */
function world({ old = {}, record = {} }: Unlike = {}): Made {
  const of = made();
  of.view.record = recordOf("n1");
  of.oracle.fence.check();
  of.view.truths = [truth(n1, at, { acceptsWrites: true, ...old }), truth(n2, null, { acceptsWrites: true })];
  of.view.record = recordOf("n2", record);
  return of;
}

function pass(of: Made, ms: number): readonly string[] {
  for (const until = of.view.time + ms; of.view.time < until; of.view.time += 500) of.oracle.fence.check();
  of.oracle.fence.check();
  return of.ids();
}

describe("an old primary that a voter reaches", () => {
  it("S5: goes on for longer than five seconds", () => {
    const of = world();
    expect(pass(of, 5_000)).toEqual([]);
    expect(of.oracle.fence.asked).toBeGreaterThan(0);
    expect(pass(of, 500)).toEqual(["S5"]);
  });

  it.each<{ readonly what: string; readonly unlike: Unlike; readonly ids: readonly string[] }>([
    {
      what: "during an operation under a pause",
      unlike: { record: { control: { mode: "paused" }, operation: {} } },
      ids: ["S5"],
    },
    { what: "under a pause", unlike: { record: { control: { mode: "paused" } } }, ids: [] },
    { what: "which is only observed", unlike: { record: { control: { mode: "observe" } } }, ids: [] },
    { what: "by the record of another table", unlike: { record: { table: "table-0" } }, ids: [] },
    { what: "and accepts nothing", unlike: { old: { acceptsWrites: false } }, ids: [] },
    { what: "that nobody reaches", unlike: { old: { reachedBy: () => [] } }, ids: [] },
    { what: "whose history no record explains", unlike: { old: { position: position(stream("b"), 5) } }, ids: [] },
    { what: "that was never committed", unlike: { old: { runId: "another run" } }, ids: [] },
  ])("S5: one $what", ({ unlike, ids }) => {
    expect(pass(world(unlike), 6_000)).toEqual(ids);
  });

  it("S5: is reached by one invocation for as long, not by one after the other", () => {
    const turns = world({ old: { reachedBy: () => [`az-a/${Math.floor(turns.view.time / 4_000)}`] } });
    expect(pass(turns, 12_000)).toEqual([]);
    const both = world({ old: { reachedBy: () => ["az-b/1", `az-a/${Math.floor(both.view.time / 4_000)}`] } });
    expect(pass(both, 6_000)).toEqual(["S5"]);
  });

  it("S5: a person made it one again, or replaced the record", () => {
    const byHand = world();
    byHand.oracle.onNode({ kind: "promoted", node: n1, by: "hand", epoch: null });
    expect(pass(byHand, 6_000)).toEqual([]);
    const byVoter = world();
    byVoter.oracle.onNode({ kind: "promoted", node: n1, by: "voter:az-a", epoch: null });
    expect(pass(byVoter, 6_000)).toEqual(["S5"]);
    const replaced = world();
    replaced.oracle.onReplaced("restored");
    expect(pass(replaced, 6_000)).toEqual([]);
  });
});
