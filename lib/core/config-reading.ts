// How are values of unknown shape read, so that every issue is found at once and named where a person looks for it?
// Each reader returns the value, or undefined after having added an issue; nothing here throws, whatever the input.

import { canonicalHost, isUnspecified } from "./address-format.ts";
import { closestName } from "./closest-name.ts";
import type { Bounds } from "./config-bounds.ts";
import { TOKEN_PORT } from "./token.ts";
import type { Address } from "./types.ts";

export interface Reading {
  readonly issues: string[];
  /** Texts that only a deployment will know (CDK tokens): no pattern applies to them. */
  readonly isUnresolved: (text: string) => boolean;
  /** Gets what is said of a setting that is not known; null: it is an issue. */
  readonly leaveOut: ((issue: string) => void) | null;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Own fields of a map that have a value; every field not in `known` is an issue, or left out. */
export function readFields(
  reading: Reading,
  at: string,
  value: unknown,
  known: readonly string[],
  meant: Readonly<Record<string, string>> = {},
): Fields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    reading.issues.push(`${at} should be a map of settings and is ${show(value)}`);
    return undefined;
  }
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  for (const [name] of entries) {
    if (known.includes(name)) continue;
    const hint = (Object.hasOwn(meant, name) ? meant[name] : null) ?? closestName(name, known);
    const issue = `${at} has no setting ${quoted(name)}${hint === null ? `: there are ${known.join(", ")}` : `: did you mean ${hint}?`}`;
    if (reading.leaveOut === null) reading.issues.push(issue);
    else reading.leaveOut(issue);
  }
  return Object.fromEntries(entries.filter(([name]) => known.includes(name)));
}

export function readNumber(reading: Reading, at: string, value: unknown, bounds: Bounds): number | undefined {
  if (isWhole(value) && value >= bounds.least && value <= bounds.most) return value;
  const kind = isWhole(value) ? "" : "a whole number ";
  reading.issues.push(
    `${at} should be ${kind}from ${bounds.least} to ${bounds.most} ${bounds.unit}${bounds.nullable ? ", or null," : ""} and is ${show(value)}`,
  );
  return undefined;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

export function readWord(reading: Reading, at: string, value: unknown, words: readonly string[]): string | undefined {
  if (typeof value === "string" && words.includes(value)) return value;
  const near = typeof value === "string" ? closestName(value, words) : null;
  reading.issues.push(
    `${at} should be ${words.map(quoted).join(" or ")} and is ${show(value)}${near === null ? "" : `: did you mean ${quoted(near)}?`}`,
  );
  return undefined;
}

export function readBoolean(reading: Reading, at: string, value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  reading.issues.push(`${at} should be true or false and is ${show(value)}`);
  return undefined;
}

/** A text that `pattern` accepts; `what` says in words what it accepts. */
export function readText(
  reading: Reading,
  at: string,
  value: unknown,
  accepted: { readonly pattern: RegExp; readonly what: string },
): string | undefined {
  if (typeof value === "string" && (reading.isUnresolved(value) || accepted.pattern.test(value))) return value;
  reading.issues.push(`${at} should be ${accepted.what} and is ${show(value)}`);
  return undefined;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

/** Ids become attribute names, keys of maps and columns: a small alphabet, and no name that every object inherits. */
export function readId(reading: Reading, at: string, value: unknown): string | undefined {
  const id = readText(reading, at, value, {
    pattern: ID,
    what: "1 to 32 letters, digits, - and _, beginning with a letter or digit,",
  });
  return id === undefined ? undefined : notInherited(reading, at, id);
}

/** A voter's id is also part of a sort key and of a function's name. */
export const readVoterId = (reading: Reading, at: string, value: unknown): string | undefined =>
  readText(reading, at, value, {
    pattern: /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/,
    what: "1 to 32 letters, digits and -, beginning with a letter or digit,",
  });

/** `constructor` and its like would be found in every map that is keyed by names. */
export function notInherited(reading: Reading, at: string, name: string): string | undefined {
  if (!(name in {})) return name;
  reading.issues.push(`${at} ${quoted(name)} is a word of the language and cannot be used: choose another`);
  return undefined;
}

/** Something that can be connected to: no brackets, no token of an epoch, no unspecified address. */
export function readAddress(reading: Reading, at: string, host: unknown, port: unknown): Address | undefined {
  const readHostText = readHost(reading, `${at}.host`, host);
  const readPort = readNumber(reading, `${at}.port`, port, { least: 1, most: 65_535, unit: "(a TCP port)" });
  if (readHostText === undefined || readPort === undefined) return undefined;
  if (readPort === TOKEN_PORT && /^127\./.test(readHostText)) {
    reading.issues.push(
      `${at} is ${readHostText}:${readPort}, an address that Valkeeper gives to frozen nodes to follow (127.x.y.z port ${TOKEN_PORT}): no node can listen there`,
    );
    return undefined;
  }
  return { host: readHostText, port: readPort };
}

function readHost(reading: Reading, at: string, value: unknown): string | undefined {
  if (typeof value === "string" && reading.isUnresolved(value)) return value;
  if (typeof value !== "string" || value === "") {
    reading.issues.push(`${at} should be a host name or an IP address and is ${value === "" ? "empty" : show(value)}`);
    return undefined;
  }
  const canonical = canonicalHost(value);
  if (canonical === null) {
    const hint = value.startsWith("[") ? ": write IPv6 addresses without brackets" : "";
    reading.issues.push(`${at} should be a host name, an IPv4 or an IPv6 address and is ${show(value)}${hint}`);
    return undefined;
  }
  if (isUnspecified(canonical)) {
    reading.issues.push(`${at} is ${value}, which nobody can connect to: give the address that the node is reached by`);
    return undefined;
  }
  return value;
}

/** Equal when two addresses mean one socket. */
export const addressKey = (address: Address): string =>
  `${canonicalHost(address.host) ?? address.host} ${address.port}`;

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** A value in a message: short, and safe whatever it is. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "undefined":
      return "missing";
    case "number":
    case "boolean":
    case "bigint":
      return String(value).slice(0, 40);
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : "a map";
  }
}
