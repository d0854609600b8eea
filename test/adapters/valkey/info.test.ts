import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseInfo } from "../../../lib/adapters/valkey/info.ts";
import { isBootFenced, tokenOf } from "../../../lib/core/token.ts";
import type { NodeReading } from "../../../lib/core/types.ts";
import { infoText, readableTexts, withField, withoutLine } from "./info-texts.ts";

function read(text: string): NodeReading {
  const parsed = parseInfo(text);
  if (parsed.kind !== "reading") throw new Error(parsed.kind === "sentinel" ? "sentinel" : parsed.reason);
  return parsed.reading;
}

const readText = (name: string): NodeReading => read(infoText(name));
const primary = infoText("valkey-8.0.1-primary");
const replica = infoText("valkey-8.0.1-replica");

describe("real texts", () => {
  it.each([...readableTexts.keys()])("%s is read", (name) => {
    const [product, version] = name.split("-");
    const reading = readText(name);
    expect(reading).toMatchObject({ product, version, mode: "standalone", keyCount: 2, loading: false });
    expect(reading.role).toBe(/-(primary|promoted)$/.test(name) ? "primary" : "replica");
    expect(reading.offset).toBeGreaterThan(0);
  });

  it("a primary with two replicas", () => {
    expect(read(primary)).toEqual({
      runId: "cb781699f57ea0eafb75bee24e2dea1d81b9a8aa",
      product: "valkey",
      version: "8.0.1",
      mode: "standalone",
      uptimeSeconds: 3,
      role: "primary",
      replicationId: "3774eb3078b6d383950c1f2e3de11fd2b0461a3c",
      secondReplicationId: null,
      secondReplicationOffset: null,
      offset: 173,
      follows: null,
      linkUp: false,
      linkDownSeconds: null,
      syncInProgress: false,
      lastIoSeconds: null,
      priority: 100,
      replicas: [
        { address: { host: "::1", port: 7912 }, state: "online", offset: 159, lagSeconds: 0 },
        { address: { host: "127.0.0.1", port: 7913 }, state: "online", offset: 159, lagSeconds: 0 },
      ],
      loading: false,
      failoverState: "no-failover",
      keyCount: 2,
      lastBgsaveOk: true,
      lastAofWriteOk: true,
    });
  });

  it("a replica follows an IPv6 address, its link is up", () => {
    const { follows, linkUp, linkDownSeconds, lastIoSeconds } = read(replica);
    expect({ follows, linkUp, linkDownSeconds, lastIoSeconds }).toEqual({
      follows: { host: "::1", port: 7911 },
      linkUp: true,
      linkDownSeconds: null,
      lastIoSeconds: 0,
    });
  });

  it("a frozen replica shows its token and keeps id and offset", () => {
    const [before, frozen] = [read(replica), readText("valkey-8.0.1-frozen")];
    expect(tokenOf(frozen.follows)).toBe(5);
    expect(frozen).toMatchObject({ linkUp: false, linkDownSeconds: 2, lastIoSeconds: null });
    expect([frozen.replicationId, frozen.offset]).toEqual([before.replicationId, before.offset]);
  });

  it("a promoted node names its second history, one past its last offset", () => {
    const [frozen, promoted] = [readText("valkey-9.1.2-frozen"), readText("valkey-9.1.2-promoted")];
    expect(promoted.secondReplicationId).toBe(frozen.replicationId);
    expect(promoted.secondReplicationOffset).toBe(frozen.offset + 1);
  });

  it("a boot-fenced node's link was never up, so it has been down since the process started", () => {
    const reading = readText("valkey-8.0.1-boot-fenced");
    expect(isBootFenced(reading)).toBe(true);
    expect(reading.linkDownSeconds).toBe(reading.uptimeSeconds);
  });

  it("a Sentinel is one, though it shows no replication", () => {
    expect(parseInfo(infoText("valkey-8.0.1-sentinel"))).toEqual({ kind: "sentinel" });
  });

  it("a Cluster node says so", () => {
    expect(readText("valkey-8.0.1-cluster").mode).toBe("cluster");
  });
});

describe("a synthetic field", () => {
  it.each([
    ["master_sync_in_progress", "1", { syncInProgress: true }],
    ["master_failover_state", "waiting-for-sync", { failoverState: "waiting-for-sync" }],
    ["loading", "1", { loading: true }],
    ["rdb_last_bgsave_status", "err", { lastBgsaveOk: false }],
    ["aof_last_write_status", "err", { lastAofWriteOk: false }],
    ["slave_priority", "0", { priority: 0 }],
    ["slave_repl_offset", "9007199254740991", { offset: Number.MAX_SAFE_INTEGER }],
    ["db0", "keys=40,expires=1,avg_ttl=0,subexpiry=3", { keyCount: 41 }],
  ] satisfies [string, string, Partial<NodeReading>][])("%s:%s", (name, value, expected) => {
    expect(read(withField(replica, name, value))).toMatchObject(expected);
  });

  it("a replica that never had a stream is at 0, where its promotion begins, and not at the 1 that it says", () => {
    const blank = withField(withField(replica, "master_repl_offset", "0"), "slave_repl_offset", "1");
    expect(read(blank).offset).toBe(0);
    expect(read(withField(blank, "master_repl_offset", "1")).offset).toBe(1);
  });

  it("is no field of ours when a server plants __proto__", () => {
    const reading = read(replica.replace("# Replication\r\n", "# Replication\r\n__proto__:x\r\nconstructor:y\r\n"));
    expect(reading).toEqual(read(replica));
  });

  it("an empty node has no keys", () => {
    expect(read(primary.replace(/^db\d+:.*\r\n/gm, "")).keyCount).toBe(0);
  });
});

describe("damage", () => {
  it.each([
    ["nothing", "", "cut off"],
    ["another protocol", "<html></html>\r\n", "does not begin with a section"],
    ["a cut line", primary.slice(0, -3), "cut off"],
    ["a lost section", primary.replace(/# Replication\r\n[^#]*/, ""), "no section replication"],
    ["a section twice", `${primary}${primary}`, "section server is there twice"],
    ["a field twice", withField(primary, "role", "master\r\nrole:slave"), "role is there twice"],
    ["a field in two sections", withField(primary, "loading", "0\r\nrole:master"), "role is there twice"],
    ["a line without a name", withField(primary, "role", "master\r\nwhat is this"), "a line is damaged"],
    ["a bare line feed", withField(primary, "role", "master\nx:y"), "a line is damaged"],
    ["another role", withField(primary, "role", "primary"), "role is neither master nor slave"],
    ["a short id", withField(primary, "master_replid", "abc"), "master_replid is not 40 hex digits"],
    ["an id in capitals", withField(primary, "run_id", "A".repeat(40)), "run_id is not 40 hex digits"],
    ["a negative offset", withField(primary, "master_repl_offset", "-5"), "master_repl_offset is no whole number"],
    ["an offset past 2^53", withField(primary, "master_repl_offset", "9007199254740993"), "no whole number"],
    ["an offset in words", withField(primary, "master_repl_offset", "1e3"), "no whole number"],
    ["a second offset alone", withField(primary, "second_repl_offset", "7"), "do not fit together"],
    ["a second id alone", withField(primary, "master_replid2", "a".repeat(40)), "do not fit together"],
    ["port 0", withField(replica, "master_port", "0"), "master_port is no port"],
    ["no host", withField(replica, "master_host", ""), "master_host is missing"],
    [
      "a replica without its port",
      withField(primary, "slave0", "ip=::1,state=online,offset=1,lag=0"),
      "slave0 is damaged",
    ],
    ["a key count in words", withField(primary, "db0", "keys=many,expires=0"), "db0 is damaged"],
    ["an unknown mode", withField(primary, "server_mode", "other"), "server_mode is neither"],
    [
      "a replica's lag below -1",
      withField(primary, "slave0", "ip=::1,port=1,state=online,offset=1,lag=-2"),
      "slave0 is damaged",
    ],
  ])("%s makes the text unreadable", (_, text, reason) => {
    expect(parseInfo(text)).toMatchObject({ kind: "unreadable", reason: expect.stringContaining(reason) });
  });

  it("takes a replica's lag of -1, which a server prints at the turn of a second, for none", () => {
    const text = withField(primary, "slave0", "ip=10.0.0.2,port=6379,state=online,offset=1,lag=-1");
    const listed = expect.arrayContaining([expect.objectContaining({ offset: 1, lagSeconds: 0 })]);
    expect(parseInfo(text)).toMatchObject({ kind: "reading", reading: { replicas: listed } });
  });

  it.each([
    ...[
      "run_id",
      "role",
      "master_host",
      "master_port",
      "master_link_status",
      "master_sync_in_progress",
      "slave_repl_offset",
    ],
    ...["master_repl_offset", "master_replid", "master_replid2", "second_repl_offset", "slave_priority", "loading"],
    ...["master_failover_state", "uptime_in_seconds", "rdb_last_bgsave_status", "aof_last_write_status", "server_mode"],
  ])("a replica's text without %s is unreadable", (name) => {
    expect(parseInfo(withoutLine(replica, name)).kind).toBe("unreadable");
  });

  it("a reading of a damaged text says only what the text states completely, and nothing throws", () => {
    const texts = [...readableTexts.values()];
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.array(mutation, { minLength: 1, maxLength: 3 }), (text, mutations) => {
        const damaged = mutations.reduce((each, mutate) => mutate(each), text);
        const parsed = parseInfo(damaged);
        if (parsed.kind === "reading") expectStated(damaged, parsed.reading);
      }),
      { numRuns: 20_000 },
    );
  });

  it("a text that was cut anywhere is no reading before its last section", () => {
    for (const text of readableTexts.values()) {
      const end = text.indexOf("# Keyspace\r\n") + "# Keyspace\r\n".length;
      for (let length = 0; length < end; length += 1) expect(parseInfo(text.slice(0, length)).kind).toBe("unreadable");
    }
  });
});

type Mutation = (text: string) => string;

const onLine = (change: (lines: string[], at: number) => string[]): fc.Arbitrary<Mutation> =>
  fc.nat().map((at) => (text) => {
    const lines = text.split("\r\n");
    return change(lines, at % Math.max(1, lines.length)).join("\r\n");
  });

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  onLine((lines, at) => lines.toSpliced(at, 1)),
  onLine((lines, at) => lines.toSpliced(at, 0, lines[at] ?? "")),
  onLine((lines, at) => lines.with(at, (lines[at] ?? "").replace(/\d+/, "99999999999999999999"))),
  onLine((lines, at) => lines.with(at, (lines[at] ?? "").replace(/:(?=\d)/, ":-"))),
  onLine((lines, at) => lines.toSpliced(at, 0, "unknown_field:1", "__proto__:x")),
  onLine((lines, at) => [...lines.slice(at), ...lines.slice(0, at)]),
  fc.nat().map(
    (at): Mutation =>
      (text) =>
        text.slice(0, at % (text.length + 1)),
  ),
  fc.nat().map(
    (at): Mutation =>
      (text) =>
        text.slice(at % (text.length + 1)),
  ),
  fc.tuple(fc.nat(), fc.string({ maxLength: 4 })).map(
    ([at, junk]): Mutation =>
      (text) => {
        const where = at % (text.length + 1);
        return text.slice(0, where) + junk + text.slice(where);
      },
  ),
);

/** What a promotion rests on stands in the text on lines of its own, exactly once. */
function expectStated(text: string, reading: NodeReading): void {
  const stated = (name: string): string[] => text.split("\r\n").filter((line) => line.startsWith(`${name}:`));
  const offsetName = reading.role === "primary" ? "master_repl_offset" : "slave_repl_offset";
  expect(stated("run_id")).toEqual([`run_id:${reading.runId}`]);
  expect(stated("role")).toEqual([`role:${reading.role === "primary" ? "master" : "slave"}`]);
  expect(stated("master_replid")).toEqual([`master_replid:${reading.replicationId}`]);
  expect(stated(offsetName)).toEqual([`${offsetName}:${reading.offset}`]);
  expect(reading.offset).toBeGreaterThanOrEqual(0);
}
