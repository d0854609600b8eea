// How are nodes and settings written on a command line? `id=host:port/zone` and `name=value`. Only the spelling is read
// here; whether the whole is a valid group is for `checkConfig` to say.

import { usage } from "./failure.ts";

export interface NodeInput {
  readonly id: string;
  readonly host: string;
  readonly port?: number;
  readonly zone?: string;
}

const NODE = /^(?<id>[^=]+)=(?:\[(?<six>[^\]]+)\]|(?<host>[^:/]+))(?::(?<port>\d+))?(?:\/(?<zone>.+))?$/;

/** `n1=10.0.1.7:6379/az-a`; port and zone may be left out, IPv6 stands in brackets. */
export function parseNode(text: string): NodeInput {
  const parts = NODE.exec(text)?.groups;
  const host = parts?.["six"] ?? parts?.["host"];
  if (parts?.["id"] === undefined || host === undefined) {
    throw usage(
      `${JSON.stringify(text)} is no node: write id=host:port/zone, as in n1=10.0.1.7:6379/az-a or n1=[fd00::7]:6379/az-a`,
    );
  }
  const { id, port, zone } = parts;
  return {
    id,
    host,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(zone === undefined ? {} : { zone }),
  };
}

/** `leaseMs=6000`: the value as JSON where it is JSON, else as text. */
export function parseSetting(text: string): readonly [name: string, value: unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw usage(`${JSON.stringify(text)} is no setting: write name=value, as in leaseMs=6000`);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  try {
    return [name, JSON.parse(value)];
  } catch {
    // Words need no quotes: onPossibleLoss=refuse.
    return [name, value];
  }
}

/** `declaration` with the setting at a dotted name, maps made on the way; what is in the way is for the check to refuse. */
export function withSetting(
  declaration: Readonly<Record<string, unknown>>,
  name: string,
  value: unknown,
): Record<string, unknown> {
  const [key, ...rest] = name.split(".");
  if (key === undefined || rest.length === 0) return { ...declaration, [name]: value };
  const inner = Object.hasOwn(declaration, key) ? declaration[key] : undefined;
  const map =
    typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as Record<string, unknown>) : {};
  return { ...declaration, [key]: withSetting(map, rest.join("."), value) };
}

/** The groups of a file: one group, or `{ "groups": [...] }` as `valkeeper local` takes it. */
export function parseGroupsFile(path: string, text: string): readonly unknown[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    // The parser's message repeats a part of the file, which may be a password: only where it is.
    const place = /\(line \d+ column \d+\)/.exec(error instanceof Error ? error.message : "")?.[0];
    throw usage(`${path} is not JSON${place === undefined ? "" : ` ${place}`}`);
  }
  const groups = (content as { readonly groups?: unknown } | null)?.groups;
  return Array.isArray(groups) ? groups : [content];
}

/** Ids separated by commas. */
export const parseIds = (text: string): readonly string[] =>
  text
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
