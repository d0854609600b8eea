// How is a group, in one word and in all of them? From a snapshot alone. The words are what `status` prints, the exit
// code is the worst of them, the reasons are clauses a person can act on. A node counts as serving when a quorum of the
// voters that say anything says so: one zone's bad route is in the table for everybody to see, and no reason to page.

import type { Ballot, Member, OperationKind } from "../core/ballot.ts";
import { checkConfig } from "../core/config-check.ts";
import { modeAt } from "../core/control.ts";
import { entriesOf } from "../core/entries.ts";
import { ConfigurationError } from "../core/errors.ts";
import { isReader, readersOf } from "../core/publication.ts";
import type { NodeView, Publication, PublicationTarget, PublishedNode, VoterGroupView } from "../core/records.ts";
import { staleOverrides } from "../core/spec.ts";
import type { Address, Epoch, NodeId, VoterId } from "../core/types.ts";
import { EXIT, type ExitCode, worst } from "./exit-code.ts";
import type { GroupSnapshot, VoterSnapshot } from "./snapshot.ts";
import { duration } from "./units.ts";

export type Word =
  | "OK"
  | "DEGRADED"
  | "NO PRIMARY"
  | "PRIMARY UNREADABLE"
  | "NO VOTERS"
  | "NOT ADOPTED"
  | "NOT ARMED"
  | "PAUSED"
  | "OBSERVING"
  | "RECORD UNREADABLE"
  | "FAILING OVER"
  | "SWITCHING OVER"
  | "COLD START"
  | "RECOVERING"
  | "REPAIRING"
  | "INITIALISING";

export interface Assessment {
  /** The worst first; `OK` alone when there is nothing to say. */
  readonly words: readonly Word[];
  readonly exit: ExitCode;
  /** Clauses, the most important first; empty when OK. */
  readonly reasons: readonly string[];
}

const EXIT_OF: Readonly<Record<Word, ExitCode>> = {
  "RECORD UNREADABLE": EXIT.noPrimary,
  "NO PRIMARY": EXIT.noPrimary,
  "NOT ADOPTED": EXIT.noPrimary,
  "PRIMARY UNREADABLE": EXIT.degraded,
  "FAILING OVER": EXIT.degraded,
  "SWITCHING OVER": EXIT.degraded,
  "COLD START": EXIT.degraded,
  RECOVERING: EXIT.degraded,
  REPAIRING: EXIT.degraded,
  INITIALISING: EXIT.degraded,
  "NO VOTERS": EXIT.degraded,
  PAUSED: EXIT.degraded,
  OBSERVING: EXIT.degraded,
  "NOT ARMED": EXIT.degraded,
  DEGRADED: EXIT.degraded,
  OK: EXIT.ok,
};

export const OPERATION_WORD: Readonly<Record<OperationKind, Word>> = {
  failover: "FAILING OVER",
  switchover: "SWITCHING OVER",
  "cold-start": "COLD START",
  recover: "RECOVERING",
  repair: "REPAIRING",
  initialise: "INITIALISING",
};

export function assess(snapshot: GroupSnapshot): Assessment {
  if (snapshot.unreadable !== null) {
    return { words: ["RECORD UNREADABLE"], exit: EXIT.noPrimary, reasons: [snapshot.unreadable] };
  }
  const reasons = reasonsOf(snapshot);
  const words = [...operationWords(snapshot), ...primaryWords(snapshot), ...controlWords(snapshot)];
  if (words.length === 0) words.push(reasons.length === 0 ? "OK" : "DEGRADED");
  return { words, exit: worst(words.map((word) => EXIT_OF[word])), reasons };
}

const operationWords = ({ ballot }: GroupSnapshot): Word[] =>
  ballot?.operation == null ? [] : [OPERATION_WORD[ballot.operation.kind]];

function primaryWords(snapshot: GroupSnapshot): Word[] {
  if (snapshot.ballot?.primary == null) return ["NOT ADOPTED"];
  if (viewsOf(snapshot).length === 0) return ["NO VOTERS"];
  const { node } = snapshot.ballot.primary;
  if (servingCount(snapshot, node) > 0) return [];
  // It answers, and will not be read: a password, a right. Its clients may well be served.
  return viewsOf(snapshot).some(({ view }) => view.nodes[node]?.class === "misconfigured")
    ? ["PRIMARY UNREADABLE"]
    : ["NO PRIMARY"];
}

function controlWords({ ballot, at }: GroupSnapshot): Word[] {
  if (ballot?.primary == null) return [];
  const mode = modeAt(ballot, at);
  const words: Word[] = mode === "paused" ? ["PAUSED"] : mode === "observe" ? ["OBSERVING"] : [];
  return ballot.armed ? words : [...words, "NOT ARMED"];
}

/** Views of voters that are alive: what a dead voter once saw is no evidence. */
export const viewsOf = (snapshot: GroupSnapshot): readonly (VoterSnapshot & { readonly view: VoterGroupView })[] =>
  snapshot.voters.filter(
    (each): each is VoterSnapshot & { readonly view: VoterGroupView } => each.isAlive && each.view !== null,
  );

const servingCount = (snapshot: GroupSnapshot, node: NodeId): number =>
  viewsOf(snapshot).filter(({ view }) => view.nodes[node]?.class === "serving").length;

/** A quorum of the voters that say anything about `node` sees it serve. */
export function isSeenServing(snapshot: GroupSnapshot, node: NodeId): boolean {
  const views = viewsOf(snapshot).filter(({ view }) => view.nodes[node] !== undefined);
  return views.length > 0 && servingCount(snapshot, node) >= Math.min(snapshot.config.quorum, views.length);
}

function reasonsOf(snapshot: GroupSnapshot): readonly string[] {
  return [
    ...(snapshot.isForeign
      ? [
          "the record was written for another table (a restored copy?): it is only observed, see `valkeeper groups recover`",
        ]
      : []),
    ...rejectionReasons(snapshot),
    ...nodeReasons(snapshot),
    ...voterReasons(snapshot),
    ...publicationReasons(snapshot),
    ...configurationReasons(snapshot),
  ];
}

/** Said by a word of their own. */
const WORDED: ReadonlySet<string> = new Set([
  "paused",
  "observing",
  "not-armed",
  "operation-going-on",
  "stop-awaited",
  "foreign-table",
]);

function rejectionReasons(snapshot: GroupSnapshot): readonly string[] {
  const clauses = new Map<string, VoterId[]>();
  for (const { voter, view } of viewsOf(snapshot)) {
    if (view.rejection === null || WORDED.has(view.rejection.reason)) continue;
    const clause = `${view.rejection.reason}: ${view.rejection.detail}`;
    clauses.set(clause, [...(clauses.get(clause) ?? []), voter]);
  }
  return [...clauses].map(([clause, voters]) => `${clause} (${voters.join(", ")})`);
}

function nodeReasons(snapshot: GroupSnapshot): readonly string[] {
  return nodesOf(snapshot).flatMap(({ id }) => {
    const views = viewsOf(snapshot).flatMap(({ voter, view }) => {
      const node = view.nodes[id];
      return node === undefined ? [] : [{ voter, node }];
    });
    if (views.length === 0) return [];
    if (!isSeenServing(snapshot, id)) {
      const bad = views.filter(({ node }) => node.class !== "serving");
      const longest = Math.max(...bad.map(({ node }) => node.sinceMs));
      const classes = [...new Set(bad.map(({ node }) => node.class))].join(" or ");
      const sees = bad.length === 1 ? "sees" : "see";
      const by = `as ${bad.map(({ voter }) => voter).join(", ")} ${sees} it`;
      // What is wrong with an answer is in its words, and nothing but them tells what to correct.
      const wrong = [...new Set(bad.flatMap(({ node }) => (node.class === "misconfigured" ? [node.detail] : [])))];
      const why = wrong.length === 0 ? "" : `: ${wrong.join("; ")}`;
      return [`${id} is ${classes} for ${duration(longest)}, ${by}${why}`];
    }
    const isCut = id !== snapshot.ballot?.primary?.node && views.every(({ node }) => node.linkUp === false);
    return isCut ? [`${id} has no link to the primary`] : [];
  });
}

/** Why no voter looks after the group although there are voters; null when some do, or none is heard anywhere. */
export function unservedReason({ spec, voters, servedShards }: GroupSnapshot): string | null {
  const [other] = servedShards;
  if (other === undefined || servedShards.includes(spec.shard) || voters.some(({ isAlive }) => isAlive)) return null;
  return (
    `no voter serves its shard ${spec.shard}, there are voters of ${servedShards.join(", ")}: move it ` +
    `(\`valkeeper groups move ${spec.group} --to ${other}\`), or deploy voters of that shard`
  );
}

function voterReasons(snapshot: GroupSnapshot): readonly string[] {
  const unserved = unservedReason(snapshot);
  if (unserved !== null) return [unserved];
  if (snapshot.voters.length === 0)
    return ["no voter has ever been heard: are the functions deployed and their schedules enabled?"];
  return snapshot.voters
    .filter((each) => !each.isAlive)
    .map((each) => `voter ${each.voter} has not been heard for ${duration(each.heartbeatAgeMs)}`);
}

export interface Copy {
  readonly target: PublicationTarget;
  /** Null: never confirmed. */
  readonly epoch: Epoch | null;
  readonly revision: number | null;
  /** `primary`: of an older epoch. `replicas`: the primary is right, the list of replicas is not yet. */
  readonly lacks: "nothing" | "primary" | "replicas";
  /** Why it could not be written, as the service said it. Null: nothing is lacking, or nothing has failed. */
  readonly failure: string | null;
}

/** The copies that are wanted, the table's own first. */
export function copiesOf(snapshot: GroupSnapshot): readonly Copy[] {
  const { ballot, config, copies, publication } = snapshot;
  const of = (target: PublicationTarget, copy: Pick<Publication, "epoch" | "revision"> | null): Copy => {
    const lacks = lackOf(copy, ballot);
    const failed = lacks === "nothing" || target === "table" ? undefined : copies[`${target}Failure`];
    return {
      target,
      epoch: copy?.epoch ?? null,
      revision: copy?.revision ?? null,
      lacks,
      failure: failed?.detail ?? null,
    };
  };
  return [
    of("table", publication),
    ...(config.publication.parameterPrefix === null ? [] : [of("ssm", copies.ssm)]),
    ...(config.publication.dns === null ? [] : [of("dns", copies.dns)]),
  ];
}

function lackOf(copy: Pick<Publication, "epoch" | "revision"> | null, ballot: Ballot | null): Copy["lacks"] {
  if (ballot?.primary == null) return "nothing";
  if (copy === null || copy.epoch < ballot.primary.epoch) return "primary";
  return copy.epoch === ballot.primary.epoch && copy.revision < ballot.revision ? "replicas" : "nothing";
}

/** Where applications are told to read; nobody while nothing is published. */
export const readersNow = ({ publication }: GroupSnapshot): readonly PublishedNode[] =>
  publication === null ? [] : readersOf(publication);

/** Replicas that were in sync under this primary, and are not published because they are unfit to be read from. */
export function setAsideNow({ ballot }: GroupSnapshot): readonly NodeId[] {
  const primary = ballot?.primary;
  if (ballot === null || primary == null) return [];
  const members = entriesOf(ballot.members.nodes);
  const isAside = ([id, member]: [NodeId, Member]): boolean =>
    id !== primary.node && member.inSyncEpoch === primary.epoch && !isReader(member, primary);
  return members
    .filter(isAside)
    .map(([id]) => id)
    .toSorted();
}

export function publicationReasons(snapshot: GroupSnapshot): readonly string[] {
  const copies = copiesOf(snapshot);
  const primary = copies.filter(({ lacks }) => lacks === "primary");
  const replicas = copies.filter(({ lacks }) => lacks === "replicas");
  const epochs = primary.map(({ target, epoch }) => `${target} has ${epoch === null ? "nothing" : `epoch ${epoch}`}`);
  return [
    ...(primary.length === 0 ? [] : [`the primary is not published yet: ${epochs.join(", ")}`]),
    ...(replicas.length === 0
      ? []
      : [`the list of replicas is not published yet: ${replicas.map(({ target }) => target).join(", ")}`]),
    ...copies.flatMap(({ target, failure }) =>
      failure === null ? [] : [`${target} cannot be written: ${failure}${hintOf(target, failure)}`],
    ),
  ];
}

/** A refused right names the hosted zone, and not what was wrong with the name. */
function hintOf(target: PublicationTarget, failure: string): string {
  if (!/AccessDenied|not authorized/.test(failure)) return "";
  return target === "dns"
    ? " (is the record's name, and that of its twin, among `publication.recordNames` of the stack?)"
    : " (is the group's parameterPrefix `publication.parameterPrefix` of the stack?)";
}

function configurationReasons(snapshot: GroupSnapshot): readonly string[] {
  const stale = staleOverrides(snapshot.spec).map(
    (name) => `the override ${name} leads to no setting any more: \`valkeeper groups unset\` it`,
  );
  if (snapshot.voters.length === 0) return stale;
  try {
    checkConfig(snapshot.config, { voters: snapshot.voters.map((each) => each.voter) });
    return stale;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [...stale, ...error.issues.map((issue) => `configuration: ${issue}`)];
  }
}

export interface KnownNode {
  readonly id: NodeId;
  readonly address: Address;
  readonly zone: string;
  /** It joined by itself and is not declared. */
  readonly isDiscovered: boolean;
}

/** Declared nodes, then discovered ones. */
export function nodesOf(snapshot: GroupSnapshot): readonly KnownNode[] {
  const declared = snapshot.config.nodes.map(({ id, host, port, zone }) => ({
    id,
    address: { host, port },
    zone,
    isDiscovered: false,
  }));
  const known = new Set(declared.map((node) => node.id));
  const members = Object.entries(snapshot.ballot?.members.nodes ?? {}).flatMap(([id, member]) =>
    known.has(id as NodeId) || member.address === null
      ? []
      : [{ id: id as NodeId, address: member.address, zone: "", isDiscovered: true }],
  );
  return [...declared, ...members.toSorted((a, b) => (a.id < b.id ? -1 : 1))];
}

/** What the freshest voter that heard `node` answer says of it; null when nobody did. */
export function latestView(snapshot: GroupSnapshot, node: NodeId): NodeView | null {
  const answered = viewsOf(snapshot)
    .flatMap(({ view }) => (view.nodes[node] === undefined ? [] : [{ at: view.at, node: view.nodes[node] }]))
    .toSorted((a, b) => Number(b.node.class === "serving") - Number(a.node.class === "serving") || b.at - a.at);
  return answered[0]?.node ?? null;
}
