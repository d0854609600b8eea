import { describe, expect, it } from "vitest";
import { ConsoleJournal } from "../../../lib/adapters/journal/console-journal.ts";
import { epoch, groupName, instant, nodeId, voterId, wallTime } from "../../../lib/core/types.ts";
import type { JournalEntry } from "../../../lib/ports/journal.ts";

const entry: JournalEntry = {
  event: "primary.committed",
  group: groupName("mymaster"),
  epoch: epoch(7),
  voter: voterId("az-a"),
  generation: 3,
  tick: 12,
  node: nodeId("n2"),
  detail: { offsetBytes: 42, group: "another", time: "never" },
};

describe("the journal on standard output", () => {
  it("is one JSON line an event, whose own fields no detail can hide", () => {
    const lines: string[] = [];
    const clock = { now: () => instant(0), wallTime: () => wallTime(0), wakeAt: () => () => undefined };
    new ConsoleJournal(clock, (line) => lines.push(line)).write(entry);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        event: "primary.committed",
        time: "1970-01-01T00:00:00.000Z",
        group: "mymaster",
        epoch: 7,
        voter: "az-a",
        generation: 3,
        tick: 12,
        node: "n2",
        offsetBytes: 42,
        detail_group: "another",
        detail_time: "never",
      },
    ]);
  });
});
