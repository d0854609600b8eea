// Is what the store returned one of the records of records.ts? As strict as ballot-format.ts: a record of a newer schema,
// or one that lacks what its readers use, throws `RecordFormatError`. None of these records decides anything, so fields
// that are only shown are looked at only as far as showing them needs.

import type { Item } from "./ballot-write.ts";
import { RecordFormatError } from "./errors.ts";
import type { HistoryRecord, Publication, PublishedCopies, RequestRecord, SlotRecord, SpecRecord } from "./records.ts";
import { boolean, describeMismatch, fields, list, map, nullable, number, oneOf, type Shape, text } from "./shape.ts";

const RECORD_SCHEMA = 1;

const address = fields({ host: text, port: number });
const node = fields({ id: text, host: text, port: number });
const spec = fields({
  schema: number,
  group: text,
  version: number,
  owner: oneOf("cdk", "cli"),
  declared: fields({ name: text, nodes: list(node) }),
  overrides: map(fields({ by: text, at: number })),
  shard: number,
});
const request = fields({
  schema: number,
  id: text,
  kind: oneOf("failover", "switchover", "drain", "recover", "set-members"),
  target: nullable(text),
  by: text,
  reason: text,
  acceptDataLoss: boolean,
  askedAt: number,
  expiresAt: number,
  result: nullable(fields({ kind: oneOf("done", "refused", "failed"), detail: text, epoch: number, at: number })),
});
const history = fields({
  schema: number,
  id: text,
  group: text,
  epoch: number,
  at: number,
  voter: text,
  generation: number,
  event: text,
  detail: map(() => null),
});
const publishedNode = fields({ node: text, address });
const publication = fields({
  schema: number,
  group: text,
  table: nullable(text),
  epoch: number,
  revision: number,
  primary: publishedNode,
  replicas: list(publishedNode),
  at: number,
});
const confirmed = nullable(fields({ epoch: number, revision: number, at: number }));
const copies = fields({ ssm: confirmed, dns: confirmed });
const view = fields({
  at: number,
  epoch: number,
  operation: nullable(fields({ kind: text, step: text })),
  vote: oneOf("none", "suspect", "down"),
  rejection: nullable(fields({ reason: text, detail: text, ends: text, check: nullable(text), sinceMs: number })),
  nodes: map(fields({ address, zone: text, class: text, sinceMs: number, detail: text })),
  candidate: nullable(text),
  notCandidates: map(text),
});
const slot = fields({
  schema: number,
  voter: text,
  generation: number,
  owner: text,
  heartbeatAt: number,
  regular: boolean,
  restsMs: nullable(number),
  groups: map(view),
});

/** Its settings are not looked at: `checkConfig` judges them as a whole, with better words. */
export function decodeSpec(item: Item): SpecRecord {
  check(item, spec, "spec");
  return item as unknown as SpecRecord;
}

export function decodeRequest(item: Item): RequestRecord {
  check(item, request, "request");
  return { target: null, result: null, ...item } as unknown as RequestRecord;
}

/** An event's name is not compared with those this version knows: history is read by older versions too. */
export function decodeHistory(item: Item): HistoryRecord {
  check(item, history, "history entry");
  return item as unknown as HistoryRecord;
}

/** Also of the copy that stands in SSM. */
export function decodePublication(item: Item): Publication {
  check(item, publication, "publication");
  return { table: null, ...item } as unknown as Publication;
}

export function decodeCopies(item: Item): PublishedCopies {
  check(item, copies, "record of published copies", null);
  return { ssm: null, dns: null, ...item } as unknown as PublishedCopies;
}

export function decodeSlot(item: Item): SlotRecord {
  check(item, slot, "slot");
  return { restsMs: null, ...item } as unknown as SlotRecord;
}

function check(item: Item, shape: Shape, what: string, newest: number | null = RECORD_SCHEMA): void {
  const schema = item["schema"];
  if (newest !== null && typeof schema === "number" && schema > newest) {
    throw new RecordFormatError(`the ${what} has schema ${schema} and this version knows ${newest}: update Valkeeper`);
  }
  const mismatch = describeMismatch(item, shape, what);
  if (mismatch !== null) throw new RecordFormatError(`${mismatch}: the record is damaged or of another program`);
}
