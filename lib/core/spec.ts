// Which configuration is in force? What was declared, under it the defaults, over it what an operator changed at run
// time. The name of an override is a setting's name, or a path below one: `downAfterMs`, `tls.serverName`,
// `publication.dns.ttlSeconds`, `nodes.n2.priority` (a node is named by its id). A path that leads nowhere is kept in
// the record and left out of what is in force: its node may have been removed by a deployment since. `staleOverrides`
// names those, so that status can say so. Nothing is checked here: what was read must be checked as a whole
// (`checkConfig`) before anybody acts on it.

import type { DeclaredConfig, GroupConfig, NodeConfig, PublicationConfig, TlsConfig } from "./config.ts";
import { DEFAULTS } from "./config.ts";
import { completeConfig } from "./config-defaults.ts";
import type { SpecRecord } from "./records.ts";

/** What the group runs with. */
export const effectiveConfig = (spec: SpecRecord): GroupConfig => completeConfig(effectiveDeclaration(spec));

/** Declared and overridden settings, before defaults: what `checkConfig` is asked about when an override changes. */
export function effectiveDeclaration(spec: SpecRecord): DeclaredConfig {
  let declaration: unknown = normalized(spec.declared);
  for (const [name, override] of Object.entries(spec.overrides)) {
    declaration = replaced(declaration, name.split("."), override.value) ?? declaration;
  }
  // An override may replace a part as a whole, with fields left out.
  return normalized(declaration as DeclaredConfig);
}

/** Names of overrides that no longer lead to a setting. */
export const staleOverrides = (spec: SpecRecord): readonly string[] =>
  Object.keys(spec.overrides).filter(
    (name) => replaced(normalized(spec.declared), name.split("."), spec.overrides[name]?.value) === null,
  );

/** The value of the setting called `name` in `config`; undefined when there is none. */
export function settingAt(config: GroupConfig, name: string): unknown {
  let value: unknown = config;
  for (const key of name.split(".")) value = child(value, key);
  return value;
}

/** Parts as a whole, so that paths into them have something to lead through; fields left out are absent in no part. */
function normalized(declared: DeclaredConfig): DeclaredConfig {
  return {
    ...declared,
    // What is no node at all is left for the check to name.
    nodes: listOf(declared.nodes).map((node) => (isMap(node) ? wholeNode(node) : node)),
    tls: { ...DEFAULTS.tls, ...(declared.tls as TlsConfig | undefined) },
    publication: { ...DEFAULTS.publication, ...(declared.publication as PublicationConfig | undefined) },
  };
}

const listOf = (nodes: unknown): readonly NodeConfig[] => (Array.isArray(nodes) ? nodes : []);

const wholeNode = (node: NodeConfig): NodeConfig => ({
  ...node,
  zone: node.zone ?? "",
  priority: node.priority ?? null,
  announce: node.announce ?? null,
});

/** `value` with the setting at `path` replaced; null when the path leads nowhere. */
function replaced(value: unknown, path: readonly string[], to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  if (Array.isArray(value)) {
    const inner = replaced(value.find((each) => isNamed(each, key)) ?? null, rest, to);
    return isMap(inner) ? value.map((each) => (isNamed(each, key) ? inner : each)) : null;
  }
  if (!isMap(value)) return null;
  // Only the last key may be new: below a part that is not there nothing can be set.
  if (rest.length > 0 && !Object.hasOwn(value, key)) return null;
  const inner = rest.length === 0 ? to : replaced(value[key], rest, to);
  return rest.length > 0 && inner === null ? null : { ...value, [key]: inner };
}

function child(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.find((each) => isNamed(each, key));
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

const isNamed = (value: unknown, id: string): boolean => isMap(value) && value["id"] === id;

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
