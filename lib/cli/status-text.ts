// `status` for people: header, nodes as each voter sees them, voters, and what would happen if the primary died now.

import type { Ballot } from "../core/ballot.ts";
import { completeConfig } from "../core/config-defaults.ts";
import { modeAt } from "../core/control.ts";
import type { NodeClass, NodeView } from "../core/records.ts";
import { settingAt } from "../core/spec.ts";
import { BOOT_FENCE, tokenOf } from "../core/token.ts";
import type { Address, NodeId } from "../core/types.ts";
import {
  assess,
  copiesOf,
  type KnownNode,
  latestView,
  nodesOf,
  readersNow,
  setAsideNow,
  viewsOf,
} from "./assessment.ts";
import { EXIT } from "./exit-code.ts";
import { grid } from "./grid.ts";
import type { Paint } from "./paint.ts";
import type { GroupSnapshot, VoterSnapshot } from "./snapshot.ts";
import { bytes, duration, time } from "./units.ts";

export function statusText(snapshot: GroupSnapshot, paint: Paint): readonly string[] {
  const { exit, reasons } = assess(snapshot);
  return [
    headerLine(snapshot, paint),
    ...reasons.map((reason) => `  ${(exit === EXIT.noPrimary ? paint.bad : paint.warning)(reason)}`),
    ...controlLines(snapshot),
    ...nodeTable(snapshot, paint),
    ...readersLine(snapshot),
    votersLine(snapshot),
    ...forecastLines(snapshot),
    ...requestLines(snapshot),
    ...overrideLines(snapshot),
  ];
}

function headerLine(snapshot: GroupSnapshot, paint: Paint): string {
  const { spec, ballot, at } = snapshot;
  const { words, exit } = assess(snapshot);
  const colour = exit === EXIT.ok ? paint.good : exit === EXIT.noPrimary ? paint.bad : paint.warning;
  const step = ballot?.operation == null ? "" : ` (${stepOf(snapshot, ballot)})`;
  const state = words.map((word, index) => colour(index === 0 ? `${word}${step}` : word)).join("  ");
  const parts = [paint.strong(spec.group), state];
  if (ballot !== null) parts.push(epochPart(ballot), `mode ${modeAt(ballot, at)}`);
  if (ballot?.primary != null) {
    const copies = copiesOf(snapshot).map(({ target, epoch, lacks }) => {
      const text = `${target} ${epoch ?? "-"}`;
      return lacks === "nothing" ? text : paint.warning(text);
    });
    parts.push(`published: ${copies.join(", ")}`);
  }
  return parts.join("  ");
}

/** The holder knows its step more finely than the record; the record is what others go on from. */
function stepOf(snapshot: GroupSnapshot, ballot: Ballot): string {
  const holder = viewsOf(snapshot).find(({ voter }) => voter === ballot.lease?.holder);
  return holder?.view.operation?.step ?? ballot.operation?.step ?? "";
}

/** Repairs raise the ballot's epoch and leave the primary's, which is what is published. */
function epochPart({ epoch, primary }: Ballot): string {
  return primary === null || primary.epoch === epoch
    ? `epoch ${epoch}`
    : `epoch ${epoch} (primary since ${primary.epoch})`;
}

function controlLines({ ballot, at }: GroupSnapshot): readonly string[] {
  if (ballot === null || modeAt(ballot, at) !== "paused") return [];
  const { by, reason, until } = ballot.control;
  const end = until === null ? "" : ` until ${time(until)} (${duration(until - at)} left)`;
  return [`paused by ${by}${end}: ${reason}`];
}

function nodeTable(snapshot: GroupSnapshot, paint: Paint): readonly string[] {
  const head = ["NODE", "ADDRESS", "ZONE", "ROLE", "LINK", "LAG", ...snapshot.voters.map(({ voter }) => voter)];
  const rows = nodesOf(snapshot).map((node) => nodeRow(snapshot, node, paint));
  return grid([head.map(paint.faint), ...rows]);
}

function nodeRow(snapshot: GroupSnapshot, node: KnownNode, paint: Paint): readonly string[] {
  const isPrimary = snapshot.ballot?.primary?.node === node.id;
  const view = latestView(snapshot, node.id);
  // What was read before it fell silent is no longer so.
  const now = view !== null && ANSWERING.has(view.class) ? view : null;
  return [
    isPrimary ? paint.strong(`${node.id}*`) : `${node.id}${node.isDiscovered ? "+" : ""}`,
    addressText(view?.address ?? node.address),
    node.zone || view?.zone || "-",
    view?.role == null ? "-" : now === null ? paint.faint(`was ${view.role}`) : roleText(now),
    now?.role !== "replica" || now.linkUp === null ? "-" : now.linkUp ? "up" : paint.warning("down"),
    isPrimary || now?.lagBytes == null ? "-" : bytes(now.lagBytes),
    ...snapshot.voters.map((voter) => voterCell(voter, node.id, paint)),
  ];
}

const ANSWERING: ReadonlySet<NodeClass> = new Set(["serving", "wrong-role", "reborn", "write-dead"]);

/** IPv6 in brackets. */
export const addressText = ({ host, port }: Address): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

function roleText(view: NodeView): string {
  const token = tokenOf(view.follows);
  if (token === null) return view.role ?? "-";
  return view.follows?.host === BOOT_FENCE.host ? "boot-fenced" : `frozen ${token}`;
}

function voterCell(voter: VoterSnapshot, node: NodeId, paint: Paint): string {
  if (!voter.isAlive) return paint.faint("?");
  const seen = voter.view?.nodes[node];
  if (seen === undefined) return "-";
  if (seen.class === "serving") return seen.latencyMs === null ? "ok" : `${Math.round(seen.latencyMs)}ms`;
  return (seen.class === "unknown" ? paint.faint : paint.bad)(`${seen.class} ${duration(seen.sinceMs)}`);
}

/** As published, and who of the replicas was set aside. */
function readersLine(snapshot: GroupSnapshot): readonly string[] {
  const readers = readersNow(snapshot).map(({ node }) => node);
  if (readers.length === 0) return [];
  const standsIn = readers.length === 1 && readers[0] === snapshot.publication?.primary.node;
  const aside = setAsideNow(snapshot);
  const detail = [
    ...(standsIn ? ["the primary: no replica is in sync"] : []),
    ...(aside.length === 0 ? [] : [`set aside: ${aside.join(", ")}`]),
  ];
  return [`readers ${readers.join(", ")}${detail.length === 0 ? "" : ` (${detail.join("; ")})`}`];
}

function votersLine(snapshot: GroupSnapshot): string {
  const { voters, config, spec, servedShards } = snapshot;
  const alive = voters.filter((voter) => voter.isAlive);
  const oldest = Math.max(0, ...alive.map((voter) => voter.viewAgeMs ?? voter.heartbeatAgeMs));
  const age = alive.length === 0 ? "" : ` (oldest ${duration(oldest)})`;
  const resting = alive.find((voter) => voter.restsMs !== null)?.restsMs ?? null;
  const economy = resting === null ? "" : `, economy: they look every ${duration(resting)}`;
  const shard = spec.shard === 0 && servedShards.length < 2 ? "" : `, shard ${spec.shard}`;
  return `voters ${alive.length}/${voters.length}${age}${economy}${shard}  quorum ${config.quorum}  votes ${votesText(snapshot)}`;
}

/** Votes that stand against the current primary: `0`, `1 (az-a)`, `0, 1 suspects (az-b)`. */
function votesText(snapshot: GroupSnapshot): string {
  const down = votersAt(snapshot, "down");
  const suspect = votersAt(snapshot, "suspect");
  const text = down.length === 0 ? "0" : `${down.length} (${down.join(", ")})`;
  return suspect.length === 0
    ? text
    : `${text}, ${suspect.length} ${suspect.length === 1 ? "suspects" : "suspect"} it (${suspect.join(", ")})`;
}

/** Whose vote of this level stands against the primary of now. */
export function votersAt({ ballot }: GroupSnapshot, level: "down" | "suspect"): readonly string[] {
  const primary = ballot?.primary;
  if (ballot === null || primary == null) return [];
  return Object.entries(ballot.votes)
    .filter(([, vote]) => vote.level === level && vote.node === primary.node && vote.epoch === primary.epoch)
    .map(([voter]) => voter)
    .toSorted();
}

/** What the voters say would happen; they may disagree, and then a person should know. */
function forecastLines(snapshot: GroupSnapshot): readonly string[] {
  const { ballot } = snapshot;
  if (ballot?.primary == null || ballot.operation !== null) return [];
  const views = viewsOf(snapshot);
  if (views.length === 0) return [];
  const condition = `if ${ballot.primary.node} died now:`;
  const mode = modeAt(ballot, snapshot.at);
  if (mode !== "act") return [`${condition} nothing would be done: ${mode === "paused" ? "paused" : "only observed"}`];
  if (!ballot.armed) return [`${condition} nothing would be done: not armed yet`];
  const candidates = views.flatMap(({ view }) => (view.candidate === null ? [] : [view.candidate]));
  if (candidates.length === 0) return [`${condition} nobody would be promoted${whyNobody(snapshot)}`];
  const best = mostFrequent(candidates);
  const others = views.filter(({ view }) => view.candidate !== best);
  const dissent = others.map(({ voter, view }) => `${voter} says ${view.candidate ?? "nobody"}`).join(", ");
  return [`${condition} ${best} would be promoted${dissent === "" ? "" : ` (${dissent})`}`];
}

function whyNobody(snapshot: GroupSnapshot): string {
  const reasons = new Map(viewsOf(snapshot).flatMap(({ view }) => Object.entries(view.notCandidates)));
  const clauses = Array.from(reasons, ([node, reason]) => (reason.startsWith(node) ? reason : `${node}: ${reason}`));
  return clauses.length === 0 ? "" : `: ${clauses.join("; ")}`;
}

function mostFrequent<T>(values: readonly T[]): T | undefined {
  const count = (value: T): number => values.filter((each) => each === value).length;
  return values.toSorted((a, b) => count(b) - count(a))[0];
}

function requestLines({ request, at }: GroupSnapshot): readonly string[] {
  if (request === null || request.result !== null) return [];
  const what = `request: ${request.kind}${request.target === null ? "" : ` to ${request.target}`} by ${request.by}, ${duration(at - request.askedAt)} ago`;
  return [`${what}: ${request.expiresAt <= at ? "expired, never taken up" : "not ended yet"}`];
}

/** Every setting that differs from what was declared, with who changed it. */
function overrideLines({ spec, config, at }: GroupSnapshot): readonly string[] {
  const declared = completeConfig(spec.declared);
  return Object.entries(spec.overrides).map(([name, override]) => {
    const was = JSON.stringify(settingAt(declared, name)) ?? "nothing";
    const is = JSON.stringify(settingAt(config, name) ?? override.value);
    return `override: ${name} ${is} (declared: ${was}) by ${override.by}, ${duration(at - override.at)} ago`;
  });
}
