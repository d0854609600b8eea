import { describe, expect, it } from "vitest";
import { PortError, RecordFormatError } from "../../lib/core/errors.ts";
import { attemptId } from "../../lib/core/types.ts";
import { CommandLine } from "./command-line.ts";
import { ago, ballot, failoverHistory, GROUP, slot, step, VOTERS, view } from "./records.ts";

describe("status", () => {
  it("leaves a look mark, waits for voters that write what they see, and exits 0 when all is well", async () => {
    const line = new CommandLine().withGroup();
    const { exit, out } = await line.run("status", "mymaster");
    expect(exit).toBe(0);
    expect(out.split("\n")[0]).toBe("mymaster  OK  epoch 7  mode act  published: table 7, ssm 7, dns 7");
    expect(line.store.looks).toEqual([ago(-30_000)]);
    expect(line.now).toBe(ago(-150));
    expect(line.opened).toEqual({ table: "valkeeper-test", region: "eu-west-1" });
  });

  it("waits two seconds at most for a voter that does not answer, and says how old it is", async () => {
    const line = new CommandLine().withGroup();
    const stuck = slot(VOTERS[0]!, view({}, { at: ago(9_000) }), { heartbeatAt: ago(1_000) });
    line.onPause = () => undefined;
    line.store.slots = [stuck];
    const { out } = await line.run("status");
    expect(line.now - ago(0)).toBeLessThanOrEqual(2_150);
    expect(out).toContain("voters 1/1 (oldest 11s)");
  });

  it("does not wait for a voter that is gone", async () => {
    const line = new CommandLine().withGroup();
    const answer = line.onPause;
    const gone = slot(VOTERS[2]!, view({}, { at: ago(90_000) }), { heartbeatAt: ago(90_000) });
    line.onPause = () => {
      answer();
      line.store.slots = [...line.store.slots.slice(0, 2), gone];
    };
    const { exit, out } = await line.run("status");
    expect(exit).toBe(2);
    expect(out).toContain("voter az-c has not been heard for 90s");
    expect(line.now).toBe(ago(-150));
  });

  it("exits with the worst of its groups", async () => {
    const line = new CommandLine().withGroup();
    line.store.ballots.set(GROUP, ballot({ primary: null }));
    expect((await line.run("status")).exit).toBe(3);
    line.store.ballots.set(GROUP, ballot({ armed: false }));
    expect((await line.run("status")).exit).toBe(2);
  });

  it("is one document with --json, whose shape is documented", async () => {
    const line = new CommandLine().withGroup();
    const document = JSON.parse((await line.run("--json", "status")).out);
    expect(Object.keys(document)).toEqual(["schema", "table", "exit", "groups"]);
    expect(document.groups[0]).toMatchObject({
      group: "mymaster",
      words: ["OK"],
      exit: 0,
      epoch: 7,
      primary: { node: "n2", epoch: 7 },
      mode: "act",
      published: { table: { epoch: 7, revision: 0, lacks: "nothing" }, ssm: { epoch: 7 }, dns: { epoch: 7 } },
      quorum: 2,
      votes: { down: [], suspect: [] },
    });
    expect(document.groups[0].nodes[0]).toMatchObject({
      node: "n2",
      role: "primary",
      seenBy: { "az-a": { class: "serving" } },
    });
    expect(Object.keys(document.groups[0])).toEqual([
      ...["group", "at", "words", "exit", "reasons", "epoch", "primary", "operation", "mode", "control", "armed"],
      ...["published", "readers", "setAside", "nodes", "voters", "quorum", "votes", "request", "overrides", "shard"],
    ]);
  });

  it("colours only what asks for colours", async () => {
    const line = new CommandLine().withGroup();
    line.hasColours = true;
    expect((await line.run("status")).out).toContain("\u001b[");
    expect((await line.run("status", "--no-color")).out).not.toContain("\u001b[");
  });
});

describe("what goes wrong is one sentence that says what to do", () => {
  const failing = (cause: object) => new PortError("group-store", "listSpecs", "failed", cause);

  it.each([
    [
      failing({ name: "ResourceNotFoundException" }),
      4,
      /^valkeeper: there is no table valkeeper-test at DynamoDB in eu-west-1: check --table/,
    ],
    [
      failing({ name: "CredentialsProviderError", message: "Could not load" }),
      4,
      /^valkeeper: there are no AWS credentials: set AWS_PROFILE/,
    ],
    [
      failing({ name: "ExpiredTokenException" }),
      4,
      /refuses the AWS credentials \(ExpiredTokenException\): log in again/,
    ],
    [
      failing({ name: "AccessDeniedException", message: "no" }),
      4,
      /may not use table valkeeper-test: give them GetItem, /,
    ],
    [
      failing({ name: "Error", message: "Region is missing" }),
      4,
      /no AWS region is given: use --region or set AWS_REGION/,
    ],
    [
      failing({ code: "ECONNREFUSED" }),
      4,
      /^valkeeper: DynamoDB in eu-west-1 cannot be reached \(ECONNREFUSED\): check the network and --region/,
    ],
    [
      failing({ name: "ThrottlingException" }),
      4,
      /^valkeeper: table valkeeper-test could not be used: group-store\.listSpecs: failed/,
    ],
    [new RecordFormatError("the spec has schema 2 and this version knows 1: update Valkeeper"), 4, /update Valkeeper$/],
  ])("%o", async (failure, exit, sentence) => {
    const line = new CommandLine().withGroup();
    line.store.failure = failure;
    const run = await line.run("status");
    expect(run.notes).toMatch(sentence);
    expect(run.notes.split("\n")).toHaveLength(1);
    expect(run.exit).toBe(exit);
  });

  it("names the endpoint that is not AWS", async () => {
    const line = new CommandLine().withGroup();
    line.variables["AWS_ENDPOINT_URL"] = "http://127.0.0.1:4566";
    line.store.failure = failing({ name: "DeadlineExceeded" });
    expect((await line.run("status")).notes).toBe(
      "valkeeper: http://127.0.0.1:4566 in eu-west-1 cannot be reached (DeadlineExceeded): check the network, and AWS_ENDPOINT_URL",
    );
  });

  it("asks for a table when none is given", async () => {
    const line = new CommandLine();
    line.variables = {};
    const run = await line.run("status");
    expect(run).toMatchObject({
      exit: 1,
      notes: "valkeeper: no table is given: use --table NAME or set VALKEEPER_TABLE (the stack's output names it)",
    });
    await line.withGroup().run("status", "--table", "other", "--region", "us-east-1");
    expect(line.opened).toEqual({ table: "other", region: "us-east-1" });
  });

  it("names the groups there are when one is unknown", async () => {
    const line = new CommandLine().withGroup();
    expect((await line.run("why", "mymastr")).notes).toBe(
      'valkeeper: there is no group "mymastr": did you mean mymaster? There are mymaster',
    );
    expect((await new CommandLine().run("status", "x")).notes).toContain("none is registered in this table yet");
  });

  it("is a document with --json", async () => {
    const line = new CommandLine();
    const run = await line.run("status", "x", "--json");
    expect(JSON.parse(run.out)).toEqual({
      error: { exit: 1, code: "UsageError", message: expect.stringContaining("there is no group") },
    });
  });

  it("does not swallow a bug", async () => {
    const line = new CommandLine().withGroup();
    line.store.failure = new TypeError("undefined is not a function");
    const run = await line.run("status");
    expect(run.exit).toBe(70);
    expect(run.notes).toMatch(/^valkeeper: unexpected: TypeError: undefined is not a function\n {4}at /);
  });

  it("is an error of usage, with help, for commands and options that do not exist", async () => {
    const line = new CommandLine();
    expect(await line.run("statsu")).toMatchObject({ exit: 1, notes: expect.stringContaining("Did you mean status?") });
    expect(await line.run("status", "--fast")).toMatchObject({ exit: 1 });
    expect(await line.run("--version")).toMatchObject({ exit: 0, out: "1.2.3" });
  });
});

describe("watch", () => {
  it("replaces what it showed on a terminal, renews its look mark, and ends with Ctrl-C", async () => {
    const line = new CommandLine().withGroup();
    line.isTerminal = true;
    const answer = line.onPause;
    let pauses = 0;
    line.onPause = () => {
      answer();
      pauses += 1;
      if (pauses === 12) line.interrupt.abort();
    };
    const { exit, out } = await line.run("watch");
    expect([exit, out]).toEqual([0, ""]);
    expect(line.replaced).toHaveLength(13);
    expect(line.replaced[0]).toContain("2026-03-01 12:00:00Z  Ctrl-C ends\nmymaster  OK");
    expect(line.replaced.at(-1)).toBe("settled");
    expect(line.store.looks).toHaveLength(2);
  });

  it("goes on when the table is away for a moment, and not when it never answered", async () => {
    const line = new CommandLine().withGroup();
    let pauses = 0;
    line.onPause = () => {
      pauses += 1;
      line.store.failure = pauses === 1 ? new PortError("group-store", "listSlots", "throttled") : null;
      if (pauses === 3) line.interrupt.abort();
    };
    const { exit, out, notes } = await line.run("watch");
    expect([exit, notes]).toEqual([0, "the table does not answer, still waiting: group-store.listSlots: throttled"]);
    expect(out.match(/mymaster {2}OK/g)).toHaveLength(2);
    line.store.failure = new PortError("group-store", "listSpecs", "throttled");
    expect((await line.run("watch")).exit).toBe(4);
  });

  it("prints a line of JSON each second with --json", async () => {
    const line = new CommandLine().withGroup();
    line.onPause = () => line.interrupt.abort();
    const { out } = await line.run("watch", "mymaster", "--json");
    expect(JSON.parse(out).groups[0].group).toBe("mymaster");
    expect(out.split("\n")).toHaveLength(1);
  });
});

describe("history", () => {
  it("prints the newest steps, and follows", async () => {
    const line = new CommandLine().withGroup();
    line.store.history.push(...failoverHistory());
    const once = await line.run("history", "mymaster", "--limit", "3");
    expect(once.out.split("\n")).toHaveLength(4);
    line.onPause = () => {
      if (line.store.history.some((record) => record.event === "group.held")) line.interrupt.abort();
      line.store.history.push(step("group.held", 9_000, { detail: { reason: "test" } }));
    };
    const { exit, out } = await line.run("history", "mymaster", "--follow");
    expect(exit).toBe(0);
    expect(out.split("\n").at(-1)).toBe(
      "2026-03-01 11:00:09.000Z  +0 ms      epoch 7  az-a  group.held                            test",
    );
  });

  it("says that nothing has happened yet", async () => {
    expect((await new CommandLine().withGroup().run("history", "mymaster")).out).toBe(
      "nothing has happened to mymaster yet",
    );
    expect((await new CommandLine().withGroup().run("history", "mymaster", "--limit", "0")).exit).toBe(1);
  });
});

describe("why", () => {
  it("explains, with the exit code of status", async () => {
    const line = new CommandLine().withGroup();
    line.store.history.push(...failoverHistory());
    expect((await line.run("why", "mymaster")).out).toContain("last failover: n1 -> n2 at epoch 7");
    const control = { mode: "paused", by: "lee", reason: "r", until: ago(-60_000), attempt: attemptId("p") } as const;
    line.store.ballots.set(GROUP, ballot({ control }));
    const paused = await line.run("why", "mymaster", "--json");
    expect(paused.exit).toBe(2);
    expect(JSON.parse(paused.out)).toMatchObject({
      schema: 1,
      exit: 2,
      headline: "PAUSED",
      mode: "paused",
      reason: null,
    });
  });
});

describe("local", () => {
  it("needs no table", async () => {
    const line = new CommandLine();
    line.variables = {};
    expect(await line.run("local", "--config", "cluster.json")).toMatchObject({ exit: 0 });
    expect(line.localRuns).toEqual(["cluster.json"]);
    expect((await line.run("local")).exit).toBe(1);
  });
});
