// What does a quiet group's record need? Arming after it was seen healthy, the processes that are members and since
// which epoch they are in sync (R4, R18), nodes that appeared, and a replication id that the primary changed by itself.
// All of it by single conditional writes beside no operation; none takes a lease, so a quiet group never has one (L3).

import type { Ballot, Member, Members, Primary } from "./ballot.ts";
import { type NodeConfig, WITNESS_DRAIN_MS } from "./config.ts";
import { mayAct, modeAt } from "./control.ts";
import { entriesOf, keysOf } from "./entries.ts";
import type { CoreEvent } from "./events.ts";
import { answersNow, isOfNow } from "./observation.ts";
import { newOwnHistory } from "./own-history.ts";
import { isReader } from "./publication.ts";
import { offsetBefore, readerNow, readerTold } from "./readers.ts";
import { isInLine } from "./repair.ts";
import type { NodeState } from "./state.ts";
import { newNode, primaryNodeOf } from "./state.ts";
import type { Turn } from "./turn.ts";
import { eventOf, isDueIn, mayWrite, newAttempt, nodesOf, patch, patchNode, wakeBy, write } from "./turn.ts";
import type { Address, Epoch, NodeId, NodeReading } from "./types.ts";
import { after, nodeId } from "./types.ts";
import { primaryServes } from "./verdict.ts";
import { arm, enterReplicationId, setControl, updateMembers } from "./writes.ts";

/** Writes what the quiet group's record lacks, one thing at a time. */
export function maintain(turn: Turn, ballot: Ballot): void {
  if (ballot.operation !== null || ballot.lease !== null || !mayAct(turn, ballot)) return;
  const { primary } = ballot;
  const node = primaryNodeOf(turn.state, ballot);
  if (primary === null || node?.reading == null || !primaryServes(turn.state))
    return writeMembers(turn, ballot, byDeclaredNames(turn, ballot));
  // Each waits for the write of the one before it.
  addReplicationId(turn, ballot);
  learnMembers(turn, ballot, { primary, node, reading: node.reading });
  armWhenHealthy(turn, ballot);
}

/** The committed primary, which serves, and what this voter knows of it. */
interface Serving {
  readonly primary: Primary;
  readonly node: NodeState;
  readonly reading: NodeReading;
}

/** Longer than a voter goes on with a declaration that has changed: it reads them every five seconds. */
const DECLARATION_READ_MS = 12_000;

/**
 * The mode that is declared, in the stack or by an override, is the one in force beside a pause: whoever changes the
 * declaration changes the mode, and a pause that ended gives way to it.
 */
export function followDeclaredMode(turn: Turn, ballot: Ballot): void {
  const { mode } = turn.context.config;
  const isPaused = modeAt(ballot, turn.wall) === "paused";
  if (mode === "paused" || isPaused || isFollowed(turn, ballot) || ballot.operation !== null || !mayWrite(turn)) return;
  const control = { mode, by: "configuration", reason: "as declared", until: null, attempt: newAttempt(turn) };
  write(turn, setControl(ballot, control), [eventOf(turn, "control.changed", { detail: { mode, by: control.by } })]);
}

/**
 * Each voter reads declarations in its own time: what was in force as this one's declares, and is no longer, was changed by
 * somebody who knows a newer one, or else it still differs when this one has read them again (S8).
 */
function isFollowed(turn: Turn, ballot: Ballot): boolean {
  const { mode } = turn.context.config;
  const { followed } = turn.state;
  if (ballot.control.mode === mode) {
    if (followed?.mode !== mode || followed.lostAt !== null) patch(turn, { followed: { mode, lostAt: null } });
    return true;
  }
  if (followed?.mode !== mode || ballot.control.mode === "paused") return false;
  const lostAt = followed.lostAt ?? turn.at;
  if (followed.lostAt === null) patch(turn, { followed: { mode, lostAt } });
  return !isDueIn(turn, lostAt, DECLARATION_READ_MS);
}

function addReplicationId(turn: Turn, ballot: Ballot): void {
  const own = newOwnHistory(turn, ballot, turn.state.quietSince);
  if (own === null || !mayWrite(turn)) return;
  write(turn, enterReplicationId(ballot, newAttempt(turn), own.history), [own.told]);
}

/** Nearly always there is nothing to learn: what the record says is copied with the first difference only. */
function learnMembers(turn: Turn, ballot: Ballot, serving: Serving): void {
  let nodes = stillMembers(turn, byDeclaredNames(turn, ballot));
  for (const { id } of turn.context.config.nodes) {
    if (nodes[id] === undefined) nodes = { ...nodes, [id]: { ...NEW_MEMBER, address: null } };
  }
  // One after the other, each against those before it: two names of one process may be seen in the same step (R18).
  for (const id of keysOf(nodes)) {
    const member = nodes[id] as Member;
    const now = memberNow(turn, serving, nodes, { id, member });
    const next = readerNow(turn, serving.primary, id, { before: member, now });
    if (next !== member) nodes = { ...nodes, [id]: next };
  }
  for (const [id, address] of discovered(turn, serving)) {
    if (nodes[id] === undefined) nodes = { ...nodes, [id]: { ...NEW_MEMBER, address } };
  }
  writeMembers(turn, ballot, nodes);
}

const NEW_MEMBER = { runId: null, inSyncEpoch: 0 as Epoch, goneAt: null };

function stillMembers(turn: Turn, known: Members["nodes"]): Members["nodes"] {
  const all = entriesOf(known);
  const standing = all.filter(([id, member]) => isStillMember(turn, id, member));
  return standing.length === all.length ? known : Object.fromEntries(standing);
}

/**
 * One that was discovered and is declared since is the member that it was, by its declared name (R18). Also while the
 * primary is lost: under the name by which nobody looks for it, what it holds would not count.
 */
function byDeclaredNames(turn: Turn, ballot: Ballot): Members["nodes"] {
  const known = ballot.members.nodes;
  let renamed = known;
  for (const id of keysOf(known)) {
    const member = known[id] as Member;
    const name = member.address === null ? undefined : declaredAt(turn, member.address)?.id;
    if (name === undefined || (name !== id && known[name]?.runId != null)) continue;
    const { [id]: _past, ...others } = renamed;
    renamed = { ...others, [name]: { ...member, address: null } };
  }
  return renamed;
}

function writeMembers(turn: Turn, ballot: Ballot, nodes: Members["nodes"]): void {
  if (nodes === ballot.members.nodes) return;
  const changed = changesOf(ballot, nodes);
  if (changed.length === 0 || !mayWrite(turn)) return;
  const isPublished = (member: Member | undefined) =>
    member !== undefined && ballot.primary !== null && isReader(member, ballot.primary);
  const republish = changed.some((id) => isPublished(ballot.members.nodes[id]) !== isPublished(nodes[id]));
  const told = changed.flatMap((id) => changesTold(turn, ballot, id, nodes[id]));
  write(turn, updateMembers({ ballot, attempt: newAttempt(turn), nodes, republish }), told);
}

/**
 * N shrinks only by an operator: a node that was declared and is no longer. A discovered one stays, unless it turns out to
 * be another name of a declared one, or is declared by now: two names of one process would make two of it (R18).
 */
function isStillMember(turn: Turn, id: NodeId, { address }: Member): boolean {
  const { nodes } = turn.context.config;
  const isDeclared = (name: NodeId) => nodes.some((node) => node.id === name);
  if (address === null) return isDeclared(id);
  if (declaredAt(turn, address) !== undefined) return false;
  const answering = nodesOf(turn.state).filter((node) => answersNow(turn, node));
  const runId = answering.find((node) => node.id === id)?.reading?.runId;
  return !answering.some((node) => isDeclared(node.id) && node.reading?.runId === runId);
}

const changesOf = (ballot: Ballot, nodes: Members["nodes"]): readonly NodeId[] => {
  const known = ballot.members.nodes;
  const changed = entriesOf(known).filter(([id, a]) => {
    const b = nodes[id];
    if (b === undefined || a.runId !== b.runId || a.inSyncEpoch !== b.inSyncEpoch) return true;
    return a.goneAt !== b.goneAt || a.aside !== b.aside || (a.address === null) !== (b.address === null);
  });
  const added = keysOf(nodes).filter((id) => known[id] === undefined);
  return [...changed.map(([id]) => id), ...added];
};

function changesTold(turn: Turn, ballot: Ballot, id: NodeId, member: Member | undefined): readonly CoreEvent[] {
  const before = ballot.members.nodes[id];
  if (member === undefined) return [eventOf(turn, "member.removed", { node: id })];
  const told: CoreEvent[] = [];
  if (before === undefined && member.address !== null) {
    const { host, port } = member.address;
    told.push(eventOf(turn, "member.discovered", { node: id, detail: { host, port } }));
  }
  if (before?.runId != null && before.runId !== member.runId) {
    told.push(eventOf(turn, "member.reborn", { node: id, detail: { runId: member.runId } }));
  }
  if (before !== undefined && before.goneAt === null && member.goneAt !== null) {
    told.push(eventOf(turn, "member.gone", { node: id, detail: { primaryOffset: member.goneAt } }));
  }
  if (before !== undefined && before.goneAt !== null && member.goneAt === null) {
    told.push(eventOf(turn, "member.back", { node: id }));
  }
  if (member.inSyncEpoch !== (before?.inSyncEpoch ?? 0)) {
    told.push(eventOf(turn, "member.in-sync", { node: id, detail: { primaryEpoch: member.inSyncEpoch } }));
  }
  return [...told, ...readerTold(turn, ballot, id, { before, now: member })];
}

function memberNow(
  turn: Turn,
  serving: Serving,
  members: Members["nodes"],
  { id, member }: { readonly id: NodeId; readonly member: Member },
): Member {
  const node = turn.state.nodes[id];
  if (node === undefined) return member;
  const goneAt = goneAtNow(turn, serving, node, member);
  if (goneAt !== member.goneAt) return { ...member, goneAt };
  const { reading } = node;
  const inSyncEpoch = serving.primary.epoch;
  // Nothing to learn, which is nearly always so.
  if (reading === null || (member.runId === reading.runId && member.inSyncEpoch === inSyncEpoch)) return member;
  if (!isInSync(turn, serving, node, reading)) return member;
  const isTwin = entriesOf(members).some(([other, each]) => other !== id && each.runId === reading.runId);
  // Two names of one process would count one copy twice (R18).
  if (isTwin) return member;
  return { ...member, runId: reading.runId, inSyncEpoch, goneAt: null };
}

/**
 * What the primary had when this member was surely no longer receiving from it: not heard for the whole of `downAfterMs`,
 * and every replica that the primary lists accounted for by another. Whoever is linked again is not gone; two voters that
 * disagree do not take turns, because each says it of one silence once.
 */
function goneAtNow(turn: Turn, serving: Serving, node: NodeState, { goneAt }: Member): number | null {
  // Heard, and not linked: another voter that does not hear it must not be contradicted, or the two would take turns.
  if (node.lostAt === null) return answersNow(turn, node) && node.reading?.linkUp === true ? null : goneAt;
  if (goneAt !== null && node.goneInSilenceOf !== node.lostAt)
    patchNode(turn, node.id, { goneInSilenceOf: node.lostAt });
  if (goneAt !== null || node.id === serving.primary.node) return goneAt;
  // Said once of this silence, and taken back by a voter that hears it.
  if (node.goneInSilenceOf === node.lostAt) return null;
  if (!isDueIn(turn, node.lostAt, turn.context.config.downAfterMs)) return null;
  const { readSentAt } = serving.node;
  if (readSentAt === null || !isOfNow(turn, serving.node)) return null;
  const linked = nodesOf(turn.state).filter((each) => answersNow(turn, each) && each.reading?.linkUp === true);
  const { replicas, offset } = serving.reading;
  const isListed = replicas.length > linked.length || replicas.some(({ address }) => isAt(turn, node, address));
  return readSentAt < after(node.lostAt, WITNESS_DRAIN_MS) || isListed ? null : offset;
}

/** Link up, nothing being synchronized, the committed history, and at least what the primary had when it was read before. */
function isInSync(turn: Turn, serving: Serving, node: NodeState, reading: NodeReading): boolean {
  if (!answersNow(turn, node) || !answersNow(turn, serving.node)) return false;
  return (
    reading.linkUp &&
    !reading.syncInProgress &&
    !reading.loading &&
    reading.replicationId === serving.primary.replicationId &&
    reading.offset >= (offsetBefore(serving.node, node) ?? Number.POSITIVE_INFINITY)
  );
}

/**
 * Replicas that the primary lists at addresses nobody declared. They join with priority 0. A declared node may be listed at
 * an address that nobody can compare (declared by name, or behind a translation): so only more of them than the nodes
 * that are known to be linked count, and only those that receive its writes, which alone acknowledge any.
 */
function discovered(turn: Turn, { reading }: Serving): readonly (readonly [NodeId, Address])[] {
  const listed = reading.replicas.filter((each) => each.state === "online");
  const known = nodesOf(turn.state);
  if (known.filter((node) => node.reading?.linkUp === true).length >= listed.length) return [];
  return listed
    .filter(({ address }) => address.host !== "" && address.port > 0)
    .filter(({ address }) => !known.some((node) => isAt(turn, node, address)))
    .map(
      ({ address }) =>
        [nodeId(`found-${address.host.replaceAll(/[^A-Za-z0-9]/g, "-")}-${address.port}`), address] as const,
    );
}

function isAt(turn: Turn, node: NodeState, address: Address): boolean {
  if (isSameAddress(node.address, address)) return true;
  const declared = turn.context.config.nodes.find((each) => each.id === node.id);
  return declared?.announce != null && isSameAddress(declared.announce, address);
}

/** Nodes of the state follow the declared ones and the members that were discovered. */
export function syncNodes(turn: Turn): void {
  const known = turn.state.nodes;
  const members = turn.state.look?.ballot.members.nodes ?? NO_MEMBERS;
  if (isInStep(turn, members)) return;
  const wanted = new Map<NodeId, Address>();
  for (const node of turn.context.config.nodes) wanted.set(node.id, { host: node.host, port: node.port });
  for (const [id, { address }] of entriesOf(members)) {
    if (address !== null && !wanted.has(id) && declaredAt(turn, address) === undefined) wanted.set(id, address);
  }
  const nodes = [...wanted].map(([id, address]) => [
    id,
    isUnmoved(known[id], address) ? known[id] : newNode(id, address, turn.at),
  ]);
  patch(turn, { nodes: Object.fromEntries(nodes) });
}

/** One that was discovered and is declared since (R18): looked at under both names, a new primary would be pointed at itself. */
const declaredAt = (turn: Turn, address: Address): NodeConfig | undefined =>
  turn.context.config.nodes.find(
    (node) => isSameAddress(node, address) || (node.announce !== null && isSameAddress(node.announce, address)),
  );

const NO_MEMBERS: Members["nodes"] = {};

/** Asked at every step, and nearly always so: it makes nothing. */
function isInStep(turn: Turn, members: Members["nodes"]): boolean {
  const known = turn.state.nodes;
  const { nodes } = turn.context.config;
  let wanted = nodes.length;
  for (const node of nodes) if (!isUnmoved(known[node.id], node)) return false;
  for (const id of keysOf(members)) {
    const address = members[id]?.address ?? null;
    if (address === null || nodes.some((node) => node.id === id) || declaredAt(turn, address) !== undefined) continue;
    if (!isUnmoved(known[id], address)) return false;
    wanted += 1;
  }
  return wanted === Object.keys(known).length;
}

const isUnmoved = (node: NodeState | undefined, address: Address): boolean =>
  node !== undefined && isSameAddress(node.address, address);

const isSameAddress = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;

function armWhenHealthy(turn: Turn, ballot: Ballot): void {
  if (ballot.armed) return;
  const since = turn.state.healthySince;
  if (since === null) return wakeBy(turn, after(turn.at, turn.context.config.probeIntervalMs));
  if (!isDueIn(turn, since, turn.context.config.armAfterMs) || !mayWrite(turn)) return;
  write(turn, arm(ballot, newAttempt(turn)), [eventOf(turn, "group.armed")]);
}

/** Where there are replicas, one of them is in sync. */
function isProtectable({ members: { nodes }, primary }: Ballot): boolean {
  const ids = keysOf(nodes);
  return ids.length < 2 || ids.some((id) => id !== primary?.node && nodes[id]?.inSyncEpoch === primary?.epoch);
}

/** The primary serves and, where there are replicas, one of them is in sync: worth protecting, and protectable. */
export function noteHealth(turn: Turn, ballot: Ballot): void {
  const isHealthy = primaryServes(turn.state) && isProtectable(ballot);
  if (isHealthy && turn.state.repairs > 0 && isInLine(turn, ballot)) patch(turn, { repairs: 0 });
  if (isHealthy && turn.state.healthySince === null) patch(turn, { healthySince: turn.at });
  if (!isHealthy) patch(turn, { healthySince: null });
}
