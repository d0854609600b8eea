// Is what the store returned a ballot that this code may act on? Decoding is strict: a record of a newer schema, or one
// that lacks what a decision rests on, throws `RecordFormatError`, and the group is held still; nothing is ever guessed.

import type { Ballot, Member, Operation, Vote } from "./ballot.ts";
import { BALLOT_SCHEMA } from "./ballot.ts";
import type { Item, Json } from "./ballot-write.ts";
import { voteAttribute } from "./ballot-write.ts";
import { RecordFormatError } from "./errors.ts";
import { boolean, describeMismatch, fields, list, map, nullable, number, oneOf, type Shape, text } from "./shape.ts";
import type { NodeId, VoterId } from "./types.ts";

const address = fields({ host: text, port: number });
const vote = fields({
  level: oneOf("clear", "suspect", "down"),
  node: text,
  epoch: number,
  generation: number,
  seq: number,
  silentMs: number,
  attempt: text,
});
const primary = fields({ node: text, epoch: number, runId: text, replicationId: text });
const member = fields({
  runId: nullable(text),
  inSyncEpoch: number,
  address: nullable(address),
  goneAt: nullable(number),
  aside: nullable(boolean),
});
const lease = fields({ holder: text, generation: number, version: number, durationMs: number, attempt: text });
const stop = fields({
  node: text,
  epoch: number,
  outcome: nullable(fields({ kind: oneOf("stopped", "refused"), detail: text, attempt: text })),
});
const operation = fields({
  kind: oneOf("failover", "switchover", "cold-start", "recover", "repair", "initialise"),
  step: oneOf("begun", "intended", "restoring", "committed"),
  began: number,
  target: nullable(text),
  by: text,
  reason: text,
  request: nullable(text),
  insists: boolean,
  stop: nullable(stop),
});
const history = fields({ epoch: number, node: text, replicationId: text, forkOffset: number });
const intent = fields({ epoch: number, node: text, runId: text, replicationId: text, offset: number });
const ballot = fields({
  schema: number,
  group: text,
  table: text,
  epoch: number,
  attempt: text,
  primary: nullable(primary),
  armed: boolean,
  members: fields({ version: number, nodes: map(member) }),
  lease: nullable(lease),
  operation: nullable(operation),
  lineage: fields({ histories: list(history), intents: list(intent) }),
  control: fields({
    mode: oneOf("act", "observe", "paused"),
    by: text,
    reason: text,
    until: nullable(number),
    returnsTo: nullable(oneOf("act", "observe", "paused")),
    attempt: text,
  }),
  budget: list(fields({ epoch: number, at: number, promoted: boolean })),
  revision: number,
  lastRequest: nullable(text),
  lastRequestBegan: nullable(number),
  lookUntil: number,
});

const VOTE_PREFIX = voteAttribute("" as VoterId);

/** The ballot in `item`. Throws `RecordFormatError` naming the field, also for a newer schema. */
export function decodeBallot(item: Item): Ballot {
  const schema = item["schema"];
  if (typeof schema === "number" && schema > BALLOT_SCHEMA) {
    throw new RecordFormatError(
      `the ballot has schema ${schema} and this version knows ${BALLOT_SCHEMA}: update Valkeeper, nothing is done until then`,
    );
  }
  check(item, ballot, "ballot");
  const votes: Record<VoterId, Vote> = {};
  for (const [name, value] of Object.entries(item)) {
    if (!name.startsWith(VOTE_PREFIX)) continue;
    check(value, vote, name);
    votes[name.slice(VOTE_PREFIX.length) as VoterId] = value as unknown as Vote;
  }
  const record = item as unknown as Omit<Ballot, "votes">;
  return {
    schema: record.schema,
    group: record.group,
    table: record.table,
    epoch: record.epoch,
    attempt: record.attempt,
    primary: record.primary ?? null,
    armed: record.armed,
    members: { ...record.members, nodes: decodeMembers(record.members.nodes) },
    votes,
    lease: record.lease ?? null,
    operation: record.operation ? decodeOperation(record.operation) : null,
    lineage: record.lineage,
    control: { ...record.control, until: record.control.until ?? null },
    budget: record.budget,
    revision: record.revision,
    lastRequest: record.lastRequest ?? null,
    lastRequestBegan: record.lastRequestBegan ?? null,
    lookUntil: record.lookUntil,
  };
}

/** The item of `record`, null fields left out. */
export function encodeBallot(record: Ballot): Item {
  const { votes, ...rest } = record;
  const item: Record<string, Json> = { ...(withoutNulls(rest as unknown as Json) as Record<string, Json>) };
  for (const [voter, each] of Object.entries(votes)) item[voteAttribute(voter as VoterId)] = each as unknown as Json;
  return item;
}

/** Nulls inside maps are stored as absence, so that conditions see one kind of nothing. */
export function withoutNulls(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  const entries = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutNulls(each as Json)]));
}

function decodeOperation(operation: Operation): Operation {
  const { stop: wish } = operation;
  return {
    ...operation,
    target: operation.target ?? null,
    request: operation.request ?? null,
    ...(wish ? { stop: { ...wish, outcome: wish.outcome ?? null } } : {}),
  };
}

function decodeMembers(nodes: Readonly<Record<NodeId, Member>>): Readonly<Record<NodeId, Member>> {
  // With what a newer version has added: the nodes are written as a whole.
  const decoded = Object.entries(nodes).map(([id, each]): [string, Member] => [
    id,
    { ...each, runId: each.runId ?? null, address: each.address ?? null, goneAt: each.goneAt ?? null },
  ]);
  return Object.fromEntries(decoded) as Record<NodeId, Member>;
}

function check(value: unknown, shape: Shape, what: string): void {
  const mismatch = describeMismatch(value, shape, what);
  if (mismatch !== null) {
    throw new RecordFormatError(
      `${mismatch}: the record is damaged or of another program; nothing is done until it is repaired or re-registered`,
    );
  }
}
