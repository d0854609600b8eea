import { describe, expect, it } from "vitest";
import { type Attempt, type Ballot, emptyBallot } from "../../lib/core/ballot.ts";
import { attemptId, epoch, groupName, instant, wallTime } from "../../lib/core/types.ts";
import type { Measurement } from "../../lib/ports/metrics.ts";
import type { PublisherStore } from "../../lib/runtime/publisher-loop.ts";
import { PublisherMeter } from "../../lib/runtime/publisher-meter.ts";

const group = groupName("mymaster");
const NOW = 5_000_000;

const attempt = (at: number, promoted: boolean): Attempt => ({ epoch: epoch(3), at: wallTime(at), promoted });

function ballotWith(budget: readonly Attempt[]): Ballot {
  const control = { mode: "act", by: "cdk", reason: "", until: null, attempt: attemptId("a") } as const;
  return { ...emptyBallot({ group, table: "t", control, attempt: attemptId("a") }), budget };
}

function meterOf(byGroup = false) {
  const measured: Measurement[] = [];
  const clock = { now: () => instant(0), wallTime: () => wallTime(NOW), wakeAt: () => () => undefined };
  const metrics = { put: (each: Measurement) => void measured.push(each) };
  const meter = new PublisherMeter({ metrics, clock, table: "t", shards: 2, byGroup });
  const list = (...shards: number[]) => {
    const specs = shards.map((shard) => ({ group: groupName(`of-${shard}`), shard }));
    return meter
      .store({ listSpecs: () => Promise.resolve({ specs, damaged: [] }) } as unknown as PublisherStore)
      .listSpecs();
  };
  const read = (ballot: Ballot) =>
    meter.store({ readBallot: () => Promise.resolve(ballot) } as unknown as PublisherStore).readBallot(group);
  return { meter, measured, list, read, values: () => measured.map(({ series }) => series[0]?.values) };
}

const inLine = { groups: 1, changed: 0, failed: {} };

describe("the publisher's meter", () => {
  it("says every minute that nothing is behind, so that its silence is noticed", () => {
    const { meter, values } = meterOf();
    meter.ended(inLine, true);
    expect(values()).toEqual([{ PublicationsBehind: 0 }]);
  });

  it("names the groups that could not be brought in line", () => {
    const { meter, measured } = meterOf();
    meter.ended({ ...inLine, failed: { [group]: "ssm: AccessDenied" } }, true);
    expect(measured).toEqual([
      {
        series: [{ dimensions: { Table: "t" }, values: { PublicationsBehind: 1 } }],
        facts: { voter: "publisher", conditions: { PublicationsBehind: { mymaster: "ssm: AccessDenied" } } },
      },
    ]);
  });

  it("leaves to the next minute what a run of the stream could not do, but tells what was throttled", () => {
    const { meter, values } = meterOf();
    meter.ended({ ...inLine, failed: { [group]: "ssm: no answer" } }, false);
    expect(values()).toEqual([]);
    meter.throttled();
    meter.ended(inLine, false);
    expect(values()).toEqual([{ Throttles: 1 }]);
  });

  it("calls it churn when a primary was to be replaced twice within ten minutes", async () => {
    const calm = meterOf();
    await calm.read(ballotWith([attempt(NOW - 600_000, true), attempt(NOW - 1_000, true)]));
    calm.meter.ended(inLine, true);
    expect(calm.values()).toEqual([{ PublicationsBehind: 0 }]);
    const busy = meterOf(true);
    await busy.read(ballotWith([attempt(NOW - 599_000, false), attempt(NOW - 1_000, true)]));
    busy.meter.ended(inLine, true);
    expect(busy.values()).toEqual([{ PublicationsBehind: 0, GroupsChurning: 1 }, { GroupsChurning: 1 }]);
    expect(busy.measured[0]?.facts).toMatchObject({
      conditions: { GroupsChurning: { mymaster: "2 automatic operations in ten minutes, 1 promoted" } },
    });
  });

  it("tells of groups whose shard has no voters, of which nobody else would", async () => {
    const { meter, measured, list } = meterOf(true);
    await list(0, 1, 2);
    meter.ended(inLine, true);
    expect(measured.map(({ series }) => series[0]?.values)).toEqual([
      { PublicationsBehind: 0, GroupsNotReady: 1 },
      { GroupsNotReady: 1 },
    ]);
    expect(measured[0]?.facts).toMatchObject({
      conditions: { GroupsNotReady: { "of-2": "no voter serves its shard 2: the deployment has 2, counted from 0" } },
    });
  });

  it("tells a table that could not be read, and records that could not be decoded", () => {
    const { meter, values } = meterOf();
    const journal = meter.journal({ write: () => undefined });
    const entry = { group, epoch: epoch(0), node: null, generation: 0, tick: 0, detail: {} } as const;
    journal.write({ ...entry, event: "record.unreadable", voter: "publisher" as never });
    meter.failed();
    expect(values()).toEqual([{ UnreadableRecords: 1, StoreFailures: 1 }]);
  });
});
