import { describe, expect, it } from "vitest";
import { parseNode, parseSetting, withSetting } from "../../lib/cli/group-input.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { SpecRecord } from "../../lib/core/records.ts";
import { attemptId, epoch, groupName, nodeId } from "../../lib/core/types.ts";
import { CommandLine } from "./command-line.ts";
import {
  ACT,
  ago,
  ballot,
  copies,
  declared,
  GROUP,
  publication,
  rejection,
  slot,
  spec,
  VOTERS,
  view,
} from "./records.ts";

const SESSIONS = groupName("sessions");
const NODES = ["--node", "n1=10.0.1.7:6379/az-a", "--node", "n2=10.0.2.7/az-b", "--node", "n3=[fd00::7]:6380/az-c"];
const SECRET = ["--user", "valkeeper", "--secret-id", "valkey/failover"];

/** Voters that have run before, and look at nothing. */
function withVoters(): CommandLine {
  const line = new CommandLine();
  line.store.slots = VOTERS.map((voter) => slot(voter, null));
  return line;
}

describe("groups add", () => {
  it("registers what is valid, and waits until the voters have adopted it", async () => {
    const line = withVoters();
    line.onPause = () => {
      const isAdopted = line.store.ballots.has(SESSIONS);
      line.store.ballots.set(SESSIONS, ballot({ group: SESSIONS, epoch: epoch(1) }));
      // The copies follow the record.
      if (!isAdopted) return;
      line.store.publications.set(SESSIONS, publication());
      line.store.copies.set(SESSIONS, copies());
    };
    const run = await line.run(
      "groups",
      "add",
      "--name",
      "sessions",
      ...NODES,
      ...SECRET,
      "--set",
      "downAfterMs=1000",
      "--set",
      "publication.parameterPrefix=/cache",
    );
    expect(run).toEqual({
      exit: 0,
      out: "sessions is registered: 3 nodes, quorum 2 of 3 voters\nsessions is adopted: n2 is primary at epoch 7",
      notes: "",
    });
    expect(line.store.specs.get(SESSIONS)).toEqual({
      schema: 1,
      group: "sessions",
      version: 1,
      owner: "cli",
      declared: {
        name: "sessions",
        nodes: [
          { id: "n1", host: "10.0.1.7", port: 6379, zone: "az-a", priority: null, announce: null },
          { id: "n2", host: "10.0.2.7", port: 6379, zone: "az-b", priority: null, announce: null },
          { id: "n3", host: "fd00::7", port: 6380, zone: "az-c", priority: null, announce: null },
        ],
        quorum: 2,
        downAfterMs: 1_000,
        credentials: { kind: "secrets-manager", user: "valkeeper", secretId: "valkey/failover" },
        publication: { parameterPrefix: "/cache", dns: null },
      },
      overrides: {},
      shard: 0,
    });
  });

  it("says what keeps the voters from adopting it, an unreachable node included", async () => {
    const line = withVoters();
    const refused = rejection(
      {
        reason: "adoption-refused",
        detail: "n1 does not answer: connect ECONNREFUSED",
        ends: "it answers",
        check: null,
      },
      2_000,
    );
    const seen = { ...view({}, { rejection: refused }) };
    line.store.slots = [slot(VOTERS[0]!, null, { groups: { [SESSIONS]: seen }, heartbeatAt: ago(0) })];
    line.onPause = () => {
      line.store.slots = line.store.slots.map((each) => ({ ...each, heartbeatAt: line.now }));
    };
    const run = await line.run(
      "groups",
      "add",
      "--name",
      "sessions",
      ...NODES,
      ...SECRET,
      "--wait",
      "3s",
      "--voters",
      "az-a,az-b,az-c",
    );
    expect(run.exit).toBe(6);
    expect(run.out.split("\n")).toEqual([
      "sessions is registered: 3 nodes, quorum 2 of 3 voters",
      "sessions stays registered and is not adopted yet:",
      "  az-a: adoption-refused: n1 does not answer: connect ECONNREFUSED; ends when it answers",
      "`valkeeper why sessions` shows it",
    ]);
  });

  it("says that its name may not be written, and what has not followed in time", async () => {
    const line = withVoters();
    const dns = ["hostedZoneId=Z1", "name=www.example.com", "ttlSeconds=5"].flatMap((each) => [
      "--set",
      `publication.dns.${each}`,
    ]);
    const failure = { detail: "AccessDenied: not authorized to perform route53:ChangeResourceRecordSets", at: ago(0) };
    line.onPause = () => {
      line.store.ballots.set(SESSIONS, ballot({ group: SESSIONS }));
      line.store.publications.set(SESSIONS, publication());
      line.store.copies.set(SESSIONS, { ...copies(7, null), dnsFailure: failure });
    };
    const before = line.now;
    const run = await line.run("groups", "add", "--name", "sessions", ...NODES, ...SECRET, ...dns);
    expect(run.exit).toBe(2);
    expect(run.out.split("\n").slice(1)).toEqual([
      "sessions is adopted: n2 is primary at epoch 7",
      "  the primary is not published yet: dns has nothing",
      `  dns cannot be written: ${failure.detail} (is the record's name, and that of its twin, among \`publication.recordNames\` of the stack?)`,
    ]);
    // Nothing is gained by waiting for longer.
    expect(line.now - before).toBeLessThan(1_000);
    line.onPause = () => line.store.copies.set(SESSIONS, copies(7, null));
    line.store.copies.clear();
    const late = await line.run("groups", "add", "--name", "sessions", ...NODES, ...SECRET, ...dns, "--wait", "3s");
    expect(late).toMatchObject({ exit: 2, out: expect.stringMatching(/is not published yet: dns has nothing$/) });
    expect(line.now - before).toBeGreaterThanOrEqual(3_000);
  });

  it("names every issue and writes nothing", async () => {
    const line = withVoters();
    const run = await line.run(
      "groups",
      "add",
      "--name",
      "sessions",
      "--node",
      "n1=10.0.1.7",
      "--set",
      "quorum=1",
      "--set",
      "downAfter=1",
    );
    expect(run.exit).toBe(1);
    expect(run.notes.split("\n")).toEqual([
      'valkeeper: group "sessions": 2 issues',
      '  - the group has no setting "downAfter": did you mean downAfterMs?',
      "  - quorum 1 is below 2, the majority of the 3 voters (az-a, az-b, az-c): two halves that cannot reach each other could both act",
    ]);
    expect(line.store.specs.size).toBe(0);
  });

  it("reads one group or several from a file, checks all before writing any, and takes no password", async () => {
    const line = withVoters();
    const group = (name: string, rest: object = {}) => ({
      name,
      nodes: [{ id: "n1", host: `${name}.internal` }],
      ...rest,
    });
    line.files.set("one.json", JSON.stringify(group("one")));
    line.files.set(
      "two.json",
      JSON.stringify({ groups: [group("two"), group("three", { credentials: { password: "x" } })] }),
    );
    line.files.set("bad.json", "{ name: ");
    expect((await line.run("groups", "add", "--file", "one.json", "--wait", "0s")).exit).toBe(0);
    const run = await line.run("groups", "add", "--file", "two.json", "--wait", "0s");
    expect(run).toMatchObject({ exit: 1, notes: expect.stringContaining("credentials.password is given inline") });
    expect([...line.store.specs.keys()]).toEqual(["one"]);
    expect((await line.run("groups", "add", "--file", "bad.json")).notes).toBe(
      "valkeeper: bad.json is not JSON (line 1 column 3)",
    );
    expect((await line.run("groups", "add", "--file", "no.json")).notes).toBe(
      "valkeeper: no.json cannot be read: ENOENT: no such file",
    );
    expect((await line.run("groups", "add", "--file", "one.json", ...NODES)).notes).toContain(
      "give either --file, or --name and --node",
    );
    expect((await line.run("groups", "add")).notes).toContain("say what to add");
  });

  it("is harmless twice, and refuses another declaration under the name", async () => {
    const line = withVoters();
    const add = (...more: string[]) =>
      line.run("groups", "add", "--name", "sessions", ...NODES, ...SECRET, "--wait", "0s", ...more);
    await add();
    expect((await add()).out).toBe("sessions is registered already, as declared: 3 nodes, quorum 2 of 3 voters");
    expect(await add("--set", "leaseMs=6000")).toMatchObject({
      exit: 5,
      notes:
        "valkeeper: there is a group sessions already (it was registered before): change settings with `valkeeper groups set sessions name=value`",
    });
  });

  it("needs to know the voters before the first has run", async () => {
    const line = new CommandLine();
    const add = (...more: string[]) =>
      line.run("groups", "add", "--name", "sessions", ...NODES, "--wait", "0s", ...more);
    expect((await add()).notes).toBe(
      "valkeeper: no voter has run yet, so quorum cannot be judged: name them with --voters az-a,az-b,az-c",
    );
    const run = await add("--voters", "az-a, az-b,az-c");
    expect(run.exit).toBe(0);
    expect(run.notes).toMatch(/^note: the coordinator uses the user default/);
  });

  it("is one document with --json", async () => {
    const { out } = await withVoters().run("groups", "add", "--name", "sessions", ...NODES, "--wait", "0s", "--json");
    expect(JSON.parse(out)).toEqual({
      schema: 1,
      groups: [
        { group: "sessions", registered: "new", warnings: [expect.any(String)], exit: 0, primary: null, reasons: [] },
      ],
    });
  });
});

describe("groups set and unset", () => {
  it("override what was declared, with who and when, checked as a whole", async () => {
    const line = new CommandLine().withGroup();
    const { exit, out } = await line.run(
      "groups",
      "set",
      "mymaster",
      "downAfterMs=500",
      "nodes.n3.priority=0",
      "--by",
      "lee",
    );
    expect(exit).toBe(0);
    expect(out.split("\n").slice(0, 3)).toEqual([
      "downAfterMs: 5000 -> 500",
      "nodes.n3.priority: null -> 0",
      "mymaster is at version 5; overrides stand above what the stack declares",
    ]);
    expect(line.store.specs.get(GROUP)).toMatchObject({
      version: 5,
      declared: declared(),
      overrides: { downAfterMs: { value: 500, by: "lee", at: ago(0) }, "nodes.n3.priority": { value: 0 } },
    });
    const unset = await line.run("groups", "unset", "mymaster", "downAfterMs");
    expect(unset.out.split("\n")[0]).toBe("downAfterMs: 500 -> 5000");
    expect(Object.keys(line.store.specs.get(GROUP)?.overrides ?? {})).toEqual(["nodes.n3.priority"]);
  });

  it.each([
    [["leaseMs=1000"], "leaseMs 1000 should be at least 1650"],
    [["leaseMS=6000"], 'the group has no setting "leaseMS": did you mean leaseMs?'],
    [["nodes.n9.priority=0"], 'there is no setting "nodes.n9.priority"'],
    [['credentials={"password":"x"}'], "credentials.password is given inline"],
    [["name=other"], "a group cannot be renamed"],
    [["quorum"], '"quorum" is no setting: write name=value, as in leaseMs=6000'],
    [[], "say what to set"],
    [["--remove-node", "n9"], 'group mymaster has no node "n9": there are n2, n1, n3'],
    [["--add-node", "n4"], '"n4" is no node: write id=host:port/zone'],
    [["--add-node", "n4=172.31.37.55"], "nodes n2 and n4 have the same address"],
  ])("%o changes nothing", async (args, sentence) => {
    const line = new CommandLine().withGroup();
    const run = await line.run("groups", "set", "mymaster", ...args);
    expect(run.exit).toBe(1);
    expect(run.notes).toContain(sentence);
    expect(line.store.specs.get(GROUP)).toEqual(spec());
  });

  it("changes nothing of a group with a setting of a newer version, which status names", async () => {
    const line = new CommandLine().withGroup();
    const newer = spec({ declared: { ...declared(), electAfterMs: 7 } as DeclaredConfig });
    line.store.specs.set(GROUP, newer);
    const run = await line.run("groups", "set", "mymaster", "leaseMs=6000");
    expect(run).toMatchObject({ exit: 1, notes: expect.stringContaining('the group has no setting "electAfterMs"') });
    expect(line.store.specs.get(GROUP)).toBe(newer);
    const status = await line.run("status", "mymaster");
    expect(status.out).toContain('configuration: the group has no setting "electAfterMs"');
  });

  it("adds and removes nodes: members follow the group's nodes", async () => {
    const line = new CommandLine().withGroup();
    await line.run("groups", "set", "mymaster", "--add-node", "n4=172.31.40.1:6379/c", "--remove-node", "n3");
    const value = line.store.specs.get(GROUP)?.overrides["nodes"]?.value as readonly { readonly id: string }[];
    expect(value.map((node) => node.id)).toEqual(["n2", "n1", "n4"]);
  });

  it("tells the ballot of a changed mode, and leaves a pause alone", async () => {
    const line = new CommandLine().withGroup();
    await line.run("groups", "set", "mymaster", "mode=observe");
    expect(line.store.ballots.get(GROUP)?.control).toMatchObject({ mode: "observe", by: "kim@laptop" });
    const control = { ...ACT, mode: "paused", by: "lee", until: ago(-60_000), attempt: attemptId("p") } as const;
    line.store.ballots.set(GROUP, ballot({ control }));
    await line.run("groups", "unset", "mymaster", "mode");
    expect(line.store.ballots.get(GROUP)?.control).toEqual(control);
  });

  it("is refused when somebody else changed the group at the same moment", async () => {
    const line = new CommandLine().withGroup();
    const read = line.store.readSpec;
    line.store.readSpec = async (group) => {
      const found = await read(group);
      line.store.specs.set(GROUP, spec({ version: 9 }));
      return found;
    };
    expect(await line.run("groups", "set", "mymaster", "leaseMs=6000")).toMatchObject({
      exit: 5,
      notes:
        "valkeeper: group mymaster was changed by somebody else at the same moment: look at `valkeeper groups list` and try again",
    });
  });

  it("cannot take back what is not overridden", async () => {
    const line = new CommandLine().withGroup();
    expect((await line.run("groups", "unset", "mymaster", "leaseMs")).notes).toBe(
      "valkeeper: leaseMs of mymaster is not overridden",
    );
  });
});

describe("groups release", () => {
  const declaredBy = { stack: "stack/Cache", resource: "Mymaster" };

  it("lets another stack declare the group, when that is confirmed, and changes nothing else", async () => {
    const line = new CommandLine().withGroup();
    const before = spec({ declaredBy });
    line.store.specs.set(GROUP, before);
    expect(await line.run("groups", "release", "mymaster")).toMatchObject({
      exit: 1,
      notes: expect.stringContaining("would take it over from stack/Cache (Mymaster): repeat with --yes"),
    });
    expect(line.store.specs.get(GROUP)).toEqual(before);
    expect(await line.run("groups", "release", "mymaster", "--yes")).toMatchObject({ exit: 0 });
    expect(line.store.specs.get(GROUP)).toEqual({
      ...before,
      version: 5,
      declaredBy: { ...declaredBy, isReleased: true },
    });
  });

  it("is refused for what no stack is recorded for, and a second time", async () => {
    const line = new CommandLine().withGroup();
    const refusals: readonly (readonly [Partial<SpecRecord>, string])[] = [
      [{ owner: "cli" }, "is no stack's"],
      [{}, "was not recorded"],
      [{ declaredBy: { ...declaredBy, isReleased: true } }, "is released by stack/Cache already"],
    ];
    for (const [rest, words] of refusals) {
      line.store.specs.set(GROUP, spec(rest));
      expect(await line.run("groups", "release", "mymaster", "--yes")).toMatchObject({
        exit: 5,
        notes: expect.stringContaining(words),
      });
    }
  });
});

describe("groups remove", () => {
  it("lets a group go that was registered here, when that is confirmed", async () => {
    const line = new CommandLine().withGroup();
    line.store.specs.set(GROUP, spec({ owner: "cli" }));
    expect((await line.run("groups", "remove", "mymaster")).notes).toBe(
      "valkeeper: mymaster would not be failed over any more, and its published primary would stand as it is: repeat with --yes",
    );
    expect(await line.run("groups", "remove", "mymaster", "--yes")).toMatchObject({ exit: 0 });
    expect(line.store.removed).toEqual([GROUP]);
  });

  it("is refused for a group of a stack, and in the middle of an operation", async () => {
    const line = new CommandLine().withGroup();
    expect(await line.run("groups", "remove", "mymaster", "--yes")).toMatchObject({
      exit: 5,
      notes: expect.stringContaining("is declared by a stack: take it out there and deploy"),
    });
    line.store.specs.set(GROUP, spec({ owner: "cli" }));
    const operation = {
      kind: "failover",
      step: "begun",
      began: epoch(8),
      target: null,
      by: "automatic",
      reason: "",
      request: null,
      insists: false,
    } as const;
    line.store.ballots.set(GROUP, ballot({ operation }));
    expect((await line.run("groups", "remove", "mymaster", "--yes")).notes).toContain(
      "a failover of mymaster is going on",
    );
    expect(line.store.removed).toEqual([]);
  });
});

describe("groups list", () => {
  it("shows owner, nodes and overrides", async () => {
    const line = new CommandLine().withGroup();
    line.store.specs.set(GROUP, spec({ overrides: { leaseMs: { value: 6_000, by: "kim", at: ago(0) } } }));
    expect((await line.run("groups", "list")).out.split("\n")).toEqual([
      "GROUP     OWNER  VERSION  QUORUM  NODES                                                             OVERRIDES",
      "mymaster  cdk    4        2       n2 172.31.37.55:6379, n1 172.31.32.27:6379, n3 172.31.39.58:6379  leaseMs",
    ]);
    const document = JSON.parse((await line.run("groups", "list", "--json")).out);
    expect(document.groups[0]).toMatchObject({
      group: "mymaster",
      owner: "cdk",
      config: { leaseMs: 6_000, downAfterMs: 5_000 },
    });
    expect((await new CommandLine().run("groups", "list")).out).toBe("no group is registered");
  });
});

describe("groups recover", () => {
  it("shows what each node holds before a person decides, and asks for both words", async () => {
    const line = new CommandLine().withGroup();
    line.onPause = () => {
      const seen = view(
        { n1: { offset: 53_000, role: "primary", follows: null, detail: "a history that no record explains" } },
        { at: line.now },
      );
      line.store.slots = VOTERS.map((voter) => slot(voter, seen, { heartbeatAt: line.now }));
    };
    const run = await line.run("groups", "recover", "mymaster");
    expect(run).toMatchObject({ exit: 1, notes: "valkeeper: say whose data counts: --node ID" });
    expect(run.out.split("\n")).toEqual([
      "NODE  ADDRESS            STATE    ROLE     FOLLOWS            OFFSET",
      "n2    172.31.37.55:6379  answers  primary  -                  52812",
      "n1    172.31.32.27:6379  answers  primary  -                  53000   a history that no record explains",
      "n3    172.31.39.58:6379  answers  replica  172.31.37.55:6379  52812",
    ]);
    expect((await line.run("groups", "recover", "mymaster", "--node", "n1")).notes).toBe(
      "valkeeper: what the other nodes hold beyond n1 would be lost: repeat with --accept-data-loss",
    );
    line.onPause = () => line.interrupt.abort();
    await line.run("groups", "recover", "mymaster", "--node", "n1", "--accept-data-loss", "--reason", "restored");
    expect(line.store.requests.get(GROUP)).toMatchObject({
      kind: "recover",
      target: nodeId("n1"),
      acceptDataLoss: true,
      reason: "restored",
    });
  });
});

describe("spelling of nodes and settings", () => {
  it.each([
    ["n1=10.0.1.7:6379/az-a", { id: "n1", host: "10.0.1.7", port: 6379, zone: "az-a" }],
    ["n1=valkey-1.internal", { id: "n1", host: "valkey-1.internal" }],
    ["n1=[fd00::7]:6379", { id: "n1", host: "fd00::7", port: 6379 }],
    ["n1=[fd00::7]/az-a", { id: "n1", host: "fd00::7", zone: "az-a" }],
  ])("%s is a node", (text, node) => {
    expect(parseNode(text)).toEqual(node);
  });

  it.each(["", "n1", "=h", "n1=", "n1=fd00::7:6379", "n1=h:port"])("%o is none", (text) => {
    expect(() => parseNode(text)).toThrow("is no node: write id=host:port/zone");
  });

  it("values are JSON where they are JSON, and text else", () => {
    expect(["a=1", "a=true", "a=null", "a=refuse", 'a={"b":1}', "a=", "a=b=c"].map(parseSetting)).toEqual([
      ["a", 1],
      ["a", true],
      ["a", null],
      ["a", "refuse"],
      ["a", { b: 1 }],
      ["a", ""],
      ["a", "b=c"],
    ]);
  });

  it("dotted names make their maps, and harm no prototype", () => {
    expect(withSetting({ a: 1 }, "publication.dns.ttlSeconds", 5)).toEqual({
      a: 1,
      publication: { dns: { ttlSeconds: 5 } },
    });
    withSetting({}, "__proto__.polluted", true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
