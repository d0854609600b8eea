// Could the primary be handed over, and to whom? The same questions before a switchover is granted, when it begins, and
// for `status` (who would be promoted if the primary died now).

import type { Ballot } from "./ballot.ts";
import type { FrozenNode, Selection, SelectionOptions } from "./candidate.ts";
import { priorityOf, select } from "./candidate.ts";
import { answersNow } from "./observation.ts";
import { byName, type NodeState, primaryNodeOf } from "./state.ts";
import { isFenced } from "./token.ts";
import type { Turn } from "./turn.ts";
import { nodesOf } from "./turn.ts";
import type { NodeId } from "./types.ts";

/** Why `target` cannot take over from the committed primary now, in words; null when it can. */
export function whyNotTarget(turn: Turn, target: NodeState): string | null {
  const ballot = turn.state.look?.ballot;
  const primary = ballot?.primary ?? null;
  if (primary === null) return "the group has no primary";
  if (target.id === primary.node) return `${target.id} is the primary`;
  if (!answersNow(turn, target) || target.reading === null) return `${target.id} does not answer: ${target.detail}`;
  const { reading } = target;
  if (priorityOf(target.id, reading, turn.context.config) === 0)
    return `${target.id} has priority 0 and is never promoted`;
  if (reading.role !== "replica") return `${target.id} says that it is a primary itself`;
  if (!reading.linkUp) return `${target.id} has no link to the primary`;
  if (reading.syncInProgress) return `${target.id} is in the middle of a full synchronization`;
  if (reading.replicationId !== primary.replicationId) return `${target.id} holds another history than the primary's`;
  return whyWithoutWrites(turn, target);
}

/** It would be a primary that refuses every write, or one that takes more than the group was declared to risk. */
function whyWithoutWrites(turn: Turn, target: NodeState): string | null {
  const { settings } = target;
  if (settings === null) return null;
  const { minReplicasToWrite: declared } = turn.context.config;
  const { minReplicasToWrite: own } = settings;
  const followers = nodesOf(turn.state).filter((node) => node.id !== target.id && answersNow(turn, node)).length;
  if (own > followers)
    return `${target.id} demands ${own} replicas for a write (min-replicas-to-write) and would have ${followers}`;
  if (own < declared)
    return `${target.id} has min-replicas-to-write ${own}, and the group declares minReplicasToWrite ${declared}: CONFIG SET it there`;
  return null;
}

/** Why the committed primary cannot hand over, whoever the target is; null when it can. */
export function whyNotHandOver(turn: Turn): string | null {
  const primary = turn.state.look?.ballot.primary ?? null;
  const old = primary === null ? undefined : turn.state.nodes[primary.node];
  if (old === undefined) return "the group has no primary";
  if (!answersNow(turn, old) || old.reading?.role !== "primary") return `the primary ${old.id} does not answer as one`;
  const others = nodesOf(turn.state).filter((node) => node.id !== old.id);
  const demandsPassword = others.some((node) => node.settings?.requiresAuth === true);
  if (demandsPassword && old.settings?.primaryAuthSet === false) {
    return `${old.id} has no primaryauth and could not follow the new primary: set primaryauth (and primaryuser) on every node`;
  }
  return null;
}

/** Best target of a switchover without `--to`: priority leads, lowest number first; then the offset, then the name. */
export function bestTarget(turn: Turn): {
  readonly node: NodeId | null;
  readonly why: Readonly<Record<NodeId, string>>;
} {
  const why: Record<NodeId, string> = {};
  const able = nodesOf(turn.state).filter((node) => {
    const reason = whyNotTarget(turn, node);
    if (reason !== null) why[node.id] = reason;
    return reason === null;
  });
  const rank = (node: NodeState) =>
    node.reading === null ? 0 : priorityOf(node.id, node.reading, turn.context.config);
  const order = (a: NodeState, b: NodeState) =>
    rank(a) - rank(b) || (b.reading?.offset ?? 0) - (a.reading?.offset ?? 0) || byName(a, b);
  return { node: able.toSorted(order)[0]?.id ?? null, why };
}

/**
 * Who would be selected if the nodes that answer now were frozen as they are: decides whether it is worth to begin, and
 * what `status` foretells; never who is promoted.
 */
export function foreseen(
  turn: Turn,
  ballot: Ballot,
  options: {
    readonly coldStart: boolean;
    readonly insists: boolean;
    /** A primary that answers is compared as well, as it is once it is frozen. @default false */
    readonly withPrimary?: boolean;
  },
): Selection {
  const { coldStart, insists, withPrimary = false } = options;
  const primary = ballot.primary?.node;
  const frozen: FrozenNode[] = [];
  for (const { id, reading } of nodesOf(turn.state).filter((node) => answersNow(turn, node))) {
    if (reading === null) continue;
    if (coldStart || withPrimary || id !== primary) frozen.push({ node: id, before: reading, after: reading });
  }
  return selectAgain({ frozen, ballot, config: turn.context.config, coldStart, insists, only: null });
}

/** The last selections from each record: asked for at every step while something is wrong, from the same few readings. */
const selections = new WeakMap<Ballot, { readonly from: SelectionOptions; readonly selection: Selection }[]>();
const KEPT_SELECTIONS = 8;

/** `select`, whose answer rests on nothing but what it is given: the same readings are not gone through again. */
function selectAgain(options: SelectionOptions): Selection {
  const kept = selections.get(options.ballot) ?? [];
  const known = kept.find(({ from }) => isSameSelection(from, options));
  if (known !== undefined) return known.selection;
  const selection = select(options);
  selections.set(options.ballot, [{ from: options, selection }, ...kept.slice(0, KEPT_SELECTIONS - 1)]);
  return selection;
}

const isSameSelection = (a: SelectionOptions, b: SelectionOptions): boolean =>
  a.coldStart === b.coldStart &&
  a.insists === b.insists &&
  a.config === b.config &&
  a.frozen.length === b.frozen.length &&
  a.frozen.every((each, index) => each.node === b.frozen[index]?.node && each.after === b.frozen[index]?.after);

/** The committed process answers, as a replica. */
export function isFrozenPrimary(turn: Turn, ballot: Ballot): boolean {
  const primary = ballot.primary;
  const node = primaryNodeOf(turn.state, ballot);
  if (primary === null || node === undefined || !answersNow(turn, node)) return false;
  return node.reading?.runId === primary.runId && node.reading.role === "replica";
}

/** It is frozen by a token: by an attempt of ours, and by nobody who points nodes at each other. */
export function isSilencedPrimary(turn: Turn, ballot: Ballot): boolean {
  const reading = primaryNodeOf(turn.state, ballot)?.reading ?? null;
  return isFrozenPrimary(turn, ballot) && reading !== null && isFenced(reading);
}

/** A failover in which the committed process is given back its place, and nobody else can win. */
export const isGivingBack = ({ operation, primary }: Ballot): boolean =>
  operation?.kind === "failover" && operation.target === primary?.node;
