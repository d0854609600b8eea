// One group's bug is that group's: the voter watches the others on, tries it anew, and ends as failed.

import { describe, expect, it } from "vitest";
import { type Ballot, emptyBallot } from "../../lib/core/ballot.ts";
import type { GroupConfig } from "../../lib/core/config.ts";
import type { RequestRecord, RequestResult, SlotRecord, SpecRecord } from "../../lib/core/records.ts";
import {
  attemptId,
  epoch,
  type GroupName,
  groupName,
  instant,
  nodeId,
  voterId,
  type WallTime,
  wallTime,
} from "../../lib/core/types.ts";
import type { GroupStore } from "../../lib/ports/group-store.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { VoterLoop, type VoterSummary } from "../../lib/runtime/voter-loop.ts";
import { ManualClock } from "../support/manual-clock.ts";

const sound = groupName("sound");
const broken = groupName("broken");
const voter = voterId("az-a");

const control = { mode: "act", by: "test", reason: "", until: null, attempt: attemptId("c") } as const;
const unadopted = emptyBallot({ group: sound, table: "table-1", control, attempt: attemptId("b") });

const specOf = (group: GroupName, settings: Partial<GroupConfig>): SpecRecord => {
  const node = (id: string, host: string) => ({
    ...{ id: nodeId(id), host, port: 6379, zone: "a", priority: null, announce: null },
  });
  const declared = { name: group, nodes: [node("n1", "127.0.0.1"), node("n2", "127.0.0.2")], ...settings };
  return { schema: 1, group, version: 1, owner: "cli", declared, overrides: {}, shard: 0 };
};

function scene(settings: Partial<GroupConfig> = {}) {
  const clock = new ManualClock();
  const journal: JournalEntry[] = [];
  const reads: GroupName[] = [];
  const answers: RequestResult[] = [];
  const asked = { glances: 0, slotReads: 0, slotWrites: 0, requestReads: 0 };
  let slot: SlotRecord | null = null;
  let glanced: RequestRecord | null = null;
  let standing: RequestRecord | null = null;
  /** Null: the record is there at once; else it comes behind the request, and names this one as the last begun. */
  let lastRequest: string | null = null;
  const store: GroupStore = {
    tableId: async () => "table-1",
    listSpecs: async () => ({ specs: [specOf(sound, settings), specOf(broken, settings)], damaged: [] }),
    glance: async () => {
      asked.glances += 1;
      await Promise.resolve();
      return new Map([[sound, { ballot: null, request: glanced, unreadable: null }]]);
    },
    readRequest: async () => {
      asked.requestReads += 1;
      return standing;
    },
    readBallot: async (group) => {
      reads.push(group);
      // What no decoder lets through, so that the step itself stumbles over it.
      if (group === broken) return { table: "table-1", votes: null } as unknown as Ballot;
      for (let turns = lastRequest === null ? 0 : 20; turns > 0; turns--) await Promise.resolve();
      return { ...unadopted, lastRequest };
    },
    writeBallot: async () => ({ kind: "unknown", detail: "no table" }),
    resolveRequest: async (_group, _id, result) => answers.push(result) > 0,
    appendHistory: async () => {},
    takeSlot: async (_voter, _shard, owner, at: WallTime) => {
      const taken = {
        schema: 1,
        voter,
        shard: 0,
        groupsPerVoter: null,
        generation: 1,
        owner,
        heartbeatAt: at,
      } as const;
      slot = { ...taken, regular: false, restsMs: null, groups: {} };
      return slot;
    },
    readSlot: async () => {
      asked.slotReads += 1;
      return slot;
    },
    writeSlot: async () => {
      asked.slotWrites += 1;
      return true;
    },
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
      economy: false,
    },
    (summary) => summaries.push(summary),
  );
  const failures = () => journal.filter(({ event }) => event === "group.failed");
  const ask = (shown: RequestRecord, actual: RequestRecord, last: string | null = null): void => {
    glanced = shown;
    standing = actual;
    lastRequest = last;
  };
  return { clock, loop, reads, journal, summaries, failures, answers, ask, asked };
}

describe("how often the table is asked while nothing happens", () => {
  const asked = async (settings: Partial<GroupConfig>) => {
    const it = scene(settings);
    it.loop.start();
    await it.clock.pass(2_000);
    const before = { ...it.asked };
    await it.clock.pass(15_000);
    const { glances, slotReads, slotWrites } = it.asked;
    return [glances - before.glances, slotReads - before.slotReads, slotWrites - before.slotWrites];
  };

  it("is the groups' own watchIntervalMs and heartbeatMs", async () => {
    expect(await asked({})).toEqual([15, 15, 3]);
  });

  it("is less for a group that asks for less, but for a successor: it is looked for every second", async () => {
    expect(await asked({ watchIntervalMs: 5_000, heartbeatMs: 15_000 })).toEqual([3, 15, 1]);
  });
});

describe("a spec that a newer version has written", () => {
  const newer = { electAfterMs: 7 } as Partial<GroupConfig>;

  it("is served with the settings that this version knows, and what was left out is told once", async () => {
    const { clock, loop, reads, journal } = scene(newer);
    loop.start();
    await clock.pass(15_000);
    expect(reads).toContain(sound);
    const told = journal.filter(({ event, group }) => event === "setting.left-out" && group === sound);
    expect(told.map(({ detail }) => detail["reason"])).toEqual([expect.stringContaining('no setting "electAfterMs"')]);
    expect(journal.map(({ event }) => event)).not.toContain("group.held");
  });
});

describe("a request that a glance shows", () => {
  const expired: RequestRecord = {
    ...{ schema: 1, id: "one", kind: "switchover", target: null, by: "alice", reason: "", acceptDataLoss: false },
    ...{ askedAt: wallTime(-60_000), expiresAt: wallTime(-1), result: null },
  };
  const result: RequestResult = { kind: "refused", detail: "no", epoch: epoch(1), at: wallTime(0) };

  it("is taken up as it stands, read consistently", async () => {
    const { clock, loop, answers, ask } = scene();
    ask(expired, expired);
    loop.start();
    await clock.pass(3_000);
    expect(answers.map(({ kind }) => kind)).toEqual(["refused"]);
  });

  it("is read once more when the record names another as the last one begun", async () => {
    const { clock, loop, answers, ask, asked } = scene();
    ask(expired, expired, "another");
    loop.start();
    await clock.pass(500);
    expect([answers, asked.requestReads]).toEqual([[], 1]);
    await clock.pass(2_500);
    expect([answers.map(({ kind }) => kind), asked.requestReads]).toEqual([["refused"], 2]);
  });

  it("is not taken up when it was answered meanwhile: the glance was of before", async () => {
    const { clock, loop, answers, ask } = scene();
    ask(expired, { ...expired, result });
    loop.start();
    await clock.pass(3_000);
    expect(answers).toEqual([]);
  });
});

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
