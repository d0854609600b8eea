import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { LiveGroup } from "../support/live-group.ts";
import { useProcessGroup } from "../support/local-group.ts";
import { type Ended, runValkeeper } from "../support/shipped-command.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup;

beforeAll(async () => {
  live = await LiveGroup.create({ group, endpoint: endpoint(), settings: { downAfterMs: 1_000 } });
  live.startVoters();
  await live.healthy();
});

afterAll(async () => {
  live.close();
  for (const node of live.nodes) await node.kill();
});

const valkeeper = (args: readonly string[], variables: Record<string, string> = {}): Promise<Ended> =>
  runValkeeper({ endpoint: endpoint(), table: live.table }, args, variables);

describe("the command line beside real voters", () => {
  it("shows a healthy group as every voter sees it", async () => {
    const { exit, out, notes } = await valkeeper(["status"]);
    expect(notes).toBe("");
    // No publisher runs here, which publishes changes of the replicas alone.
    const lines = out.split("\n").filter((line) => !line.includes("the list of replicas is not published yet"));
    expect(lines[0]).toMatch(/^mymaster {2}(OK|DEGRADED) {2}epoch \d+ {2}mode act {2}published: table \d+, ssm \d+$/);
    expect(lines[1]).toMatch(/^NODE +ADDRESS +ZONE +ROLE +LINK +LAG +az-a +az-b +az-c$/);
    expect(lines[2]).toMatch(/^n1\* +127\.0\.0\.1:\d+ +az-a +primary +- +- +\d+ms +\d+ms +\d+ms$/);
    expect(lines[3]).toMatch(/^n2 +127\.0\.0\.1:\d+ +az-b +replica +up +\d+ B +\d+ms +\d+ms +\d+ms$/);
    expect(lines[5]).toMatch(/^readers /);
    expect(lines[6]).toMatch(/^voters 3\/3 \(oldest \d\.\ds\) {2}quorum 2 {2}votes 0$/);
    // Voters that read the replicas a heartbeat apart may name different ones, and the line says so.
    expect(lines[7]).toMatch(/^if n1 died now: n[23] would be promoted( \(az-[abc][^)]* says? n[23]\))?$/);
    expect([0, 2]).toContain(exit);
  });

  it("S8: pauses, has the voters refuse an order meanwhile, and resumes", async () => {
    expect((await valkeeper(["pause", "mymaster", "--reason", "a test", "--for", "5m"])).exit).toBe(0);
    const refused = await valkeeper(["switchover", "mymaster", "--to", "n2"]);
    expect(refused).toMatchObject({
      exit: 5,
      out: expect.stringContaining("refused: the group is paused: resume it first"),
    });
    expect((await valkeeper(["why", "mymaster"])).out).toMatch(/paused by kim@\S+ for another (5m|29\ds) \(a test\)/);
    expect((await valkeeper(["resume", "mymaster"])).out).toMatch(
      /^mymaster is in mode act again; it was paused by kim@/,
    );
  });

  it("switches over, prints the steps, and explains it afterwards", async () => {
    const { exit, out, notes } = await valkeeper(["switchover", "mymaster", "--to", "n2", "--reason", "patching n1"]);
    expect([notes, exit]).toEqual(["", 0]);
    expect(out).toMatch(/primary\.committed +n2/);
    expect(out.split("\n").at(-1)).toMatch(/^done: n2 is primary since epoch \d+ \(\d\.\ds after it was asked\)$/);
    const why = await valkeeper(["why", "mymaster"]);
    expect(why.out).toMatch(/last switchover: n1 -> n2 at epoch \d+, \d\.\ds ago/);
    expect(why.out).toMatch(/why: kim@\S+ asked: patching n1/);
    expect((await valkeeper(["history", "mymaster", "--limit", "100"])).out).toContain("switchover.completed");
  });

  it("has a needless failover refused with an explanation", async () => {
    const { exit, out } = await valkeeper(["failover", "mymaster"]);
    expect(exit).toBe(5);
    expect(out).toContain(
      "the primary is healthy: use switchover, which loses nothing, or repeat with --accept-data-loss",
    );
  });

  it("changes a setting that the voters then run with", async () => {
    expect((await valkeeper(["groups", "set", "mymaster", "nodes.n1.priority=0"])).exit).toBe(0);
    const { out } = await valkeeper(["status", "mymaster"]);
    expect(out).toMatch(/override: nodes\.n1\.priority 0 \(declared: null\) by kim@\S+, \d\.\ds ago/);
  });

  it("says what to do about a wrong table and a wrong endpoint", async () => {
    expect(await valkeeper(["status"], { VALKEEPER_TABLE: "no-such-table" })).toMatchObject({
      exit: 4,
      notes: expect.stringMatching(
        /^valkeeper: there is no table no-such-table at http:\/\/127\.0\.0\.1:\d+ in eu-west-1: check --table/,
      ),
    });
    expect(await valkeeper(["status"], { AWS_ENDPOINT_URL: "http://127.0.0.1:9" })).toMatchObject({
      exit: 4,
      notes:
        "valkeeper: http://127.0.0.1:9 in eu-west-1 cannot be reached (ECONNREFUSED): check the network, and AWS_ENDPOINT_URL",
    });
  });

  it("explains the failover after the primary has died", async () => {
    const old = await live.primary();
    const killedAt = performance.now();
    await old.kill();
    await live.event("failover.completed", killedAt);
    const { exit, out } = await valkeeper(["why", "mymaster"]);
    expect(exit).toBe(2);
    expect(out).toMatch(new RegExp(`last failover: ${old.id} -> n\\d at epoch \\d+`));
    expect(out).toMatch(/why: az-.* found the primary refused/);
    expect((await valkeeper(["status"])).out).toMatch(
      new RegExp(`${old.id} is (refused|silent) for .*, as az-a, az-b, az-c see it`),
    );
  });
});
