// What do the groups of a sentinel.conf look like as declarations? One pass collects what the file says of each group,
// one turns it into the settings of docs/configuration.md. What a declaration cannot hold, what had to be changed and
// what the file does not say is remarked on: nothing is left out silently.

import { NUMBERS } from "../core/config-bounds.ts";
import { majority } from "../core/config-defaults.ts";
import { addressKey } from "../core/config-reading.ts";
import type { Address } from "../core/types.ts";
import type { SentinelConf, Statement } from "./sentinel-conf.ts";
import { droppedOfServer, SENTINEL_DIRECTIVES } from "./sentinel-directives.ts";
import { addressText } from "./status-text.ts";

export interface ImportOptions {
  readonly user: string | null;
  readonly secretId: string | null;
  readonly parameter: string | null;
  /** PEM text. */
  readonly tlsCa: string | null;
  readonly zones: readonly AddressLabel[];
  readonly ids: readonly AddressLabel[];
}

/** `10.0.1.7:6379=az-a`; without a port it means every node of the host. */
export interface AddressLabel {
  readonly text: string;
  readonly host: string;
  readonly port: number | null;
  readonly label: string;
}

export interface Remark {
  /** `missing`: what the file does not say, and somebody should. */
  readonly kind: "dropped" | "changed" | "missing";
  readonly line: number;
  /** Null: it is of no one group. */
  readonly group: string | null;
  readonly directive: string;
  readonly reason: string;
}

export type Declaration = Readonly<Record<string, unknown>>;

export interface ImportedGroups {
  readonly groups: readonly Declaration[];
  /** In the order of the file. */
  readonly remarks: readonly Remark[];
  readonly issues: readonly string[];
}

interface Found {
  readonly name: string;
  readonly monitor: Statement;
  readonly primary: Address;
  readonly quorum: number;
  readonly replicas: Address[];
  sentinels: number;
  /** The last statement of each directive. */
  readonly settings: Map<string, Statement>;
}

interface Reading {
  readonly found: Map<string, Found>;
  readonly remarks: Remark[];
  readonly issues: string[];
  readonly tls: Map<string, Statement>;
}

export function groupsOf(conf: SentinelConf, options: ImportOptions): ImportedGroups {
  const reading: Reading = { found: new Map(), remarks: [], issues: [...conf.issues], tls: new Map() };
  // As a Sentinel reads it: the order of the lines does not matter.
  const isMonitor = ({ directive }: Statement): boolean => directive === "sentinel monitor";
  for (const statement of conf.statements.filter(isMonitor)) readMonitor(reading, statement);
  for (const statement of conf.statements.filter((each) => !isMonitor(each))) readStatement(reading, statement);
  const all = [...reading.found.values()];
  if (all.length === 0 && reading.issues.length === 0) reading.issues.push("it has no `sentinel monitor` line");
  const groups = all.map((group) => declarationOf(reading, group, options));
  for (const given of [...options.zones, ...options.ids]) {
    const isUsed = all.some((group) => nodesOf(group).some((node) => isMeant(given, node)));
    if (!isUsed) reading.issues.push(`${given.text}: no group has a node of that address`);
  }
  const byLine = (text: string): number => Number(/^line (\d+)/.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  return {
    groups,
    remarks: reading.remarks.toSorted((a, b) => a.line - b.line),
    issues: reading.issues.toSorted((a, b) => byLine(a) - byLine(b)),
  };
}

function readMonitor(reading: Reading, statement: Statement): void {
  const [name = "", host = "", port = "", quorum = ""] = statement.values;
  const primary = readAddress(reading, statement, host, port);
  const votes = readWhole(reading, statement, "the quorum", quorum);
  const standing = reading.found.get(name);
  if (standing !== undefined) {
    reading.issues.push(`line ${statement.line}: this group is monitored already, since line ${standing.monitor.line}`);
    return;
  }
  reading.found.set(name, {
    name,
    monitor: statement,
    primary: primary ?? { host, port: 0 },
    quorum: votes ?? 0,
    replicas: [],
    sentinels: 0,
    settings: new Map(),
  });
}

function readStatement(reading: Reading, statement: Statement): void {
  const { directive, line, values } = statement;
  const shape = SENTINEL_DIRECTIVES[directive];
  if (shape === undefined) return readServer(reading, statement);
  if (!shape.form.startsWith("NAME")) {
    return void reading.remarks.push({ kind: "dropped", line, group: null, directive, reason: shape.dropped ?? "" });
  }
  const group = reading.found.get(values[0] ?? "");
  if (group === undefined) {
    const known = [...reading.found.keys()].join(", ") || "none";
    return void reading.issues.push(
      `line ${line}: ${directive} is of a group that is not monitored: there are ${known}`,
    );
  }
  if (directive === "sentinel known-sentinel") group.sentinels += 1;
  if (shape.dropped !== null) return remark(reading, group, statement, "dropped", shape.dropped);
  if (directive === "sentinel known-replica" || directive === "sentinel known-slave") {
    const replica = readAddress(reading, statement, values[1] ?? "", values[2] ?? "");
    if (replica !== null) group.replicas.push(replica);
    return;
  }
  // Both spellings may stand in one file: a Sentinel rewrites the older one beside the newer.
  const name = directive.replace("sentinel ", "").replace("master-reboot", "primary-reboot");
  const before = group.settings.get(name);
  if (before !== undefined)
    remark(reading, group, before, "dropped", `line ${line} sets it again, and the last one counts`);
  group.settings.set(name, statement);
}

function readServer(reading: Reading, statement: Statement): void {
  const { directive, line, values } = statement;
  if (!["tls-replication", "tls-ca-cert-file", "tls-ca-cert-dir"].includes(directive)) {
    const reason = droppedOfServer(directive);
    return void reading.remarks.push({ kind: "dropped", line, group: null, directive, reason });
  }
  if (directive === "tls-replication" && !["yes", "no"].includes(values[0]?.toLowerCase() ?? "")) {
    reading.issues.push(`line ${line}: tls-replication should be yes or no`);
  }
  reading.tls.set(directive, statement);
}

function readAddress(reading: Reading, statement: Statement, host: string, port: string): Address | null {
  const number = readWhole(reading, statement, "the port", port);
  if (host === "") reading.issues.push(`line ${statement.line}: the host is empty`);
  if (number !== null && number > 65_535) {
    reading.issues.push(`line ${statement.line}: the port should be 65535 at most`);
  }
  return number === null || host === "" ? null : { host, port: number };
}

function readWhole(reading: Reading, { line }: Statement, what: string, text: string): number | null {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  reading.issues.push(`line ${line}: ${what} should be a whole number above 0`);
  return null;
}

function remark(reading: Reading, group: Found, at: Statement, kind: Remark["kind"], reason: string): void {
  reading.remarks.push({ kind, line: at.line, group: group.name, directive: at.directive, reason });
}

/** The primary, then the replicas by address: the same ids whichever Sentinel's file is imported. */
function nodesOf({ primary, replicas }: Found): readonly Address[] {
  const others = new Map(replicas.map((replica) => [addressKey(replica), replica]));
  others.delete(addressKey(primary));
  return [primary, ...[...others].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, replica]) => replica)];
}

const isMeant = ({ host, port }: AddressLabel, node: Address): boolean =>
  addressKey({ host, port: node.port }) === addressKey(node) && (port === null || port === node.port);

const LOOPBACK = /^(127\.[\d.]+|::1|localhost)$/i;

function declarationOf(reading: Reading, group: Found, options: ImportOptions): Declaration {
  const nodes = nodesOf(group).map((node, index) => {
    const id = options.ids.find((given) => isMeant(given, node))?.label ?? `n${index + 1}`;
    const zone = options.zones.find((given) => isMeant(given, node))?.label;
    return { id, host: node.host, port: node.port, ...(zone === undefined ? {} : { zone }) };
  });
  const missing = (reason: string): void => remark(reading, group, group.monitor, "missing", reason);
  if (nodes.length === 1) {
    missing("no replica is known: import a file that a running Sentinel has written, or add the nodes by hand");
  }
  const local = nodes.filter(({ host }) => LOOPBACK.test(host));
  if (local.length > 0) {
    const named = local.map((node) => addressText(node)).join(", ");
    missing(`addresses by which others reach ${named}: that is the Sentinel's own machine, and each voter's`);
  }
  const withoutZone = nodes.filter((node) => !("zone" in node));
  if (withoutZone.length > 0) {
    missing(`zones of ${withoutZone.map((node) => addressText(node)).join(", ")}: --zone ADDRESS=ZONE`);
  }
  return {
    name: group.name,
    mode: "observe",
    nodes,
    ...quorumOf(reading, group),
    ...settingsOf(reading, group),
    ...credentialsOf(reading, group, options),
    ...tlsOf(reading, group, options),
  };
}

/** Sentinels promote with the larger of the quorum and their majority; the majority of the voters is the default here. */
function quorumOf(reading: Reading, group: Found): Declaration {
  const { quorum, sentinels, monitor } = group;
  const ofAll = majority(sentinels + 1);
  if (sentinels > 0 && quorum === ofAll) return {};
  if (quorum > 1 && (sentinels === 0 || quorum > ofAll)) return { quorum };
  const reason =
    "a quorum below the majority: the majority of the voters decides here, as it does in an election there";
  remark(reading, group, monitor, "changed", reason);
  return {};
}

type Bounded = "downAfterMs" | "stepTimeoutMs" | "parallelSyncs" | "loadingLimitMs";

/** A Sentinel's own default, which it leaves out of the file. */
const SENTINEL_DOWN_AFTER_MS = 30_000;

function settingsOf(reading: Reading, group: Found): Declaration {
  const read = (directive: string, name: Bounded): Declaration => {
    const statement = group.settings.get(directive);
    if (statement === undefined) return {};
    const text = statement.values[1] ?? "";
    if (name === "loadingLimitMs" && /^0+$/.test(text)) {
      const reason = "0 means off there: loadingLimitMs keeps its default, and its largest value is a day";
      remark(reading, group, statement, "dropped", reason);
      return {};
    }
    const value = readWhole(reading, statement, "the value", text);
    if (value === null) return {};
    const { least, most, unit } = NUMBERS[name];
    const fitting = Math.min(Math.max(value, least), most);
    if (fitting !== value) {
      remark(
        reading,
        group,
        statement,
        "changed",
        `${name} is ${fitting} instead of ${value}: it has ${least} to ${most} ${unit}`,
      );
    }
    return { [name]: fitting };
  };
  if (!group.settings.has("down-after-milliseconds")) {
    const reason = `no down-after-milliseconds: downAfterMs is ${SENTINEL_DOWN_AFTER_MS}, a Sentinel's default`;
    remark(reading, group, group.monitor, "changed", reason);
  }
  return {
    downAfterMs: SENTINEL_DOWN_AFTER_MS,
    ...read("down-after-milliseconds", "downAfterMs"),
    ...read("failover-timeout", "stepTimeoutMs"),
    ...read("parallel-syncs", "parallelSyncs"),
    ...read("primary-reboot-down-after-period", "loadingLimitMs"),
  };
}

function credentialsOf(reading: Reading, group: Found, options: ImportOptions): Declaration {
  const password = group.settings.get("auth-pass");
  const account = group.settings.get("auth-user");
  if (password !== undefined) {
    remark(reading, group, password, "dropped", "no declaration holds a password, only where it is kept");
  }
  if (account !== undefined && (password === undefined || options.user !== null)) {
    const reason = options.user === null ? "without auth-pass a Sentinel does not log in" : "--user names another";
    remark(reading, group, account, "dropped", reason);
  }
  const own = password === undefined ? undefined : account?.values[1];
  const user = options.user ?? own;
  const named = { ...(user === undefined ? {} : { user }) };
  if (options.parameter !== null) return { credentials: { ...named, parameter: options.parameter } };
  if (options.secretId !== null) return { credentials: { ...named, secretId: options.secretId } };
  if (user === undefined && password === undefined) return {};
  const reason =
    "where the password is kept: --secret-id or --secret-parameter; `groups add` refuses what stands there now";
  remark(reading, group, password ?? group.monitor, "missing", reason);
  return { credentials: { ...named, secretId: "<secret with the password>" } };
}

function tlsOf(reading: Reading, group: Found, options: ImportOptions): Declaration {
  const isOn = reading.tls.get("tls-replication")?.values[0]?.toLowerCase() === "yes";
  const authority = reading.tls.get("tls-ca-cert-file") ?? reading.tls.get("tls-ca-cert-dir");
  if (!isOn) {
    if (authority !== undefined) {
      remark(reading, group, authority, "dropped", "tls-replication is not yes: the nodes are reached without TLS");
    }
    return {};
  }
  if (options.tlsCa !== null) return { tls: { enabled: true, ca: options.tlsCa } };
  if (authority === undefined) return { tls: { enabled: true } };
  const reason = "the authority's certificate: --tls-ca FILE; `groups add` refuses what stands there now";
  remark(reading, group, authority, "missing", reason);
  return { tls: { enabled: true, ca: "<certificate of the authority>" } };
}
