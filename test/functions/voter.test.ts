import { describe, expect, it, vi } from "vitest";
import { makeVoter } from "../../functions/voter/voter.ts";
import { parseVoterEnvironment } from "../../lib/runtime/environment.ts";

const environment = parseVoterEnvironment({
  AWS_REGION: "eu-west-1",
  VALKEEPER_TABLE: "valkeeper",
  VALKEEPER_VOTER: "az-a",
  VALKEEPER_VOTERS: "az-a,az-b,az-c",
});

/** No time at all: an invocation that is not dropped ends at its deadline, before it has reached any table. */
const invocation = { awsRequestId: "test", getRemainingTimeInMillis: () => 10_000 };

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

describe("the voter's handler", () => {
  it("drops an event that lay in a queue for longer than 90 s", async () => {
    const voter = makeVoter(environment);
    expect(await voter({ scheduledTime: ago(91_000) }, invocation)).toMatchObject({ reason: "event-too-old" });
  });

  it.each([
    ["is of this minute", ago(59_000)],
    ["says nothing of time", undefined],
    ["still holds the scheduler's keyword", "<aws.scheduler.scheduled-time>"],
  ])("runs for an event that %s, and leaves before its time is over", async (_, scheduledTime) => {
    const voter = makeVoter(environment);
    const event = scheduledTime === undefined ? {} : { scheduledTime };
    expect(await voter(event, invocation)).toMatchObject({ reason: "deadline" });
  });

  it("prints figures where a deployment reads them, and none elsewhere", async () => {
    const lines: string[] = [];
    const print = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    // Nothing listens there, so the table is not reached for the two seconds that there are.
    vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    const short = { awsRequestId: "test", getRemainingTimeInMillis: () => 12_000 };
    try {
      await makeVoter({ ...environment, metrics: "off" })({}, short);
      expect(lines.filter((line) => line.includes("_aws"))).toEqual([]);
      await makeVoter({ ...environment, metrics: "deployment" })({}, short);
    } finally {
      print.mockRestore();
      vi.unstubAllEnvs();
    }
    const figures = lines.filter((line) => line.includes("_aws")).map((line) => JSON.parse(line));
    expect(figures).toHaveLength(1);
    expect(figures[0]).toMatchObject({ Table: "valkeeper", voter: "az-a" });
    expect(figures[0].StoreFailures).toBeGreaterThan(0);
  });
});
