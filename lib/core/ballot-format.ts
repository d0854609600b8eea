// Is what the store returned a ballot that this code may act on? Decoding is strict: a record of a newer schema, or one
// that lacks what a decision rests on, throws `RecordFormatError`, and the group is held still; nothing is ever guessed.

import type { Ballot, Control, Member, Members, Operation, Vote } from "./ballot.ts";
import { BALLOT_SCHEMA } from "./ballot.ts";
import type { Item, Json } from "./ballot-write.ts";
import { isJsonMap, itemOf, voteAttribute } from "./ballot-write.ts";
import { entriesOf } from "./entries.ts";
import { RecordFormatError } from "./errors.ts";
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
import type { AttemptId, Epoch, GroupName, NodeId, ReplicationId, RunId, VoterId, WallTime } from "./types.ts";

const group = assumed<GroupName>(text);
const nodeId = assumed<NodeId>(text);
const voter = assumed<VoterId>(text);
const runId = assumed<RunId>(text);
const replicationId = assumed<ReplicationId>(text);
const attempt = assumed<AttemptId>(text);
const epoch = assumed<Epoch>(number);
const at = assumed<WallTime>(number);
const address = fields({ host: text, port: number });
const vote = fields({
  level: oneOf("clear", "suspect", "down"),
  node: nodeId,
  epoch,
  generation: number,
  seq: number,
  silentMs: number,
  attempt,
});
const primary = fields({ node: nodeId, epoch, runId, replicationId });
const member = fields({
  runId: nullable(runId),
  inSyncEpoch: epoch,
  address: nullable(address),
  goneAt: nullable(number),
  aside: nullable(boolean),
});
const lease = fields({ holder: voter, generation: number, version: number, durationMs: number, attempt });
const stop = fields({
  node: nodeId,
  epoch,
  outcome: nullable(fields({ kind: oneOf("stopped", "refused"), detail: text, attempt })),
});
const operation = fields({
  kind: oneOf("failover", "switchover", "cold-start", "recover", "repair", "initialise"),
  step: oneOf("begun", "intended", "restoring", "committed"),
  began: epoch,
  target: nullable(nodeId),
  by: text,
  reason: text,
  request: nullable(text),
  insists: boolean,
  stop: nullable(stop),
});
const history = fields({ epoch, node: nodeId, replicationId, forkOffset: number });
const intent = fields({ epoch, node: nodeId, runId, replicationId, offset: number });
const control = fields({
  mode: oneOf("act", "observe", "paused"),
  by: text,
  reason: text,
  until: nullable(at),
  returnsTo: nullable(oneOf("act", "observe", "paused")),
  attempt,
});
const ballot = fields({
  schema: number,
  group,
  table: text,
  epoch,
  attempt,
  primary: nullable(primary),
  armed: boolean,
  members: fields({ version: number, nodes: map(member) }),
  lease: nullable(lease),
  operation: nullable(operation),
  lineage: fields({ histories: list(history), intents: list(intent) }),
  control,
  budget: list(fields({ epoch, at, promoted: boolean })),
  revision: number,
  lastRequest: nullable(text),
  lastRequestBegan: nullable(epoch),
  lookUntil: at,
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
  const stored = read(item, ballot, "ballot");
  const votes: Record<VoterId, Vote> = {};
  for (const [name, value] of Object.entries(item)) {
    if (name.startsWith(VOTE_PREFIX)) votes[name.slice(VOTE_PREFIX.length) as VoterId] = read(value, vote, name);
  }
  return {
    schema: stored.schema,
    group: stored.group,
    table: stored.table,
    epoch: stored.epoch,
    attempt: stored.attempt,
    primary: stored.primary ?? null,
    armed: stored.armed,
    members: { ...stored.members, nodes: decodeMembers(stored.members.nodes) },
    votes,
    lease: stored.lease ?? null,
    operation: stored.operation ? decodeOperation(stored.operation) : null,
    lineage: stored.lineage,
    control: decodeControl(stored.control),
    budget: stored.budget,
    revision: stored.revision,
    lastRequest: stored.lastRequest ?? null,
    lastRequestBegan: stored.lastRequestBegan ?? null,
    lookUntil: stored.lookUntil,
  };
}

/** The item of `record`, null fields left out. */
export function encodeBallot(record: Ballot): Item {
  const { votes, ...rest } = record;
  const item: Record<string, Json> = { ...mapWithoutNulls(itemOf(rest)) };
  for (const [voter, each] of entriesOf(votes)) item[voteAttribute(voter)] = { ...each };
  return item;
}

/** Nulls inside maps are stored as absence, so that conditions see one kind of nothing. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isJsonMap(value) ? mapWithoutNulls(value) : value;
}

export function mapWithoutNulls(map: Item): Item {
  const entries = Object.entries(map).filter(([, each]) => each !== null);
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutNulls(each)]));
}

function decodeOperation({ stop: wish, ...stored }: Fitting<typeof operation>): Operation {
  return {
    ...stored,
    target: stored.target ?? null,
    request: stored.request ?? null,
    ...(wish ? { stop: { ...wish, outcome: wish.outcome ?? null } } : {}),
  };
}

function decodeControl({ returnsTo, ...stored }: Fitting<typeof control>): Control {
  return { ...stored, until: stored.until ?? null, ...(returnsTo ? { returnsTo } : {}) };
}

function decodeMembers(nodes: Readonly<Record<string, Fitting<typeof member>>>): Members["nodes"] {
  // With what a newer version has added: the nodes are written as a whole.
  const decoded = Object.entries(nodes).map(([id, { aside, ...each }]): [string, Member] => [
    id,
    {
      ...each,
      runId: each.runId ?? null,
      address: each.address ?? null,
      goneAt: each.goneAt ?? null,
      ...(aside ? { aside } : {}),
    },
  ]);
  return Object.fromEntries(decoded);
}

function read<T>(value: unknown, shape: Shape<T>, what: string): T {
  return fitting(value, shape, what, (mismatch) => {
    return new RecordFormatError(
      `${mismatch}: the record is damaged or of another program; nothing is done until it is repaired or re-registered`,
    );
  });
}
