import { describe, expect, it } from "vitest";
import type { EventName } from "../../lib/core/events.ts";
import type { VoterGroupView } from "../../lib/core/records.ts";
import { epoch, groupName, instant, voterId, wallTime } from "../../lib/core/types.ts";
import type { GroupStore } from "../../lib/ports/group-store.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import type { Measurement } from "../../lib/ports/metrics.ts";
import { VoterMeter } from "../../lib/runtime/voter-meter.ts";
import { rejected, viewOf } from "./views.ts";

const group = groupName("mymaster");
const voter = voterId("az-a");

/** A meter beside a journal and a store of which a test sets what the slot's write does. */
class Setting {
  now = 0;
  writeSlot: () => Promise<boolean> = () => Promise.resolve(true);
  readonly measured: Measurement[] = [];
  readonly written: JournalEntry[] = [];
  readonly meter: VoterMeter;
  readonly store: GroupStore;
  readonly #write: (entry: JournalEntry) => void;

  constructor(byGroup = false, shard = 0) {
    const clock = {
      now: () => instant(this.now),
      wallTime: () => wallTime(this.now),
      wakeAt: () => () => undefined,
    };
    const metrics = { put: (each: Measurement) => void this.measured.push(each) };
    this.meter = new VoterMeter({ metrics, clock, table: "t", voter, shard, byGroup });
    this.store = this.meter.store({ writeSlot: () => this.writeSlot() } as unknown as GroupStore);
    const journal = this.meter.journal({ write: (entry) => void this.written.push(entry) });
    this.#write = (entry) => journal.write(entry);
  }

  tell(event: EventName, detail: JournalEntry["detail"] = {}, tick = 1): void {
    this.#write({ event, detail, tick, group, voter, epoch: epoch(7), node: null, generation: 3 });
  }

  /** Writes the slot at `at`. */
  async show(at: number, view: VoterGroupView): Promise<void> {
    this.now = at;
    const groups = { [group]: view };
    const slot = {
      schema: 1,
      voter,
      shard: 0,
      groupsPerVoter: null,
      generation: 3,
      owner: "o",
      heartbeatAt: wallTime(at),
      regular: true,
      restsMs: null,
    } as const;
    await Promise.resolve(this.store.writeSlot({ ...slot, groups })).catch(() => undefined);
  }

  /** Every figure that was put, by the names of its dimensions. */
  get figures(): readonly (readonly [string, Readonly<Record<string, number>>])[] {
    return this.measured.flatMap(({ series }) =>
      series.map(({ dimensions, values }) => [Object.keys(dimensions).join(), values] as const),
    );
  }
}

describe("a voter's meter", () => {
  it("says once a minute that the voter is heard, and nothing else of a healthy group", async () => {
    const setting = new Setting();
    for (let at = 1_000; at <= 61_000; at += 5_000) await setting.show(at, viewOf());
    expect(setting.figures).toEqual([["Table,Voter", { VoterHeartbeats: 12 }]]);
    setting.meter.end();
    expect(setting.figures).toHaveLength(1);
  });

  it("is told from the same zone's voters of other shards", async () => {
    const dimensions = async (shard: number) => {
      const setting = new Setting(false, shard);
      await setting.show(1_000, viewOf());
      setting.meter.end();
      return setting.measured.flatMap(({ series }) => series.map((each) => each.dimensions));
    };
    expect(await dimensions(0)).toEqual([{ Table: "t", Voter: voter }]);
    expect(await dimensions(2)).toEqual([{ Table: "t", Voter: `${voter}-shard-2` }]);
  });

  it("says so at the end of a short invocation", async () => {
    const setting = new Setting();
    await setting.show(1_000, viewOf());
    setting.now = 40_000;
    setting.meter.end();
    expect(setting.figures).toEqual([["Table,Voter", { VoterHeartbeats: 1 }]]);
  });

  it("says so of one that leaves at once, as in economy mode: a minute without a figure is a silent voter", async () => {
    const setting = new Setting();
    await setting.show(80, viewOf());
    setting.now = 90;
    setting.meter.end();
    expect(setting.figures).toEqual([["Table,Voter", { VoterHeartbeats: 1 }]]);
  });

  it("does not call a voter heard whose slot a successor has taken, or the table refused", async () => {
    const setting = new Setting();
    setting.writeSlot = () => Promise.resolve(false);
    await setting.show(1_000, viewOf());
    setting.writeSlot = () => Promise.reject(new Error("no answer"));
    await setting.show(2_000, viewOf());
    setting.meter.end();
    expect(setting.figures).toEqual([["Table", { StoreFailures: 1 }]]);
  });

  it("keeps a condition that was seen in between, with the group and the reason in the line", async () => {
    const setting = new Setting();
    await setting.show(1_000, viewOf({ rejection: rejected("quorum-pending", 31_000) }));
    await setting.show(56_000, viewOf());
    expect(setting.figures).toContainEqual(["Table", { GroupsBlocked: 1 }]);
    expect(setting.measured[0]?.facts).toEqual({
      voter,
      conditions: { GroupsBlocked: { mymaster: "quorum-pending: as seen" } },
    });
    await setting.show(112_000, viewOf());
    expect(setting.figures.filter(([, values]) => "GroupsBlocked" in values)).toHaveLength(1);
  });

  it("measures how long nobody could be promoted by its own clock", async () => {
    const setting = new Setting();
    await setting.show(1_000, viewOf({ candidate: null }));
    await setting.show(5_000, viewOf());
    await setting.show(10_000, viewOf({ candidate: null }));
    await setting.show(39_000, viewOf({ candidate: null }));
    setting.meter.end();
    expect(setting.figures).toEqual([["Table,Voter", { VoterHeartbeats: 4 }]]);
    await setting.show(40_000, viewOf({ candidate: null }));
    setting.meter.end();
    expect(setting.figures).toContainEqual(["Table", { GroupsNotReady: 1 }]);
  });

  it("tells what an alarm waits for at once, and passes every event on", () => {
    const setting = new Setting();
    setting.tell("failover.completed", { kind: "failover" });
    setting.tell("group.failed", { reason: "bug" });
    expect(setting.figures).toEqual([
      ["Table", { Failovers: 1 }],
      ["Table", { GroupFailures: 1 }],
    ]);
    expect(setting.measured[0]?.facts).toMatchObject({ group, epoch: 7, measured: "failover.completed" });
    expect(setting.written.map((entry) => entry.event)).toEqual(["failover.completed", "group.failed"]);
  });

  it("takes a hand-over that nobody ordered for a failover", () => {
    const setting = new Setting();
    setting.tell("switchover.completed", { by: "automatic" });
    setting.tell("switchover.completed", { by: "kim@laptop" });
    expect(setting.figures).toEqual([
      ["Table", { Failovers: 1 }],
      ["Table", { Switchovers: 1 }],
    ]);
  });

  it("sums up what comes in bursts, also when no slot is ever written", () => {
    const setting = new Setting();
    for (; setting.now <= 55_000; setting.now += 500) setting.tell("store.unreachable", { reason: "no answer" });
    expect(setting.figures).toEqual([["Table", { StoreFailures: 111 }]]);
    setting.tell("deciding.suspended");
    setting.meter.throttled();
    setting.meter.end();
    expect(setting.figures[1]).toEqual(["Table", { VoterSuspensions: 1, Throttles: 1 }]);
  });

  it("counts a stall once, however many groups it held up", () => {
    const setting = new Setting();
    for (let group = 0; group < 50; group += 1) setting.tell("deciding.suspended", { lateMs: 1_200 });
    setting.now = 2_000;
    setting.tell("deciding.suspended", { lateMs: 1_500 });
    setting.meter.end();
    expect(setting.figures).toEqual([["Table", { VoterSuspensions: 2 }]]);
  });

  it("calls a group not ready whose spec is not valid", () => {
    const setting = new Setting();
    setting.tell("group.held", { reason: "mymaster: quorum 1 is below 2" }, 0);
    setting.meter.end();
    expect(setting.figures).toEqual([["Table", { GroupsNotReady: 1 }]]);
  });

  it("reports each group by itself only when asked to", async () => {
    const setting = new Setting(true);
    setting.tell("failover.completed");
    await setting.show(60_000, viewOf({ rejection: rejected("too-few-nodes", 31_000) }));
    expect(setting.figures).toEqual([
      ["Table", { Failovers: 1 }],
      ["Table,Group", { Failovers: 1 }],
      ["Table", { GroupsBlocked: 1 }],
      ["Table,Voter", { VoterHeartbeats: 1 }],
      ["Table,Group", { GroupsBlocked: 1 }],
    ]);
  });
});
