// Is this a configuration that a group can run with? The one check, asked by the construct at synth, by the command
// line at registration and by every voter at cold start, of input of any shape: a file, properties, a record. The
// answer is a complete configuration or a `ConfigurationError` with every issue at once, because a person who is told
// of one mistake a deployment makes many deployments. Whatever is valid is unchanged by a second check.
//
// Upholds S3 (no quorum below the majority is ever acted on), S9 (a policy that refuses loss can be kept) and the
// bound of the hand-over on `downAfterMs`.

import { isDnsName } from "./address-format.ts";
import type { DeclaredConfig, DnsConfig, GroupConfig, NodeConfig, PublicationConfig, TlsConfig } from "./config.ts";
import { DEFAULTS } from "./config.ts";
import { MOST_NODES, MOST_VOTERS, NUMBERS, SENTINEL_NAMES, SETTINGS, WORDS } from "./config-bounds.ts";
import { readCredentials } from "./config-credentials.ts";
import { completeConfig, majority } from "./config-defaults.ts";
import {
  addressKey,
  type Fields,
  notInherited,
  type Reading,
  readAddress,
  readBoolean,
  readFields,
  readId,
  readNumber,
  readText,
  readVoterId,
  readWord,
  show,
} from "./config-reading.ts";
import { RELATIONS } from "./config-relations.ts";
import { ConfigurationError } from "./errors.ts";
import type { Address, GroupName, VoterId } from "./types.ts";

export interface CheckContext {
  /** Every voter that serves the group: quorum is judged against them. */
  readonly voters: readonly VoterId[];
  /** `valkeeper local` and tests: a password may stand in the configuration itself. @default false */
  readonly inlineCredentials?: boolean;
  /** Whether the deployment can have hosts stopped. @default not known here, and nothing is said of it */
  readonly hasStopper?: boolean;
  /** Texts whose value only the deployment will know (CDK tokens): no pattern applies to them. @default none is */
  readonly isUnresolved?: (text: string) => boolean;
  /**
   * For a record of the table, which a newer version may have written: gets what is said of each setting that this version does not know,
   * and the rest is what this version can run with. A value that it does not know is an issue all the same.
   * @default a setting that is not known is an issue
   */
  readonly leaveOut?: (issue: string) => void;
}

/** The complete configuration that `input` declares. Throws `ConfigurationError` with every issue. */
export function checkConfig(input: unknown, context: CheckContext): GroupConfig {
  return completeConfig(checkDeclaration(input, context));
}

/**
 * What `input` declares, without the defaults of what it leaves out (a changed setting then takes along those derived
 * from it): what a `SpecRecord` keeps. `quorum` is always there: its default depends on the voters of today.
 */
export function checkDeclaration(input: unknown, context: CheckContext): DeclaredConfig {
  const reading: Reading = {
    issues: [],
    isUnresolved: context.isUnresolved ?? (() => false),
    leaveOut: context.leaveOut ?? null,
  };
  checkVoters(reading, context.voters);
  const fields = readFields(reading, "the group", input, SETTINGS, SENTINEL_NAMES);
  if (fields === undefined) throw new ConfigurationError("group", reading.issues);
  const declared = readSettings(reading, fields, context);
  checkRelations(reading, fields, declared, context);
  if (reading.issues.length > 0) throw new ConfigurationError(subjectOf(fields), reading.issues);
  return declared as DeclaredConfig;
}

const subjectOf = (fields: Fields): string =>
  typeof fields["name"] === "string" ? `group ${show(fields["name"])}` : "group without a name";

type Draft = { -readonly [Name in keyof GroupConfig]?: GroupConfig[Name] };

function checkVoters(reading: Reading, voters: readonly VoterId[]): void {
  if (voters.length === 0) reading.issues.push("there are no voters: name at least one");
  if (voters.length > MOST_VOTERS) {
    reading.issues.push(`there are ${voters.length} voters and may be ${MOST_VOTERS} at most`);
  }
  for (const [index, voter] of voters.entries()) {
    readVoterId(reading, `voters[${index}]`, voter);
    if (voters.indexOf(voter) !== index)
      reading.issues.push(`voter ${show(voter)} is named twice: one zone is one vote`);
  }
}

/** Every setting that is given and valid by itself. */
function readSettings(reading: Reading, fields: Fields, context: CheckContext): Draft {
  const draft: Record<string, unknown> = {
    name: readName(reading, fields["name"]),
    nodes: readNodes(reading, fields["nodes"]),
    quorum: majority(context.voters.length),
  };
  for (const [name, bounds] of Object.entries(NUMBERS)) {
    if (!(name in fields)) continue;
    const isOff = bounds.nullable === true && fields[name] === null;
    draft[name] = isOff ? null : readNumber(reading, name, fields[name], bounds);
  }
  for (const [name, words] of Object.entries(WORDS)) {
    if (name in fields) draft[name] = readMode(reading, name, fields[name], words);
  }
  if ("primary" in fields)
    draft["primary"] = fields["primary"] === null ? null : readId(reading, "primary", fields["primary"]);
  if ("tls" in fields) draft["tls"] = readTls(reading, fields["tls"]);
  if ("publication" in fields) draft["publication"] = readPublication(reading, fields["publication"]);
  if ("credentials" in fields) {
    draft["credentials"] = readCredentials(reading, fields["credentials"], context.inlineCredentials ?? false);
  }
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
}

function readMode(reading: Reading, name: string, value: unknown, words: readonly string[]): string | undefined {
  if (name !== "mode" || value !== "paused") return readWord(reading, name, value, words);
  reading.issues.push(
    `mode "paused" cannot be declared, because a pause has an owner, a reason and an end: use \`valkeeper pause\`, or mode "observe"`,
  );
  return undefined;
}

const GROUP_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

function readName(reading: Reading, value: unknown): string | undefined {
  const name = readText(reading, "name", value, {
    pattern: GROUP_NAME,
    what: "1 to 63 letters, digits, -, _ and ., beginning with a letter or digit,",
  });
  return name === undefined ? undefined : notInherited(reading, "name", name);
}

function readNodes(reading: Reading, value: unknown): readonly NodeConfig[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_NODES) {
    const given = Array.isArray(value) ? `has ${value.length}` : `is ${show(value)}`;
    reading.issues.push(`nodes should be a list of 1 to ${MOST_NODES} nodes and ${given}`);
    return undefined;
  }
  const before = reading.issues.length;
  const nodes = Array.from(value, (each, index) => readNode(reading, `nodes[${index}]`, each));
  const valid = nodes.filter((node) => node !== undefined);
  checkDistinct(reading, valid);
  return reading.issues.length === before ? valid : undefined;
}

function readNode(reading: Reading, position: string, value: unknown): NodeConfig | undefined {
  const fields = readFields(reading, position, value, ["id", "host", "port", "zone", "priority", "announce"]);
  if (fields === undefined) return undefined;
  const id = readId(reading, `${position}.id`, fields["id"]);
  // The name that an override of the same value has (spec.ts).
  const at = id === undefined ? position : `nodes.${id}`;
  const address = readAddress(reading, at, fields["host"], fields["port"] ?? DEFAULT_PORT);
  const zone =
    fields["zone"] === undefined || fields["zone"] === "" ? "" : readId(reading, `${at}.zone`, fields["zone"]);
  const priority =
    (fields["priority"] ?? null) === null ? null : readNumber(reading, `${at}.priority`, fields["priority"], PRIORITY);
  const announce =
    (fields["announce"] ?? null) === null ? null : readAnnounce(reading, `${at}.announce`, fields["announce"], address);
  if (
    id === undefined ||
    address === undefined ||
    zone === undefined ||
    priority === undefined ||
    announce === undefined
  ) {
    return undefined;
  }
  return { id: id as NodeConfig["id"], ...address, zone, priority, announce };
}

const DEFAULT_PORT = 6_379;
const PRIORITY = { least: 0, most: 1_000_000, unit: "(lowest wins, 0 never)", nullable: true } as const;

function readAnnounce(reading: Reading, at: string, value: unknown, own: Address | undefined): Address | undefined {
  const fields = readFields(reading, at, value, ["host", "port"]);
  if (fields === undefined) return undefined;
  return readAddress(reading, at, fields["host"], fields["port"] ?? own?.port ?? DEFAULT_PORT);
}

/** Ids, and sockets both as voters and as clients see them, are each node's own. */
function checkDistinct(reading: Reading, nodes: readonly NodeConfig[]): void {
  for (const [index, node] of nodes.entries()) {
    for (const other of nodes.slice(0, index)) {
      if (other.id === node.id) reading.issues.push(`nodes: two have the id ${show(node.id)}`);
      if (addressKey(other) === addressKey(node)) {
        reading.issues.push(`nodes ${other.id} and ${node.id} have the same address ${node.host} port ${node.port}`);
      } else if (addressKey(other.announce ?? other) === addressKey(node.announce ?? node)) {
        const { host, port } = node.announce ?? node;
        reading.issues.push(`nodes ${other.id} and ${node.id} announce the same address ${host} port ${port}`);
      }
    }
  }
}

function readTls(reading: Reading, value: unknown): TlsConfig | undefined {
  const fields = readFields(reading, "tls", value, ["enabled", "ca", "serverName"]);
  if (fields === undefined) return undefined;
  const enabled = fields["enabled"] === undefined ? false : readBoolean(reading, "tls.enabled", fields["enabled"]);
  const ca = (fields["ca"] ?? null) === null ? null : readText(reading, "tls.ca", fields["ca"], CERTIFICATE);
  const serverName =
    (fields["serverName"] ?? null) === null ? null : readDnsName(reading, "tls.serverName", fields["serverName"]);
  return enabled === undefined || ca === undefined || serverName === undefined
    ? undefined
    : { enabled, ca, serverName };
}

const CERTIFICATE = {
  pattern: /^\s*-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/,
  what: "a certificate as PEM text (-----BEGIN CERTIFICATE----- ...)",
};

function readDnsName(reading: Reading, at: string, value: unknown): string | undefined {
  if (typeof value === "string" && (reading.isUnresolved(value) || isDnsName(value))) return value.replace(/\.$/, "");
  reading.issues.push(`${at} should be a DNS name and is ${show(value)}`);
  return undefined;
}

function readPublication(reading: Reading, value: unknown): PublicationConfig | undefined {
  const fields = readFields(reading, "publication", value, ["parameterPrefix", "dns"]);
  if (fields === undefined) return undefined;
  const parameterPrefix = readPrefix(reading, fields["parameterPrefix"]);
  const dns = (fields["dns"] ?? null) === null ? null : readDns(reading, fields["dns"]);
  return parameterPrefix === undefined || dns === undefined ? undefined : { parameterPrefix, dns };
}

function readPrefix(reading: Reading, value: unknown): string | null | undefined {
  if (value === undefined) return DEFAULTS.publication.parameterPrefix;
  if (value === null) return null;
  const at = "publication.parameterPrefix";
  const prefix = readText(reading, at, value, {
    pattern: /^(\/[A-Za-z0-9_.-]+){1,12}$/,
    what: "a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null,",
  });
  // Systems Manager refuses them, at the first failover instead of now.
  if (prefix === undefined || !/^\/(aws|ssm)/i.test(prefix)) return prefix;
  reading.issues.push(
    `${at} should not begin with /aws or /ssm, which Systems Manager keeps for itself, and is ${show(value)}`,
  );
  return undefined;
}

function readDns(reading: Reading, value: unknown): DnsConfig | undefined {
  const at = "publication.dns";
  const fields = readFields(reading, at, value, ["hostedZoneId", "name", "ttlSeconds", "readersName"]);
  if (fields === undefined) return undefined;
  const hostedZoneId = readText(reading, `${at}.hostedZoneId`, fields["hostedZoneId"], {
    pattern: /^(\/hostedzone\/)?Z[A-Z0-9]{1,31}$/,
    what: "the id of a Route 53 hosted zone like Z0123456789ABCDEFGHIJ",
  })?.replace("/hostedzone/", "");
  const name = readRecordName(reading, `${at}.name`, fields["name"]);
  const readers = fields["readersName"] ?? null;
  const readersName = readers === null ? null : readRecordName(reading, `${at}.readersName`, readers);
  const ttlSeconds = readNumber(reading, `${at}.ttlSeconds`, fields["ttlSeconds"] ?? DEFAULT_TTL_SECONDS, TTL);
  return hostedZoneId === undefined || name === undefined || ttlSeconds === undefined || readersName === undefined
    ? undefined
    : { hostedZoneId, name, ttlSeconds, ...(readersName === null ? {} : { readersName }) };
}

function readRecordName(reading: Reading, at: string, value: unknown): string | undefined {
  const name = readDnsName(reading, at, value);
  // The twin's label comes before the name.
  if (name !== undefined && name.length > 253 - TWIN.length && !reading.isUnresolved(name)) {
    reading.issues.push(
      `${at} has ${name.length} characters and may have ${253 - TWIN.length}: its twin ${TWIN}<name> must fit`,
    );
  }
  return name;
}

/** What comes before the name of a record in the name of its TXT twin. */
export const TWIN = "_valkeeper.";
const DEFAULT_TTL_SECONDS = 5;
const TTL = { least: 0, most: 86_400, unit: "seconds" };

/** Relations among settings that are valid by themselves; a default's figure is called one. */
function checkRelations(reading: Reading, fields: Fields, draft: Draft, context: CheckContext): void {
  const placeholder = { name: "" as GroupName, nodes: [] };
  const config = completeConfig({ ...placeholder, ...draft });
  const isJudgeable = (name: keyof GroupConfig): boolean => name in draft || (!(name in fields) && name !== "nodes");
  const say = (name: keyof GroupConfig): string => `${name} ${show(config[name])}${name in fields ? "" : " (default)"}`;
  const { isUnresolved } = reading;
  for (const relation of RELATIONS) {
    const issue = relation.of.every(isJudgeable) ? relation.issue(config, { ...context, say, isUnresolved }) : null;
    if (issue !== null) reading.issues.push(issue);
  }
}
