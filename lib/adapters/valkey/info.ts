// INFO -> what a node says of itself, or why that cannot be believed. A decision to promote rests on four of its lines
// (run id, role, replication id, offset), so nothing is guessed, defaulted or repaired: a field that is missing, written
// twice or out of its form makes the whole text unreadable. Names are Valkey's own on the wire (master_, slave_), which all
// versions from Redis 6.2 on share. Fields are kept in a Map: a server that prints `__proto__` must not be able to plant one.

import {
  type Address,
  type ListedReplica,
  type NodeReading,
  type ReplicationId,
  replicationId,
  runId,
} from "../../core/types.ts";

export type InfoResult =
  | { readonly kind: "reading"; readonly reading: NodeReading }
  /** Known from the section `server` alone; a Sentinel has no replication to show. */
  | { readonly kind: "sentinel" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The sections that a reading needs. */
export const INFO_SECTIONS = ["server", "replication", "persistence", "keyspace"] as const;
type Section = (typeof INFO_SECTIONS)[number];

const NO_ID = "0".repeat(40);
const PRIORITY_OF_A_PRIMARY = 100;

export function parseInfo(text: string): InfoResult {
  const sections = splitSections(text);
  if (typeof sections === "string") return { kind: "unreadable", reason: sections };
  const server = sections.get("server");
  if (server === undefined) return { kind: "unreadable", reason: "no section Server" };
  // A Sentinel answers with its own sections, so its mode is looked at before anything else is asked for.
  if (modeOf(server) === "sentinel") return { kind: "sentinel" };
  const missing = INFO_SECTIONS.find((name) => !sections.has(name));
  if (missing !== undefined) return { kind: "unreadable", reason: `no section ${missing}` };
  const fields = new Fields([...sections.values()]);
  const reading = readFields(fields);
  if (fields.problem !== null) return { kind: "unreadable", reason: fields.problem };
  return { kind: "reading", reading };
}

type FieldMap = ReadonlyMap<string, string>;

/** The wanted sections' fields, or why the text is damaged. Other sections (INFO without arguments has them) are passed over. */
function splitSections(text: string): ReadonlyMap<Section, FieldMap> | string {
  // Every line of INFO has its end; the one that has none was cut, and its number may have lost digits.
  if (!text.endsWith("\r\n")) return "it is cut off";
  const sections = new Map<Section, Map<string, string>>();
  let current: Map<string, string> | null = null;
  for (const line of text.split("\r\n")) {
    if (line === "") continue;
    if (line.startsWith("#")) {
      const name = line.slice(1).trim().toLowerCase();
      if (!isSection(name)) {
        current = null;
        continue;
      }
      if (sections.has(name)) return `section ${name} is there twice`;
      current = new Map();
      sections.set(name, current);
      continue;
    }
    if (current === null) {
      if (sections.size === 0) return "it does not begin with a section";
      continue;
    }
    const colon = line.indexOf(":");
    if (colon < 1 || /[\r\n]/.test(line)) return "a line is damaged";
    const name = line.slice(0, colon);
    if (current.has(name)) return `${name} is there twice`;
    current.set(name, line.slice(colon + 1));
  }
  return sections;
}

const isSection = (name: string): name is Section => (INFO_SECTIONS as readonly string[]).includes(name);

/** `server_mode` since Valkey 8.0, `redis_mode` before and in Redis. */
const modeOf = (server: FieldMap): string | undefined => server.get("server_mode") ?? server.get("redis_mode");

function readFields(fields: Fields): NodeReading {
  const isValkey = fields.has("valkey_version");
  const role = fields.oneOf("role", ["master", "slave"]) === "master" ? "primary" : "replica";
  const uptimeSeconds = fields.whole("uptime_in_seconds");
  const second = secondHistory(fields);
  return {
    runId: runId(fields.hex("run_id")),
    product: isValkey ? "valkey" : "redis",
    version: fields.text(isValkey ? "valkey_version" : "redis_version"),
    mode: fields.oneOf(fields.has("server_mode") ? "server_mode" : "redis_mode", ["standalone", "cluster"]),
    uptimeSeconds,
    role,
    replicationId: replicationId(fields.hex("master_replid")),
    ...second,
    ...(role === "primary" ? primaryFields(fields) : replicaFields(fields, uptimeSeconds)),
    replicas: listedReplicas(fields),
    loading: fields.flag("loading"),
    failoverState: fields.text("master_failover_state"),
    keyCount: keyCount(fields),
    lastBgsaveOk: fields.oneOf("rdb_last_bgsave_status", ["ok", "err"]) === "ok",
    lastAofWriteOk: fields.oneOf("aof_last_write_status", ["ok", "err"]) === "ok",
  };
}

type SecondHistory = Pick<NodeReading, "secondReplicationId" | "secondReplicationOffset">;

/** Valkey sets and clears the two together; one without the other is damage. */
function secondHistory(fields: Fields): SecondHistory {
  const id = fields.hex("master_replid2");
  const offset = fields.wholeOrMinusOne("second_repl_offset");
  if ((id === NO_ID) !== (offset === null)) fields.fail("master_replid2 and second_repl_offset do not fit together");
  const secondReplicationId: ReplicationId | null = id === NO_ID ? null : replicationId(id);
  return { secondReplicationId, secondReplicationOffset: offset };
}

type RoleFields = Pick<
  NodeReading,
  "offset" | "follows" | "linkUp" | "linkDownSeconds" | "syncInProgress" | "lastIoSeconds" | "priority"
>;

function primaryFields(fields: Fields): RoleFields {
  return {
    offset: fields.whole("master_repl_offset"),
    follows: null,
    linkUp: false,
    linkDownSeconds: null,
    syncInProgress: false,
    lastIoSeconds: null,
    priority: PRIORITY_OF_A_PRIMARY,
  };
}

function replicaFields(fields: Fields, uptimeSeconds: number): RoleFields {
  const linkUp = fields.oneOf("master_link_status", ["up", "down"]) === "up";
  // Both offsets are printed by a replica. The promise is about the stream that it applied: slave_repl_offset. One that has
  // never had a stream says 1 there; its own says 0, and that is what a promotion goes on from (R25).
  const applied = fields.whole("slave_repl_offset");
  const own = fields.whole("master_repl_offset");
  return {
    offset: own === 0 && applied === 1 ? 0 : applied,
    follows: { host: fields.text("master_host"), port: fields.port("master_port") },
    linkUp,
    // -1: it never was up since the process started, so it has been down for all of its life.
    linkDownSeconds: linkUp ? null : (fields.wholeOrMinusOne("master_link_down_since_seconds") ?? uptimeSeconds),
    syncInProgress: fields.flag("master_sync_in_progress"),
    lastIoSeconds: fields.wholeOrMinusOne("master_last_io_seconds_ago"),
    priority: fields.whole("slave_priority"),
  };
}

/** `slaveN:ip=..,port=..,state=..,offset=..,lag=..`; newer versions append more pairs. IPv6 has colons, never commas. */
function listedReplicas(fields: Fields): ListedReplica[] {
  const listed: ListedReplica[] = [];
  for (const [name, value] of fields.entries()) {
    if (!/^slave\d+$/.test(name)) continue;
    const pairs = new Map(value.split(",").map((pair) => splitAt(pair, "=")));
    const [host, state] = [pairs.get("ip") ?? "", pairs.get("state") ?? ""];
    const [port, offset] = ["port", "offset"].map((key) => wholeNumber(pairs.get(key)));
    // -1 at the turn of a second: the server takes the acknowledgement's time and the present one from two clocks.
    const lag = pairs.get("lag") === "-1" ? 0 : wholeNumber(pairs.get("lag"));
    if (host === "" || state === "" || port === undefined || offset === undefined || lag === undefined) {
      fields.fail(`${name} is damaged`);
      return [];
    }
    const address: Address = { host, port };
    listed.push({ address, state, offset, lagSeconds: lag });
  }
  return listed;
}

function keyCount(fields: Fields): number {
  let sum = 0;
  for (const [name, value] of fields.entries()) {
    if (!/^db\d+$/.test(name)) continue;
    const keys = wholeNumber(/^keys=(\d+),/.exec(value)?.[1]);
    if (keys === undefined) fields.fail(`${name} is damaged`);
    else sum += keys;
  }
  return sum;
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** As Valkey prints numbers; undefined for anything else, and for what a double cannot hold exactly. */
function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Reads fields by their form and remembers the first that has it not; what it returns then is never used. */
class Fields {
  problem: string | null = null;
  readonly #fields: FieldMap;

  constructor(sections: readonly FieldMap[]) {
    const all = new Map<string, string>();
    for (const section of sections) {
      for (const [name, value] of section) {
        if (all.has(name)) this.fail(`${name} is there twice`);
        all.set(name, value);
      }
    }
    this.#fields = all;
  }

  fail(problem: string): void {
    this.problem ??= problem;
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  entries(): Iterable<[string, string]> {
    return this.#fields.entries();
  }

  text(name: string): string {
    const value = this.#fields.get(name);
    if (value === undefined || value === "") this.fail(`${name} is missing`);
    return value ?? "";
  }

  oneOf<Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
    const value = this.text(name);
    const word = words.find((each) => each === value);
    if (word === undefined) this.fail(`${name} is neither ${words.join(" nor ")}`);
    return word ?? words[0];
  }

  flag(name: string): boolean {
    return this.oneOf(name, ["0", "1"]) === "1";
  }

  hex(name: string): string {
    const value = this.text(name);
    if (!/^[0-9a-f]{40}$/.test(value)) this.fail(`${name} is not 40 hex digits`);
    return value;
  }

  whole(name: string): number {
    const value = wholeNumber(this.text(name));
    if (value === undefined) this.fail(`${name} is no whole number`);
    return value ?? 0;
  }

  port(name: string): number {
    const value = this.whole(name);
    if (value < 1 || value > 65_535) this.fail(`${name} is no port`);
    return value;
  }

  wholeOrMinusOne(name: string): number | null {
    return this.text(name) === "-1" ? null : this.whole(name);
  }
}
