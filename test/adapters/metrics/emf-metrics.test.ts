import { describe, expect, it } from "vitest";
import { EmfMetrics } from "../../../lib/adapters/metrics/emf-metrics.ts";
import { instant, wallTime } from "../../../lib/core/types.ts";

const clock = { now: () => instant(0), wallTime: () => wallTime(1_500.4), wakeAt: () => () => undefined };

describe("metrics in the embedded format", () => {
  it("are one JSON line, with a directive for each series and every figure at its root", () => {
    const lines: string[] = [];
    new EmfMetrics({ namespace: "Valkeeper", clock, print: (line) => lines.push(line) }).put({
      series: [
        { dimensions: { Table: "t" }, values: { Failovers: 1, Throttles: 2 } },
        { dimensions: { Table: "t", Voter: "az-a" }, values: { VoterHeartbeats: 11 } },
      ],
      facts: { group: "mymaster", Failovers: "hidden?" },
    });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        group: "mymaster",
        time: "1970-01-01T00:00:01.500Z",
        Table: "t",
        Voter: "az-a",
        Failovers: 1,
        Throttles: 2,
        VoterHeartbeats: 11,
        _aws: {
          Timestamp: 1_500,
          CloudWatchMetrics: [
            {
              Namespace: "Valkeeper",
              Dimensions: [["Table"]],
              Metrics: [
                { Name: "Failovers", Unit: "Count" },
                { Name: "Throttles", Unit: "Count" },
              ],
            },
            {
              Namespace: "Valkeeper",
              Dimensions: [["Table", "Voter"]],
              Metrics: [{ Name: "VoterHeartbeats", Unit: "Count" }],
            },
          ],
        },
      },
    ]);
  });
});
