// Is what the store returned one of the records of records.ts? As strict as ballot-format.ts: a record of a newer schema,
// or one that lacks what its readers use, throws `RecordFormatError`. None of these records decides anything, so fields
// that are only shown are looked at only as far as showing them needs.

import type { Item } from "./ballot-write.ts";
import type { DeclaredConfig } from "./config.ts";
import { RecordFormatError } from "./errors.ts";
import type { EventName } from "./events.ts";
import type {
  HistoryRecord,
  NotedCondition,
  NotedConditions,
  Override,
  Publication,
  PublishedCopies,
  RequestRecord,
  SlotRecord,
  SpecRecord,
  VoterGroupView,
} from "./records.ts";
import {
  assumed,
  boolean,
  type Fitting,
  fields,
  fitting,
  list,
  map,
  nullable,
  number,
  oneOf,
  type Shape,
  text,
} from "./shape.ts";
import type { Epoch, GroupName, NodeId, VoterId, WallTime } from "./types.ts";

const RECORD_SCHEMA = 1;

// A newer schema is refused before a record is looked at, and there never was an older one.
const schema = assumed<typeof RECORD_SCHEMA>(number);
const group = assumed<GroupName>(text);
const nodeId = assumed<NodeId>(text);
const voter = assumed<VoterId>(text);
const epoch = assumed<Epoch>(number);
const at = assumed<WallTime>(number);
const address = fields({ host: text, port: number });
const declared = fields({ name: text, nodes: list(fields({ id: text, host: text, port: number })) });
const replaced = fields({ stack: text, resource: text, declared: assumed<DeclaredConfig>(declared) });
const declarer = fields({ stack: text, resource: text, isReleased: nullable(boolean), replaces: nullable(replaced) });
const spec = fields({
  schema,
  group,
  version: number,
  owner: oneOf("cdk", "cli"),
  declaredBy: nullable(declarer),
  declared: assumed<DeclaredConfig>(declared),
  overrides: map(assumed<Override>(fields({ by: text, at }))),
  shard: number,
});
const result = fields({ kind: oneOf("done", "refused", "failed"), detail: text, epoch, at });
const request = fields({
  schema,
  id: text,
  kind: oneOf("failover", "switchover", "drain", "recover", "set-members"),
  target: nullable(nodeId),
  by: text,
  reason: text,
  acceptDataLoss: boolean,
  askedAt: at,
  expiresAt: at,
  result: nullable(result),
});
const history = fields({
  schema,
  id: text,
  group,
  epoch,
  at,
  voter,
  generation: number,
  event: assumed<EventName>(text),
  detail: assumed<HistoryRecord["detail"]>(map(() => null)),
});
const publishedNode = fields({ node: nodeId, address });
const publication = fields({
  schema,
  group,
  table: nullable(text),
  epoch,
  revision: number,
  primary: publishedNode,
  replicas: list(publishedNode),
  at,
});
const confirmed = nullable(fields({ epoch, revision: number, at }));
const copyFailure = nullable(fields({ detail: text, at }));
const noted = fields({ since: at, epoch, reason: text, isTold: boolean, goneAt: nullable(at) });
const conditions = fields({ at, standing: map(noted) });
const copies = fields({
  ...{ ssm: confirmed, dns: confirmed, ssmFailure: copyFailure, dnsFailure: copyFailure },
  conditions: nullable(conditions),
});
const rejection = fields({ reason: text, detail: text, ends: text, check: nullable(text), sinceMs: number });
const nodeView = fields({ address, zone: text, class: text, sinceMs: number, detail: text });
const view = fields({
  at,
  epoch,
  operation: nullable(fields({ kind: text, step: text })),
  vote: oneOf("none", "suspect", "down"),
  rejection: nullable(rejection),
  nodes: map(nodeView),
  candidate: nullable(text),
  notCandidates: map(text),
});
const slot = fields({
  schema,
  voter,
  shard: nullable(number),
  groupsPerVoter: nullable(number),
  generation: number,
  owner: text,
  heartbeatAt: at,
  regular: boolean,
  restsMs: nullable(number),
  groups: map(assumed<VoterGroupView>(view)),
});

/** Its settings are not looked at: `checkConfig` judges them as a whole, with better words. */
export function decodeSpec(item: Item): SpecRecord {
  const { declaredBy: by, ...stored } = read(item, spec, "spec");
  if (by == null) return stored;
  const { isReleased, replaces, ...declaredBy } = by;
  const more = { ...(isReleased == null ? {} : { isReleased }), ...(replaces == null ? {} : { replaces }) };
  return { ...stored, declaredBy: { ...declaredBy, ...more } };
}

export function decodeRequest(item: Item): RequestRecord {
  const stored = read(item, request, "request");
  return { ...stored, target: stored.target ?? null, result: stored.result ?? null };
}

/** An event's name is not compared with those this version knows: history is read by older versions too. */
export const decodeHistory = (item: Item): HistoryRecord => read(item, history, "history entry");

/** Also of the copy that stands in SSM. */
export function decodePublication(item: Item): Publication {
  const stored = read(item, publication, "publication");
  return { ...stored, table: stored.table ?? null };
}

export function decodeCopies(item: Item): PublishedCopies {
  const stored = readAnySchema(item, copies, "record of published copies");
  const { ssm, dns, ssmFailure, dnsFailure, conditions: found, ...more } = stored;
  return {
    ...more,
    ssm: ssm ?? null,
    dns: dns ?? null,
    ...(ssmFailure == null ? {} : { ssmFailure }),
    ...(dnsFailure == null ? {} : { dnsFailure }),
    ...(found == null ? {} : { conditions: decodeConditions(found) }),
  };
}

function decodeConditions({ at: written, standing }: Fitting<typeof conditions>): NotedConditions {
  const decoded = Object.entries(standing).map(([name, { goneAt, ...each }]): [string, NotedCondition] => [
    name,
    { ...each, ...(goneAt == null ? {} : { goneAt }) },
  ]);
  return { at: written, standing: Object.fromEntries(decoded) };
}

export function decodeSlot(item: Item): SlotRecord {
  const stored = read(item, slot, "slot");
  const { shard, groupsPerVoter, restsMs } = stored;
  return { ...stored, shard: shard ?? 0, groupsPerVoter: groupsPerVoter ?? null, restsMs: restsMs ?? null };
}

function read<T>(item: Item, shape: Shape<T>, what: string): T {
  const { schema: found } = item;
  if (typeof found === "number" && found > RECORD_SCHEMA) {
    throw new RecordFormatError(
      `the ${what} has schema ${found} and this version knows ${RECORD_SCHEMA}: update Valkeeper`,
    );
  }
  return readAnySchema(item, shape, what);
}

function readAnySchema<T>(item: Item, shape: Shape<T>, what: string): T {
  return fitting(item, shape, what, (mismatch) => {
    return new RecordFormatError(`${mismatch}: the record is damaged or of another program`);
  });
}
