// One group's bug is that group's: the voter watches the others on, tries it anew, and ends as failed.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { SlotRecord, SpecRecord } from "../../lib/core/records.ts";
import { type GroupName, groupName, instant, nodeId, voterId, type WallTime } from "../../lib/core/types.ts";
import type { GroupStore } from "../../lib/ports/group-store.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { VoterLoop, type VoterSummary } from "../../lib/runtime/voter-loop.ts";
import { ManualClock } from "../support/manual-clock.ts";

const sound = groupName("sound");
const broken = groupName("broken");
const voter = voterId("az-a");

const specOf = (group: GroupName): SpecRecord => {
  const node = (id: string, host: string) => ({
    ...{ id: nodeId(id), host, port: 6379, zone: "a", priority: null, announce: null },
  });
  const declared = { name: group, nodes: [node("n1", "127.0.0.1"), node("n2", "127.0.0.2")] };
  return { schema: 1, group, version: 1, owner: "cli", declared, overrides: {}, shard: 0 };
};

function scene() {
  const clock = new ManualClock();
  const journal: JournalEntry[] = [];
  const reads: GroupName[] = [];
  let slot: SlotRecord | null = null;
  const store: GroupStore = {
    tableId: async () => "table-1",
    listSpecs: async () => ({ specs: [specOf(sound), specOf(broken)], damaged: [] }),
    glance: async () => new Map(),
    readBallot: async (group) => {
      reads.push(group);
      // What no decoder lets through, so that the step itself stumbles over it.
      return group === broken ? ({ table: "table-1", votes: null } as unknown as Ballot) : null;
    },
    writeBallot: async () => ({ kind: "unknown", detail: "no table" }),
    resolveRequest: async () => true,
    appendHistory: async () => {},
    takeSlot: async (_voter, _shard, owner, at: WallTime) => {
      slot = { schema: 1, voter, generation: 1, owner, heartbeatAt: at, regular: false, groups: {} };
      return slot;
    },
    readSlot: async () => slot,
    writeSlot: async () => true,
  };
  const summaries: VoterSummary[] = [];
  const loop = new VoterLoop(
    {
      voter,
      voters: [voter, voterId("az-b"), voterId("az-c")],
      shard: 0,
      owner: "test",
      store,
      openNodes: () => ({
        open: (address) => ({
          address,
          probe: async () => ({ kind: "silent", detail: "nobody", parkable: null }),
          execute: async () => ({ kind: "refused", detail: "nobody", reading: null }),
          onLateOutcome: () => {},
          onCut: () => {},
          close: () => {},
        }),
      }),
      publisher: {
        publish: async () => ({ kind: "skipped", detail: "" }),
        standing: async () => ({ epoch: 0 as never, table: null }),
      },
      clock,
      journal: { write: (entry) => void journal.push(entry) },
      deadline: instant(20_000),
    },
    (summary) => summaries.push(summary),
  );
  const failures = () => journal.filter(({ event }) => event === "group.failed");
  return { clock, loop, reads, summaries, failures };
}

describe("a bug in one group's step", () => {
  it("leaves the others watched, and the group is tried anew", async () => {
    const { clock, loop, reads, failures } = scene();
    loop.start();
    await clock.pass(1_000);
    expect(failures().map(({ group }) => group)).toEqual([broken]);
    expect(failures()[0]?.detail["reason"]).toMatch(/TypeError.*\n\s+at /);
    const before = reads.filter((group) => group === sound).length;
    await clock.pass(10_000);
    expect(reads.filter((group) => group === sound).length).toBeGreaterThan(before);
    // Once for each reading of the specs: fresh, and never in a busy loop.
    expect(failures()).toHaveLength(3);
  });

  it("makes the invocation end as failed, with the group's name and the reason", async () => {
    const { clock, loop, summaries } = scene();
    loop.start();
    await clock.pass(20_000);
    await clock.pass(3_000);
    expect(summaries).toEqual([
      { generation: 1, groups: 1, reason: "failed", detail: expect.stringMatching(/^broken: /) },
    ]);
  });
});
