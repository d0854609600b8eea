// History goes out at once when nothing else does, and together while an operation tells much.

import { describe, expect, it } from "vitest";
import type { HistoryRecord } from "../../lib/core/records.ts";
import { epoch, groupName, voterId, wallTime } from "../../lib/core/types.ts";
import { HistoryQueue } from "../../lib/runtime/history-queue.ts";
import { ManualClock } from "../support/manual-clock.ts";

const line = (id: string): HistoryRecord => ({
  schema: 1,
  id,
  group: groupName("mymaster"),
  epoch: epoch(1),
  at: wallTime(0),
  voter: voterId("az-a"),
  generation: 1,
  event: "operation.begun",
  detail: {},
});

function scene() {
  const clock = new ManualClock();
  const sent: string[][] = [];
  const troubles: string[] = [];
  let isRefusing = false;
  const store = {
    appendHistory: async (records: readonly HistoryRecord[]): Promise<void> => {
      if (isRefusing) throw new Error("throttled");
      sent.push(records.map(({ id }) => id));
    },
  };
  const queue = new HistoryQueue(store, clock, (trouble) => troubles.push(trouble));
  const add = (...ids: string[]): void => {
    for (const id of ids) queue.add(line(id));
  };
  const refuse = (value: boolean): void => {
    isRefusing = value;
  };
  return { clock, sent, troubles, queue, add, refuse };
}

describe("the history queue", () => {
  it("sends the first line at once, and what follows within a tenth of a second together", async () => {
    const { clock, sent, add } = scene();
    add("a", "b");
    await clock.pass(0);
    add("c");
    await clock.pass(99);
    expect(sent).toEqual([["a"]]);
    await clock.pass(1);
    expect(sent).toEqual([["a"], ["b", "c"]]);
    await clock.pass(100);
    add("d");
    await clock.pass(0);
    expect(sent).toEqual([["a"], ["b", "c"], ["d"]]);
  });

  it("keeps what the table does not take, says so once, and tries again a second later", async () => {
    const { clock, sent, troubles, add, refuse } = scene();
    refuse(true);
    add("a");
    await clock.pass(0);
    await clock.pass(999);
    add("b");
    expect(troubles).toEqual(["history waits: throttled"]);
    refuse(false);
    await clock.pass(1);
    expect(sent).toEqual([["a", "b"]]);
  });

  it("waits no longer with what is left when the loop ends", async () => {
    const { clock, sent, queue, add } = scene();
    add("a", "b");
    await clock.pass(0);
    let isDrained = false;
    queue.drained(() => {
      isDrained = true;
    });
    await clock.pass(0);
    expect([sent, isDrained]).toEqual([[["a"], ["b"]], true]);
  });

  it("drops the oldest beyond its limit, and says how many", async () => {
    const { clock, sent, troubles, add, refuse } = scene();
    refuse(true);
    add(...Array.from({ length: 2_001 }, (_, index) => `line ${index}`));
    expect(troubles).toEqual(["1 lines of history are dropped: the table has taken none for too long"]);
    refuse(false);
    await clock.pass(0);
    await clock.pass(1_000);
    expect(sent[0]?.[0]).toBe("line 1");
  });
});
