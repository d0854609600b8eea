import { describe, expect, it } from "vitest";
import { splitWords } from "../../lib/cli/sentinel-conf.ts";
import { groupName } from "../../lib/core/types.ts";
import { CommandLine, type Run } from "./command-line.ts";
import { slot, VOTERS } from "./records.ts";

const MONITOR = "sentinel monitor mymaster 10.0.1.7 6379 2";
const REPLICAS = ["sentinel known-replica mymaster 10.0.3.7 6379", "sentinel known-slave mymaster 10.0.2.7 6379"];
const ZONES = ["10.0.1.7=az-a", "10.0.2.7:6379=az-b", "[10.0.3.7]:6379=az-c"].flatMap((zone) => ["--zone", zone]);
/** What every file below needs to leave nothing to be remarked on. */
const WHOLE = [MONITOR, "sentinel down-after-milliseconds mymaster 5000", ...REPLICAS];

interface Converted extends Run {
  readonly groups: readonly Record<string, unknown>[];
}

async function convert(lines: readonly string[], ...options: string[]): Promise<Converted> {
  const line = new CommandLine();
  line.files.set("s.conf", `${lines.join("\n")}\n`);
  line.files.set("ca.pem", "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n");
  const run = await line.run("groups", "import", "s.conf", ...options);
  return { ...run, groups: run.exit === 0 ? JSON.parse(run.out).groups : [] };
}

const issues = async (lines: readonly string[], ...options: string[]): Promise<readonly string[]> => {
  const run = await convert(lines, ...options);
  expect([run.exit, run.out]).toEqual([1, ""]);
  return run.notes.split("\n").slice(1);
};

const whole = async (...lines: string[]) => {
  const { groups, notes } = await convert([...WHOLE, ...lines], ...ZONES);
  return { group: groups[0], notes };
};

describe("groups import", () => {
  it("gives a declaration that groups add takes, the nodes in the order of their addresses", async () => {
    const { exit, out, notes } = await convert(WHOLE, ...ZONES);
    expect([exit, notes]).toEqual([0, ""]);
    expect(JSON.parse(out)).toEqual({
      groups: [
        {
          name: "mymaster",
          mode: "observe",
          nodes: [
            { id: "n1", host: "10.0.1.7", port: 6379, zone: "az-a" },
            { id: "n2", host: "10.0.2.7", port: 6379, zone: "az-b" },
            { id: "n3", host: "10.0.3.7", port: 6379, zone: "az-c" },
          ],
          quorum: 2,
          downAfterMs: 5_000,
        },
      ],
    });
    const line = new CommandLine();
    line.files.set("g.json", out);
    const added = await line.run("groups", "add", "--file", "g.json", "--voters", "az-a,az-b,az-c", "--wait", "0s");
    expect(added).toMatchObject({ exit: 0, out: "mymaster is registered: 3 nodes, quorum 2 of 3 voters" });
  });

  it("takes a node once, though a file in the middle of a failover lists it twice", async () => {
    const twice = ["sentinel known-replica mymaster 10.0.1.7 6379", "sentinel known-replica mymaster 10.0.2.7 6379"];
    expect((await whole(...twice)).group?.["nodes"]).toHaveLength(3);
  });

  it("takes settings over, whatever their order and spelling", async () => {
    const { groups, notes } = await convert(
      [
        "SENTINEL parallel-syncs mymaster 2",
        "  sentinel failover-timeout mymaster 10000\r",
        "sentinel master-reboot-down-after-period mymaster 7000",
        ...WHOLE,
      ],
      ...ZONES,
      "--id",
      "10.0.2.7=second",
    );
    expect(groups[0]).toMatchObject({ stepTimeoutMs: 10_000, parallelSyncs: 2, loadingLimitMs: 7_000 });
    expect(groups[0]?.["nodes"]).toMatchObject([{ id: "n1" }, { id: "second" }, { id: "n3" }]);
    expect(notes).toBe("");
  });

  it.each([
    [
      ["sentinel known-sentinel mymaster 10.0.9.1 26379", "sentinel known-sentinel mymaster 10.0.9.2 26379 id"],
      "2",
      {},
    ],
    [
      ["sentinel known-sentinel mymaster 10.0.9.1 26379", "sentinel known-sentinel mymaster 10.0.9.2 26379"],
      "3",
      { quorum: 3 },
    ],
    [["sentinel known-sentinel mymaster 10.0.9.1 26379", "sentinel known-sentinel mymaster 10.0.9.2 26379"], "1", {}],
    [[], "1", {}],
    [[], "3", { quorum: 3 }],
  ])("%j with quorum %s: what an election needs there is needed here", async (lines, quorum, expected) => {
    const { groups, notes } = await convert(
      [...WHOLE, ...lines].map((each) => each.replace(/6379 2$/, `6379 ${quorum}`)),
    );
    expect("quorum" in (groups[0] ?? {}) ? { quorum: groups[0]?.["quorum"] } : {}).toEqual(expected);
    expect(notes.includes("changed: sentinel monitor mymaster: a quorum below the majority")).toBe(quorum === "1");
  });

  it("keeps passwords out, says where to name them, and leaves what groups add refuses", async () => {
    const { group, notes } = await whole(
      "sentinel auth-user mymaster sentinel",
      "sentinel auth-pass mymaster p w\"A #'x",
      'sentinel sentinel-pass hidden "too',
      'requirepass "hidden three"',
      "user kim on >hidden4 ~* +@all",
    );
    expect(group?.["credentials"]).toEqual({ user: "sentinel", secretId: "<secret with the password>" });
    expect(notes.split("\n")).toEqual([
      "s.conf:6: dropped: sentinel auth-pass mymaster: no declaration holds a password, only where it is kept",
      "s.conf:6: missing: sentinel auth-pass mymaster: where the password is kept: --secret-id or --secret-parameter; `groups add` refuses what stands there now",
      "s.conf:7: dropped: sentinel sentinel-pass: voters log in to nobody but the nodes",
      "s.conf:8: dropped: requirepass: of the Sentinel's own process: voters are functions, and have none",
      "s.conf:9: dropped: user: of the Sentinel's own process: voters are functions, and have none",
    ]);
    const line = new CommandLine();
    line.files.set("g.json", JSON.stringify({ groups: [group] }));
    expect((await line.run("groups", "add", "--file", "g.json", "--voters", "a,b,c")).notes).toContain(
      'credentials.secretId should be the name or ARN of a Secrets Manager secret and is "<secret with the password>"',
    );
  });

  it.each([
    [["--secret-id", "valkey/failover"], { user: "sentinel", secretId: "valkey/failover" }],
    [["--user", "valkeeper", "--secret-parameter", "/v/p"], { user: "valkeeper", parameter: "/v/p" }],
  ])("%j names the credentials", async (options, credentials) => {
    const lines = [...WHOLE, "sentinel auth-user mymaster sentinel", "sentinel auth-pass mymaster secret"];
    const { groups, notes } = await convert(lines, ...ZONES, ...options);
    expect(groups[0]?.["credentials"]).toEqual(credentials);
    expect(notes).not.toContain("missing");
  });

  it("follows tls-replication, and takes the authority from --tls-ca", async () => {
    const tls = ["tls-replication yes", "tls-ca-cert-file /etc/ca.pem", "tls-cert-file /etc/s.pem"];
    const { group, notes } = await whole(...tls);
    expect(group?.["tls"]).toEqual({ enabled: true, ca: "<certificate of the authority>" });
    expect(notes).toContain("s.conf:6: missing: tls-ca-cert-file mymaster: the authority's certificate: --tls-ca FILE");
    expect(notes).toContain("s.conf:7: dropped: tls-cert-file: voters show no certificate of their own");
    const { groups } = await convert([...WHOLE, ...tls], ...ZONES, "--tls-ca", "ca.pem");
    expect(groups[0]?.["tls"]).toEqual({ enabled: true, ca: expect.stringContaining("BEGIN CERTIFICATE") });
    expect((await whole("tls-replication no", "tls-ca-cert-file /etc/ca.pem")).group).not.toHaveProperty("tls");
  });

  it("says what it changed: values beyond the bounds, and a default that differs", async () => {
    const { groups, notes } = await convert(
      [
        MONITOR,
        ...REPLICAS,
        "sentinel failover-timeout mymaster 900000",
        "sentinel parallel-syncs mymaster 99",
        "sentinel primary-reboot-down-after-period mymaster 0",
        "sentinel auth-user mymaster nobody",
      ],
      ...ZONES,
    );
    expect(groups[0]).toMatchObject({ downAfterMs: 30_000, stepTimeoutMs: 600_000, parallelSyncs: 32 });
    expect(groups[0]).not.toHaveProperty("loadingLimitMs");
    expect(notes.split("\n")).toEqual([
      "s.conf:1: changed: sentinel monitor mymaster: no down-after-milliseconds: downAfterMs is 30000, a Sentinel's default",
      "s.conf:4: changed: sentinel failover-timeout mymaster: stepTimeoutMs is 600000 instead of 900000: it has 1000 to 600000 milliseconds",
      "s.conf:5: changed: sentinel parallel-syncs mymaster: parallelSyncs is 32 instead of 99: it has 1 to 32 replicas",
      "s.conf:6: dropped: sentinel primary-reboot-down-after-period mymaster: 0 means off there: loadingLimitMs keeps its default, and its largest value is a day",
      "s.conf:7: dropped: sentinel auth-user mymaster: without auth-pass a Sentinel does not log in",
    ]);
  });

  it("says what the file does not: replicas, zones", async () => {
    expect((await convert([MONITOR])).notes.split("\n").slice(0, 2)).toEqual([
      "s.conf:1: missing: sentinel monitor mymaster: no replica is known: import a file that a running Sentinel has written, or add the nodes by hand",
      "s.conf:1: missing: sentinel monitor mymaster: zones of 10.0.1.7:6379: --zone ADDRESS=ZONE",
    ]);
  });

  it("says of a loopback address that it is another machine's for each voter", async () => {
    expect((await convert([MONITOR.replace("10.0.1.7", "127.0.0.1"), ...REPLICAS])).notes).toContain(
      "s.conf:1: missing: sentinel monitor mymaster: addresses by which others reach 127.0.0.1:6379: that is the Sentinel's own machine",
    );
  });

  it("names every issue with its line, in the order of the file, and repeats no value", async () => {
    const found = await issues(
      [
        "sentinel auth-pass hunter2",
        "sentinel monitor mymaster 10.0.1.7 0 2",
        "sentinel monitor mymaster 10.0.1.8 6379 2",
        "sentinel monitor other 10.0.1.9 6379 none",
        "sentinel parallel-syncs 1",
        'sentinel auth-user mymaster a "b',
        "sentinel down-after-millisecond mymaster 5000",
        "sentinel hunter2 mymaster",
        "hunter2",
        "sentinel failover-timeout mymaster 5s",
        "sentinel auth-user hunter2 mymaster",
        "sentinel known-replica mymaster 10.0.1.8 70000",
        "tls-replication maybe",
      ],
      "--zone",
      "10.0.7.7=az-a",
    );
    expect(found).toEqual([
      "  - line 1: sentinel auth-pass is of a group that is not monitored: there are mymaster, other",
      "  - line 2: the port should be a whole number above 0",
      "  - line 3: this group is monitored already, since line 2",
      "  - line 4: the quorum should be a whole number above 0",
      "  - line 5: sentinel parallel-syncs should be written `sentinel parallel-syncs NAME REPLICAS`",
      "  - line 6: quotes that are not closed, or that something follows without a blank",
      "  - line 7: unknown directive: did you mean sentinel down-after-milliseconds?",
      "  - line 8: unknown directive",
      "  - line 9: unknown directive",
      "  - line 10: the value should be a whole number above 0",
      "  - line 11: sentinel auth-user is of a group that is not monitored: there are mymaster, other",
      "  - line 12: the port should be 65535 at most",
      "  - line 13: tls-replication should be yes or no",
      "  - --zone 10.0.7.7=az-a: no group has a node of that address",
    ]);
    expect(await issues(["port 26379"])).toEqual(["  - it has no `sentinel monitor` line"]);
  });

  it.each([
    [["--zone", "10.0.1.7"], "--zone 10.0.1.7: write ADDRESS=VALUE"],
    [["--id", "fd00::zz=n1"], "--id fd00::zz=n1: write ADDRESS=VALUE"],
    [["--secret-id", "a", "--secret-parameter", "b"], "give either --secret-id or --secret-parameter"],
    [["--tls-ca", "none.pem"], "none.pem cannot be read"],
  ])("%j is refused", async (options, words) => {
    const run = await convert(WHOLE, ...options);
    expect([run.exit, run.notes]).toEqual([1, expect.stringContaining(words)]);
  });

  it("says that a file is missing", async () => {
    expect(await new CommandLine().run("groups", "import", "none.conf")).toMatchObject({
      exit: 1,
      notes: "valkeeper: none.conf cannot be read: ENOENT: no such file",
    });
  });

  it("writes the declarations to a file, and needs no table for it", async () => {
    const line = new CommandLine();
    line.variables = {};
    line.files.set("s.conf", WHOLE.join("\n"));
    expect(await line.run("groups", "import", "s.conf", ...ZONES, "--output", "g.json")).toEqual({
      exit: 0,
      out: "",
      notes: "",
    });
    expect(JSON.parse(line.files.get("g.json") ?? "").groups).toHaveLength(1);
  });

  it("registers in mode observe with --add, all or none", async () => {
    const line = new CommandLine();
    line.store.slots = VOTERS.map((voter) => slot(voter, null));
    const other = WHOLE.map((each) => each.replace("mymaster", "other").replace(/10\.0\./, "10.1."));
    line.files.set("s.conf", [...WHOLE, ...other].join("\n"));
    expect(await line.run("groups", "import", "s.conf", "--add")).toMatchObject({
      exit: 0,
      out: "mymaster is registered: 3 nodes, quorum 2 of 3 voters\nother is registered: 3 nodes, quorum 2 of 3 voters",
      notes: expect.stringContaining(
        "note: mode observe: nothing is done, and a group without a record is looked at and not adopted",
      ),
    });
    expect(line.store.specs.get(groupName("other"))).toMatchObject({ owner: "cli", declared: { mode: "observe" } });

    const none = new CommandLine();
    none.store.slots = line.store.slots;
    none.files.set("s.conf", [...WHOLE, ...other, "sentinel auth-pass other secret"].join("\n"));
    const run = await none.run("groups", "import", "s.conf", "--add");
    expect([run.exit, run.out]).toEqual([1, ""]);
    expect(run.notes).toContain('valkeeper: group "other": 1 issue\n  - credentials.secretId should be');
    expect(none.store.specs.size).toBe(0);
  });
});

describe("the words of a line", () => {
  // What sdssplitargs of Valkey 8.0.1 makes of them.
  it.each<[string, readonly string[] | null]>([
    ["", []],
    ["a  b\tc ", ["a", "b", "c"]],
    ['a "b c" ""', ["a", "b c", ""]],
    ['"\\x41\\"\\n\\\\\\q"', ['A"\n\\q']],
    ["'it\\'s \\x41'", ["it's \\x41"]],
    ['b"c d"', ["bc d"]],
    ['ü "\\xc3\\xbc"', ["ü", "ü"]],
    ["a\\x41", ["a\\x41"]],
    ['"a"b', null],
    ['"a', null],
    ['"a\\"', null],
    ["it's", null],
  ])("%s", (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });
});
