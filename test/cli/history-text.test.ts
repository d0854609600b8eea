import { describe, expect, it } from "vitest";
import { historyText, stepLine } from "../../lib/cli/history-text.ts";
import { PLAIN } from "../../lib/cli/paint.ts";
import { failoverHistory, step } from "./records.ts";

describe("historyText", () => {
  it("is a timeline with the milliseconds since the beginning and since the step before", () => {
    expect(historyText(failoverHistory(), PLAIN).join("\n")).toBe(
      [
        "2026-03-01 11:00:00.000Z",
        "  +0 ms              epoch 6  az-c  primary.subjectively-down  n1  cause refused, silent 612 ms",
        "  +4 ms     (+4)              az-a  primary.subjectively-down  n1  cause refused, silent 615 ms",
        "  +9 ms     (+5)              az-a  primary.objectively-down   n1  votes az-a,az-c",
        "  +15 ms    (+6)     epoch 7  az-a  lease.acquired                 kind failover, by automatic, refused, step begun",
        "  +15 ms    (+0)              az-a  operation.begun                kind failover, by automatic, refused, step begun",
        "  +19 ms    (+4)              az-a  node.frozen                n2  offset 52000, replication id cccccccc, was role replica, rung frozen",
        "  +20 ms    (+1)              az-a  node.frozen                n3  offset 51900, replication id cccccccc, was role replica, rung frozen",
        "  +21 ms    (+1)              az-a  candidate.selected         n2  offset 52000, counted 2, not chosen n3: behind by 100 bytes",
        "  +21 ms    (+0)              az-a  loss.possible              n2  at least 812 bytes, primary last read 430 ms",
        "  +27 ms    (+6)              az-a  intent.recorded            n2  offset 52000, replication id cccccccc, step intended",
        "  +30 ms    (+3)              az-a  promotion.applied          n2  replication id dddddddd, offset 52000",
        "  +36 ms    (+6)              az-a  primary.committed          n2  primary epoch 7",
        "  +41 ms    (+5)              az-a  publication.committed          target table",
        "  +44 ms    (+3)              az-a  replica.repointed          n3  to 172.31.37.55:6379",
        "  +47 ms    (+3)              az-a  failover.completed             took 32 ms, kind failover",
        "  +5210 ms  (+5163)  epoch 8  az-b  node.demoted               n1  to 172.31.37.55:6379",
      ].join("\n"),
    );
  });

  it("begins a new block after a silence, whatever the epoch", () => {
    const lines = historyText(
      [step("group.armed", 0), step("member.in-sync", 60_000, { detail: { node: "n3" } })],
      PLAIN,
    );
    expect(lines).toEqual([
      "2026-03-01 11:00:00.000Z",
      "  +0 ms    epoch 7  az-a  group.armed",
      "",
      "2026-03-01 11:01:00.000Z",
      "  +0 ms    epoch 7  az-a  member.in-sync  n3",
    ]);
  });

  it("orders by time what came in the order of epochs", () => {
    const late = step("node.up", 900, { epoch: 6 });
    expect(historyText([late, step("group.armed", 100)], PLAIN)[1]).toContain("group.armed");
  });
});

describe("stepLine", () => {
  it("counts from where it is told to, and also what a slower clock wrote before", () => {
    const record = step("node.frozen", 20, { detail: { node: "n3", wasRole: "replica" } });
    expect(stepLine(record, record.at - 20)).toBe(
      "+20 ms     epoch 7  az-a  node.frozen                     n3    was role replica",
    );
    expect(stepLine(record, record.at + 5)).toBe(
      "-5 ms      epoch 7  az-a  node.frozen                     n3    was role replica",
    );
  });
});
