// The configuration file of a node that is started here, as an operator would write it for Valkeeper.

import { COORDINATOR_USER, coordinatorAclLine } from "../core/acl.ts";

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** One user for each purpose. The coordinator's must be used by nobody else: its connections are killed with every change (R9). */
export interface Access {
  readonly coordinator: Account;
  readonly application: Account;
  readonly replication: Account;
  readonly administrator: Account;
}

/** Four users with passwords that are good enough for a test. */
export const localAccess: Access = {
  coordinator: { user: COORDINATOR_USER, password: "coordinator-secret" },
  application: { user: "app", password: "application-secret" },
  replication: { user: "replication", password: "replication-secret" },
  administrator: { user: "admin", password: "administrator-secret" },
};

export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface NodeSettings {
  /**
   * Who may log in: separate users (the default user is then off), one password for everybody, or anybody.
   * @default "open"
   */
  readonly access?: Access | { readonly password: string } | "open";
  /** @default "none" */
  readonly persistence?: "none" | "rdb" | "aof";
  readonly tls?: TlsFiles;
  /** `replica-priority`. @default 100 */
  readonly priority?: number;
  /** @default 0 */
  readonly minReplicasToWrite?: number;
  /** The primary to follow from the start; kept in the file, as an operator's would be. */
  readonly replicaOf?: { readonly host: string; readonly port: number };
  /** Valkey's own defaults instead of what Valkeeper recommends: a node that nobody prepared. @default false */
  readonly unprepared?: boolean;
  /** Further lines of the file; they win over the ones above. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly dataFolder: string;
  /** Names of settings changed with version 8. */
  readonly version: string;
}

export function configLines(settings: NodeSettings, place: Place): string[] {
  const entries = new Map<string, string>([
    ["bind", place.host],
    ["dir", quote(place.dataFolder)],
    ["daemonize", "no"],
    ["protected-mode", "no"],
    ["loglevel", "notice"],
    ["logfile", '""'],
    ...portEntries(settings.tls, place.port),
    ...persistenceEntries(settings.persistence ?? "none"),
    ...replicationEntries(settings),
    ...Object.entries(settings.settings ?? {}),
  ]);
  return [
    ...[...entries].map(([name, value]) => `${name} ${value}`),
    ...accessLines(settings.access ?? "open", place.version),
  ];
}

function portEntries(tls: TlsFiles | undefined, port: number): [string, string][] {
  if (tls === undefined) {
    return [["port", String(port)]];
  }
  return [
    ["port", "0"],
    ["tls-port", String(port)],
    ["tls-ca-cert-file", quote(tls.ca)],
    ["tls-cert-file", quote(tls.certificate)],
    ["tls-key-file", quote(tls.key)],
    ["tls-auth-clients", "no"],
    ["tls-replication", "yes"],
  ];
}

function persistenceEntries(persistence: "none" | "rdb" | "aof"): [string, string][] {
  return [
    // "rdb" saves when asked to and at a clean end, so that a test decides when a file exists.
    ["save", persistence === "rdb" ? "3600 1" : '""'],
    ["appendonly", persistence === "aof" ? "yes" : "no"],
    ["appendfsync", "everysec"],
  ];
}

function replicationEntries(settings: NodeSettings): [string, string][] {
  const entries: [string, string][] = [["replica-priority", String(settings.priority ?? 100)]];
  if (settings.replicaOf !== undefined) {
    entries.push(["replicaof", `${settings.replicaOf.host} ${settings.replicaOf.port}`]);
  }
  if (settings.minReplicasToWrite !== undefined) {
    entries.push(["min-replicas-to-write", String(settings.minReplicasToWrite)]);
  }
  if (settings.unprepared !== true) {
    entries.push(["repl-ping-replica-period", "1"], ["repl-diskless-sync-delay", "0"], ["repl-backlog-size", "16mb"]);
  }
  return entries;
}

function accessLines(access: Access | { readonly password: string } | "open", version: string): string[] {
  if (access === "open") {
    return [];
  }
  // Version 7.2 knows only the older spelling.
  const prefix = Number.parseInt(version, 10) >= 8 ? "primary" : "master";
  if ("password" in access) {
    return [`requirepass ${quote(access.password)}`, `${prefix}auth ${quote(access.password)}`];
  }
  const { coordinator, application, replication, administrator } = access;
  return [
    "user default off resetpass resetkeys resetchannels -@all",
    coordinatorAclLine(coordinator),
    `user ${application.user} on >${application.password} ~* &* +@all -@admin -@dangerous +info +role +wait`,
    `user ${replication.user} on >${replication.password} resetkeys resetchannels -@all +psync +replconf +ping`,
    `user ${administrator.user} on >${administrator.password} ~* &* +@all`,
    `${prefix}user ${replication.user}`,
    `${prefix}auth ${quote(replication.password)}`,
  ];
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
