import { describe, expect, it } from "vitest";
import { PortError } from "../../lib/core/errors.ts";
import type { RequestRecord, RequestResult } from "../../lib/core/records.ts";
import { attemptId, epoch, groupName, nodeId } from "../../lib/core/types.ts";
import { CommandLine } from "./command-line.ts";
import { ACT, ago, ballot, declared, GROUP, slot, spec, step, VOTERS, view } from "./records.ts";

/** A voter that takes the order up with the second look at the table and ends it with the third. */
function voterAnswers(line: CommandLine, kind: RequestResult["kind"], detail: string): void {
  let pauses = 0;
  const before = line.onPause;
  line.onPause = () => {
    before();
    const request = line.store.requests.get(GROUP);
    if (request === undefined || request.result !== null) return;
    pauses += 1;
    if (pauses === 1)
      line.store.history.push(step("lease.acquired", 3_600_300, { epoch: 8, detail: { kind: request.kind } }));
    if (pauses === 2) {
      line.store.history.push(step("primary.committed", 3_600_340, { epoch: 8, detail: { node: "n1" } }));
      const result: RequestResult = { kind, detail, epoch: epoch(8), at: line.now };
      line.store.requests.set(GROUP, { ...request, result });
    }
  };
}

const standing = (rest: Partial<RequestRecord> = {}): RequestRecord => ({
  schema: 1,
  id: "other",
  kind: "failover",
  target: null,
  by: "lee@ops",
  reason: "r",
  acceptDataLoss: true,
  askedAt: ago(3_000),
  expiresAt: ago(-27_000),
  result: null,
  ...rest,
});

describe("switchover", () => {
  it("writes who asks and why, prints each step as it happens, and the end", async () => {
    const line = new CommandLine().withGroup();
    line.store.history.push(step("group.armed", 0));
    voterAnswers(line, "done", "n1 is primary since epoch 8");
    const { exit, out } = await line.run("switchover", "mymaster", "--to", "n1", "--reason", "patching n2");
    expect(exit).toBe(0);
    expect(out).toBe(
      [
        "switchover of mymaster (n1) asked by kim@laptop",
        "  +150 ms    epoch 8  az-a  lease.acquired                        kind switchover",
        "  +190 ms    epoch 8  az-a  primary.committed               n1",
        "done: n1 is primary since epoch 8 (0.2s after it was asked)",
      ].join("\n"),
    );
    expect(line.store.requests.get(GROUP)).toMatchObject({
      id: "id-1",
      kind: "switchover",
      target: "n1",
      by: "kim@laptop",
      reason: "patching n2",
      acceptDataLoss: false,
      askedAt: ago(-150),
      expiresAt: ago(-30_150),
    });
  });

  it("gives voters that rest three rounds to take it up, and says so", async () => {
    const line = new CommandLine().withGroup();
    const rest = { heartbeatAt: ago(50_000), restsMs: 60_000 };
    line.store.slots = VOTERS.map((voter) => slot(voter, view({}, { at: ago(50_000) }), rest));
    voterAnswers(line, "done", "n1 is primary since epoch 8");
    const { exit, notes } = await line.run("switchover", "mymaster", "--to", "n1");
    expect(exit).toBe(0);
    expect(notes).toContain("the voters look every 60s (economy mode): the first that comes takes the order up");
    // Nobody is waited for who is not there.
    expect(line.store.requests.get(GROUP)).toMatchObject({ askedAt: ago(0), expiresAt: ago(-180_000) });
  });

  it("lets a person say how long an order waits for voters that rest", async () => {
    const line = new CommandLine().withGroup();
    line.store.slots = VOTERS.map((voter) => slot(voter, view(), { restsMs: 60_000 }));
    voterAnswers(line, "done", "");
    await line.run("switchover", "mymaster", "--timeout", "5m");
    expect(line.store.requests.get(GROUP)).toMatchObject({ expiresAt: ago(-300_000) });
  });

  it("waits for voters as usual when one of them does not rest", async () => {
    const line = new CommandLine().withGroup();
    line.store.slots = VOTERS.map((voter, index) => slot(voter, view(), { restsMs: index === 0 ? null : 60_000 }));
    voterAnswers(line, "done", "");
    await line.run("switchover", "mymaster");
    const request = line.store.requests.get(GROUP);
    expect((request?.expiresAt ?? 0) - (request?.askedAt ?? 0)).toBe(30_000);
  });

  it("says why it was refused and exits 5", async () => {
    const line = new CommandLine().withGroup();
    voterAnswers(line, "refused", "n3 has no link to the primary");
    const { exit, out } = await line.run("switchover", "mymaster", "--to", "n3");
    expect(exit).toBe(5);
    expect(out.split("\n").at(-1)).toBe("refused: n3 has no link to the primary (epoch 8, 0.2s after it was asked)");
  });

  it("points to why when it failed", async () => {
    const line = new CommandLine().withGroup();
    voterAnswers(line, "failed", "n2 is primary since epoch 7");
    const { exit, out } = await line.run("switchover", "mymaster");
    expect(exit).toBe(5);
    expect(out.split("\n").at(-1)).toBe("see `valkeeper why mymaster`");
  });

  it("knows the nodes there are", async () => {
    const run = await new CommandLine().withGroup().run("switchover", "mymaster", "--to", "n9");
    expect(run).toMatchObject({ exit: 1, notes: 'valkeeper: group mymaster has no node "n9": there are n2, n1, n3' });
  });

  it("is refused while another order stands, and says whose", async () => {
    const line = new CommandLine().withGroup();
    line.store.requests.set(GROUP, standing());
    expect(await line.run("switchover", "mymaster")).toMatchObject({
      exit: 5,
      notes:
        "valkeeper: another order for mymaster has not ended: failover by lee@ops, 3.1s ago, expires in 27s; see `valkeeper history mymaster --follow`",
    });
  });

  it("gives up when no voter takes it up, and says that it has expired", async () => {
    const line = new CommandLine().withGroup();
    const { exit, notes } = await line.run("switchover", "mymaster", "--timeout", "5s");
    expect(exit).toBe(6);
    expect(notes).toBe(
      "no voter took the order up within 5.0s; it has expired and will not be carried out: is any voter running? `valkeeper status mymaster`",
    );
    expect(line.now - ago(0)).toBeGreaterThan(8_000);
    expect(line.now - ago(0)).toBeLessThan(8_500);
  });

  it("waits longer for an order that is being carried out", async () => {
    const line = new CommandLine().withGroup();
    const operation = {
      kind: "switchover",
      step: "begun",
      began: epoch(8),
      target: null,
      by: "kim",
      reason: "",
      request: "id-1",
      insists: false,
    } as const;
    line.store.ballots.set(GROUP, ballot({ operation }));
    const { exit, notes } = await line.run("switchover", "mymaster", "--timeout", "5s");
    expect(exit).toBe(6);
    expect(notes).toContain("the order is still being carried out");
    expect(line.now - ago(0)).toBeGreaterThan(120_000);
  });

  it("tells with Ctrl-C that the order goes on, and how to see it", async () => {
    const line = new CommandLine().withGroup();
    line.onPause = () => line.interrupt.abort();
    expect(await line.run("switchover", "mymaster")).toMatchObject({
      exit: 6,
      notes:
        "no longer waiting; the order goes on: `valkeeper history mymaster --follow` and `valkeeper status mymaster` show it",
    });
    expect(line.store.requests.get(GROUP)?.result).toBe(null);
  });

  it("goes on waiting while the table does not answer, and says so once", async () => {
    const line = new CommandLine().withGroup();
    voterAnswers(line, "done", "n1 is primary since epoch 8");
    const answer = line.onPause;
    let pauses = 0;
    line.onPause = () => {
      if (line.store.requests.size === 0) return answer();
      pauses += 1;
      line.store.failure = pauses < 4 ? new PortError("group-store", "readRequest", "throttled") : null;
      if (pauses >= 4) answer();
    };
    const run = await line.run("switchover", "mymaster", "--to", "n1");
    expect(run).toMatchObject({
      exit: 0,
      notes: "the table does not answer, still waiting: group-store.readRequest: throttled",
    });
    expect(run.out).toContain("done: n1 is primary since epoch 8");
  });

  it("says that the end is not known when the table stays away", async () => {
    const line = new CommandLine().withGroup();
    line.onPause = () => {
      if (line.store.requests.size === 0) return;
      line.store.failure = new PortError("group-store", "readRequest", "throttled");
    };
    const { exit, notes } = await line.run("switchover", "mymaster", "--timeout", "2s");
    expect(exit).toBe(6);
    expect(notes).toContain("whether the order was carried out is not known");
  });

  it("says that an order whose answer was lost may stand all the same", async () => {
    const line = new CommandLine().withGroup();
    line.store.writeRequest = () =>
      Promise.reject(new PortError("group-store", "writeRequest", "no answer within 500 ms"));
    expect(await line.run("switchover", "mymaster")).toMatchObject({
      exit: 4,
      notes:
        "valkeeper: whether the order for mymaster was written is not known (group-store.writeRequest: no answer within 500 ms): `valkeeper status mymaster` shows it; if it was, it expires in 30s",
    });
  });

  it("is one document with --json", async () => {
    const line = new CommandLine().withGroup();
    voterAnswers(line, "done", "n1 is primary");
    const { exit, out } = await line.run("switchover", "mymaster", "--json");
    expect(exit).toBe(0);
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      schema: 1,
      orders: [{ group: "mymaster", exit: 0, request: { id: "id-1" }, result: { kind: "done" } }],
    });
    expect(document.orders[0].steps.map((each: { event: string }) => each.event)).toEqual([
      "lease.acquired",
      "primary.committed",
    ]);
  });
});

describe("failover", () => {
  it("carries --accept-data-loss; whether it is needed is for the voter to say", async () => {
    const line = new CommandLine().withGroup();
    voterAnswers(
      line,
      "refused",
      "the primary is healthy: use switchover, which loses nothing, or repeat with --accept-data-loss",
    );
    const { exit, out } = await line.run("failover", "mymaster", "--reason", "hangs", "--by", "lee");
    expect(exit).toBe(5);
    expect(out).toContain("refused: the primary is healthy: use switchover, which loses nothing");
    expect(line.store.requests.get(GROUP)).toMatchObject({
      kind: "failover",
      acceptDataLoss: false,
      by: "lee",
      reason: "hangs",
    });
    line.store.requests.delete(GROUP);
    voterAnswers(line, "done", "n1 is primary since epoch 8");
    expect((await line.run("failover", "mymaster", "--accept-data-loss")).exit).toBe(0);
    expect(line.store.requests.get(GROUP)).toMatchObject({ acceptDataLoss: true, reason: "no reason given" });
  });
});

describe("drain", () => {
  it("hands over the primary of a node, and leaves a replica alone", async () => {
    const line = new CommandLine().withGroup();
    voterAnswers(line, "done", "n1 is primary since epoch 8");
    expect((await line.run("drain", "--node", "n2")).exit).toBe(0);
    expect(line.store.requests.get(GROUP)).toMatchObject({ kind: "drain", target: "n2" });
    line.store.requests.delete(GROUP);
    expect(await line.run("drain", "--node", "n3")).toMatchObject({
      exit: 0,
      out: "mymaster: no primary there, nothing to do",
    });
    expect(line.store.requests.size).toBe(0);
  });

  it("leaves a whole zone: the target is outside it, in sync, of the best priority", async () => {
    const line = new CommandLine().withGroup();
    const { nodes } = declared();
    const inZoneB = nodes.map((node) => (node.id === "n1" ? { ...node, zone: "b" } : node));
    line.store.specs.set(GROUP, spec({ declared: declared({ nodes: inZoneB }) }));
    voterAnswers(line, "done", "n3 is primary since epoch 8");
    expect((await line.run("drain", "--zone", "b")).exit).toBe(0);
    expect(line.store.requests.get(GROUP)).toMatchObject({ kind: "switchover", target: "n3" });
    line.store.requests.delete(GROUP);
    line.onPause = () => {
      const cut = view({ n3: { linkUp: false } }, { at: line.now });
      line.store.slots = VOTERS.map((voter) => slot(voter, cut, { heartbeatAt: line.now }));
    };
    expect((await line.run("drain", "--zone", "b")).notes).toBe(
      "valkeeper: group mymaster has no replica outside zone b that could take over",
    );
  });

  it("wants to know which of several groups is meant, and what there is", async () => {
    const line = new CommandLine().withGroup();
    const other = groupName("other");
    line.store.specs.set(other, spec({ group: other, declared: declared({ name: other }) }));
    expect((await line.run("drain", "--node", "n2")).notes).toBe(
      "valkeeper: node n2 is in mymaster, other: name one of these groups",
    );
    expect((await line.run("drain", "--zone", "z")).notes).toBe('valkeeper: no node is in zone "z": there are a, b, c');
    expect((await line.run("drain", "--node", "n7")).notes).toBe(
      'valkeeper: no group has a node "n7": `valkeeper status` lists them',
    );
    expect((await line.run("drain")).notes).toBe("valkeeper: say what to drain: --node ID or --zone ZONE");
    expect((await line.run("drain", "--node", "n2", "--zone", "b")).exit).toBe(1);
  });
});

describe("pause and resume", () => {
  it("S8: sets the control mode with owner, reason and end, by a conditional write", async () => {
    const line = new CommandLine().withGroup();
    const { exit, out } = await line.run("pause", "mymaster", "--reason", "kernel update", "--for", "30m");
    expect(exit).toBe(0);
    expect(out).toBe(
      [
        "mymaster is paused by kim@laptop until 2026-03-01 12:30:00Z (30m): kernel update",
        "until then no failover happens by itself; `valkeeper resume mymaster` ends it",
      ].join("\n"),
    );
    expect(line.store.ballots.get(GROUP)?.control).toEqual({
      mode: "paused",
      by: "kim@laptop",
      reason: "kernel update",
      until: ago(-1_800_000),
      returnsTo: "act",
      attempt: "id-1",
    });
  });

  it("says whose pause it ends, and how early", async () => {
    const line = new CommandLine().withGroup();
    await line.run("pause", "mymaster", "--reason", "kernel update", "--for", "30m", "--by", "lee");
    const { exit, out } = await line.run("resume", "mymaster");
    expect([exit, out]).toEqual([
      0,
      "mymaster is in mode act again; it was paused by lee, 30m before its end: kernel update",
    ]);
    expect(line.store.ballots.get(GROUP)?.control).toMatchObject({ mode: "act", by: "kim@laptop", until: null });
    expect((await line.run("resume", "mymaster")).out).toBe("mymaster is not paused: its mode is act");
  });

  it("resumes into the mode that the configuration has, also after the pause ended by itself", async () => {
    const line = new CommandLine().withGroup();
    line.store.specs.set(GROUP, spec({ declared: declared({ mode: "observe" }) }));
    const control = { mode: "paused", by: "lee", reason: "r", until: ago(1), attempt: attemptId("p") } as const;
    line.store.ballots.set(GROUP, ballot({ control }));
    expect((await line.run("resume", "mymaster")).out).toBe(
      "the pause of lee (r) had ended by itself; mymaster is in mode observe",
    );
  });

  it("is told when somebody else was faster, and never overwrites unseen", async () => {
    const line = new CommandLine().withGroup();
    const control = {
      mode: "paused",
      by: "lee",
      reason: "mine",
      until: ago(-60_000),
      attempt: attemptId("p"),
    } as const;
    line.store.beforeWrite = () => line.store.ballots.set(GROUP, ballot({ control }));
    expect(await line.run("pause", "mymaster", "--reason", "r", "--for", "1h")).toMatchObject({
      exit: 5,
      notes:
        "valkeeper: lee has set mymaster to paused meanwhile (mine): look at `valkeeper status mymaster` and try again",
    });
    expect(line.store.ballots.get(GROUP)?.control).toEqual(control);
  });

  it.each(["30", "0s", "8d", "soon", "-1h"])("wants a length with a unit, up to a week: not %s", async (text) => {
    const run = await new CommandLine().withGroup().run("pause", "mymaster", "--reason", "r", `--for=${text}`);
    expect(run).toMatchObject({
      exit: 1,
      notes: expect.stringContaining("should be a duration from 1s to 7d, as in 30m."),
    });
  });

  it("wants a reason, and a group that voters have taken up", async () => {
    const line = new CommandLine().withGroup();
    expect((await line.run("pause", "mymaster", "--for", "30m")).exit).toBe(1);
    line.store.ballots.clear();
    expect((await line.run("pause", "mymaster", "--reason", "r", "--for", "30m")).notes).toContain(
      "no voter has taken mymaster up yet",
    );
  });

  it("names an operation that is finished first, and the pause it replaces", async () => {
    const line = new CommandLine().withGroup();
    const operation = {
      kind: "failover",
      step: "begun",
      began: epoch(8),
      target: nodeId("n1"),
      by: "automatic",
      reason: "",
      request: null,
      insists: false,
    } as const;
    const control = { ...ACT, mode: "paused", by: "lee", reason: "mine", until: ago(-60_000) } as const;
    line.store.ballots.set(GROUP, ballot({ operation, control }));
    const { out } = await line.run("pause", "mymaster", "--reason", "r", "--for", "1h");
    expect(out.split("\n").slice(1, 3)).toEqual([
      "it was paused by lee before: mine",
      "the failover that is going on is finished first",
    ]);
  });
});
