import { beforeEach, describe, expect, it } from "vitest";
import { type Ballot, emptyBallot } from "../../lib/core/ballot.ts";
import { PortError, RecordFormatError } from "../../lib/core/errors.ts";
import type { PublicationTarget, PublishedCopies, SlotRecord, SpecRecord } from "../../lib/core/records.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import {
  attemptId,
  epoch,
  type GroupName,
  groupName,
  type Instant,
  instant,
  nodeId,
  replicationId,
  runId,
  voterId,
  type WallTime,
  wallTime,
} from "../../lib/core/types.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import type { PublishOutcome } from "../../lib/ports/publisher.ts";
import { type PublisherPorts, publishGroups } from "../../lib/runtime/publisher-loop.ts";

const group = groupName("mymaster");
const other = groupName("other");
const n1 = nodeId("n1");
const NOW = 5_000_000;
const APPLIED: PublishOutcome = { kind: "applied", changed: true };

function ballotOf(name: GroupName, changes: Partial<Ballot> = {}): Ballot {
  const attempt = attemptId("a");
  const control = { mode: "act", by: "cdk", reason: "", until: null, attempt } as const;
  return {
    ...emptyBallot({ group: name, table: "table-1", control, attempt }),
    epoch: epoch(7),
    primary: { node: n1, epoch: epoch(7), runId: runId("r"), replicationId: replicationId("i") },
    ...changes,
  };
}

function specOf(name: GroupName): SpecRecord {
  const nodes = [{ id: n1, host: "10.0.0.1", port: 6379, zone: "a", priority: null, announce: null }];
  return { schema: 1, group: name, version: 1, owner: "cli", declared: { name, nodes }, overrides: {}, shard: 0 };
}

function slotSaying(
  reason: RejectionReason,
  changes: { readonly at?: WallTime; readonly epoch?: number } = {},
): SlotRecord {
  const view = {
    at: changes.at ?? wallTime(NOW - 1_000),
    epoch: epoch(changes.epoch ?? 7),
    operation: null,
    vote: "none",
    rejection: { reason, detail: "", ends: "", check: null, sinceMs: 1 },
    nodes: {},
    candidate: null,
    notCandidates: {},
  } as const;
  const rest = { schema: 1, generation: 1, owner: "o", heartbeatAt: view.at, regular: true, restsMs: null } as const;
  return { ...rest, voter: voterId("az-a"), shard: 0, groupsPerVoter: null, groups: { [group]: view } };
}

/** What the ports hold and were asked; a test changes what it is about. */
class Setting {
  ballots = new Map<GroupName, Ballot | Error>([[group, ballotOf(group)]]);
  slots: readonly SlotRecord[] | Error = [];
  copies: PublishedCopies = { ssm: null, dns: null };
  outcomes: Partial<Record<PublicationTarget, PublishOutcome>> = {};
  now: Instant = instant(0);
  onPublish: (target: PublicationTarget) => void = () => undefined;
  readonly asked: string[] = [];
  readonly lines: JournalEntry[] = [];

  /** What a voter says, or why nobody can know. */
  says(slots: SlotRecord | Error): void {
    this.slots = slots instanceof Error ? slots : [slots];
  }

  async run(only: ReadonlySet<GroupName> | null = null) {
    return publishGroups(this.#ports(), { only, deadline: instant(1_000) });
  }

  #ports(): PublisherPorts {
    const unless = async <T>(value: T | Error): Promise<T> => {
      if (value instanceof Error) throw value;
      return value;
    };
    return {
      store: {
        tableId: async () => "table-1",
        listSpecs: async () => ({ specs: [...this.ballots.keys()].map(specOf), damaged: [] }),
        readBallot: (name) => unless<Ballot | null>(this.ballots.get(name) ?? null),
        readCopies: async () => this.copies,
        listSlots: () => unless(this.slots),
      },
      publisher: {
        publish: async (target, publication) => {
          this.asked.push(`${publication.group} ${target} ${publication.epoch}.${publication.revision}`);
          this.onPublish(target);
          return this.outcomes[target] ?? APPLIED;
        },
        standing: async () => ({ epoch: epoch(0), table: null }),
      },
      clock: { now: () => this.now, wallTime: () => wallTime(NOW), wakeAt: () => () => undefined },
      journal: { write: (entry) => void this.lines.push(entry) },
    };
  }
}

let setting: Setting;
beforeEach(() => {
  setting = new Setting();
});
const confirmed = (of: number) => ({ epoch: epoch(of), revision: 0, at: wallTime(1) });
const ALL = ["mymaster table 7.0", "mymaster ssm 7.0", "mymaster dns 7.0"];

describe("the publisher's loop", () => {
  it("L1: brings the table first, then its copies, to what the ballot says", async () => {
    expect(await setting.run()).toEqual({ groups: 1, changed: 3, failed: {} });
    expect(setting.asked).toEqual(ALL);
    expect(setting.lines[0]).toEqual({
      event: "publication.committed",
      group,
      epoch: 7,
      node: n1,
      voter: "publisher",
      generation: 0,
      tick: 0,
      detail: { target: "table", revision: 0, primary: "n1", host: "10.0.0.1", port: 6379, replicas: 0 },
    });
  });

  it("writes no line where nothing changed", async () => {
    const same: PublishOutcome = { kind: "applied", changed: false };
    setting.outcomes = { table: same, ssm: { kind: "skipped", detail: "" }, dns: same };
    expect(await setting.run()).toEqual({ groups: 1, changed: 0, failed: {} });
    expect(setting.lines).toEqual([]);
  });

  it("looks at the groups that are asked for", async () => {
    setting.ballots.set(other, ballotOf(other));
    expect(await setting.run(new Set([other]))).toMatchObject({ groups: 1 });
    expect(setting.asked.every((each) => each.startsWith("other "))).toBe(true);
  });

  it.each<readonly [string, Ballot]>([
    ["has no primary yet", ballotOf(group, { primary: null })],
    ["was written for another table", ballotOf(group, { table: "table-2" })],
  ])("publishes nothing of a group that %s", async (_name, ballot) => {
    setting.ballots.set(group, ballot);
    expect(await setting.run()).toEqual({ groups: 1, changed: 0, failed: {} });
    expect(setting.asked).toEqual([]);
  });
});

describe("S8: the publisher's loop beside a person", () => {
  const control = (mode: "paused" | "observe", until: number | null) =>
    ballotOf(group, {
      control: {
        mode,
        by: "alice",
        reason: "",
        until: until === null ? null : wallTime(until),
        attempt: attemptId("p"),
      },
    });
  const held: readonly (readonly [string, () => void])[] = [
    ["paused", () => setting.ballots.set(group, control("paused", NOW + 1))],
    ["observing", () => setting.ballots.set(group, control("observe", null))],
    ["with a primary that no record explains", () => setting.says(slotSaying("unexplained-primary"))],
    ["with data that no record explains", () => setting.says(slotSaying("unknown-history"))],
    ["when it cannot know what voters see", () => setting.says(new PortError("s", "listSlots", "denied"))],
  ];

  it.each(held)("repairs no copy: %s", async (_name, hold) => {
    hold();
    setting.copies = { ssm: confirmed(7), dns: null };
    await setting.run();
    expect(setting.asked).toEqual(["mymaster table 7.0"]);
  });

  it.each(held)("tells those who know an older primary that the operation was finished: %s", async (_name, hold) => {
    hold();
    setting.copies = { ssm: confirmed(6), dns: confirmed(6) };
    await setting.run();
    expect(setting.asked).toEqual(ALL);
  });

  it.each<readonly [string, () => void]>([
    ["a pause that has ended", () => setting.ballots.set(group, control("paused", NOW))],
    ["what was said of an older epoch", () => setting.says(slotSaying("unexplained-primary", { epoch: 6 }))],
    ["what was said long ago", () => setting.says(slotSaying("unexplained-primary", { at: wallTime(1) }))],
    ["another reason", () => setting.says(slotSaying("quorum-pending"))],
  ])("is not held back by %s", async (_name, set) => {
    set();
    setting.copies = { ssm: confirmed(7), dns: confirmed(7) };
    await setting.run();
    expect(setting.asked).toEqual(ALL);
  });
});

describe("the publisher's loop when something is wrong", () => {
  it("ends as failed for every group when it cannot know what voters see", async () => {
    setting.says(new PortError("group-store", "listSlots", "denied"));
    const detail = "what the voters see cannot be read, nothing is repaired: group-store.listSlots: denied";
    expect((await setting.run()).failed).toMatchObject({ [group]: detail });
    const [line] = setting.lines.filter(({ event }) => event === "publication.failed");
    expect(line).toMatchObject({ group, detail: { detail } });
  });

  it("names what failed, and goes on with the rest", async () => {
    setting.ballots.set(other, new PortError("group-store", "readBallot", "throttled"));
    setting.outcomes = { dns: { kind: "failed", detail: "not made by Valkeeper" } };
    expect(await setting.run()).toEqual({
      groups: 2,
      changed: 2,
      failed: { [group]: "dns: not made by Valkeeper", [other]: "group-store.readBallot: throttled" },
    });
    const failed = setting.lines.filter((line) => line.event === "publication.failed");
    expect(failed.map((line) => [line.group, line.detail["target"] ?? null])).toEqual([
      [other, null],
      [group, "dns"],
    ]);
  });

  it("holds a group whose ballot cannot be decoded, and says so", async () => {
    setting.ballots.set(group, new RecordFormatError("the ballot has schema 9"));
    expect((await setting.run()).failed).toEqual({ [group]: "the ballot has schema 9" });
    expect(setting.asked).toEqual([]);
  });

  it("publishes the newer ballot when a voter was faster", async () => {
    setting.outcomes = { ssm: { kind: "superseded", detail: "epoch 8" } };
    setting.onPublish = () => {
      const primary = { node: n1, epoch: epoch(8), runId: runId("r"), replicationId: replicationId("i") };
      setting.ballots.set(group, ballotOf(group, { epoch: epoch(8), primary }));
    };
    const { failed } = await setting.run();
    expect(failed).toEqual({});
    expect(setting.asked).toEqual([...ALL, "mymaster table 8.0", "mymaster ssm 8.0", "mymaster dns 8.0"]);
  });

  it("alarms when a newer one stands than any ballot of this table knows", async () => {
    setting.outcomes = { dns: { kind: "superseded", detail: "the twin says epoch 12" } };
    const { failed } = await setting.run();
    expect(failed[group]).toBe("dns: a newer one stands than the ballot knows: the twin says epoch 12");
  });

  it("puts no copy right while the ordered item says something newer", async () => {
    setting.outcomes = { table: { kind: "superseded", detail: "epoch 12" } };
    await setting.run();
    expect(setting.asked).toEqual(["mymaster table 7.0"]);
  });

  it("begins no group after its deadline, and says which", async () => {
    setting.now = instant(1_000);
    expect((await setting.run()).failed).toEqual({ [group]: "there was no time left for it" });
  });
});
