// The timeline for people: one line for each thing that happened, in columns. Time, ms since the line before, the ballot's
// epoch, who, what. The table's lines say what a write changed, not how it is spelled; ids are cut to what tells them apart.

import type { Ballot } from "../../lib/core/ballot.ts";
import { tokenOf } from "../../lib/core/token.ts";
import { voterId } from "../../lib/core/types.ts";
import { describeFault } from "./plan.ts";
import { type BallotChange, readable } from "./table.ts";
import { type Timeline, type TimelineEntry, votedAttribute } from "./timeline.ts";
import type { NodeFact } from "./valkey-words.ts";

const ID_SHOWN = 8;
const LONG_ID = /\b[0-9a-f]{40}\b/g;

/** Who and what of each entry; null: it is told by another line. */
export interface Line {
  readonly at: number;
  readonly epoch: number;
  readonly who: string;
  readonly what: string;
  readonly entry: TimelineEntry;
}

export function linesOf({ entries, nodeAt }: Pick<Timeline, "entries" | "nodeAt">): readonly Line[] {
  let epoch = 0;
  let killed = 0;
  const pausedUntil = new Map<string, number>();
  const lines: Line[] = [];
  for (const entry of withEnds(entries)) {
    // A pause that only goes on.
    if (entry.kind === "node" && entry.fact.kind === "paused") {
      const goesOn = entry.at <= (pausedUntil.get(entry.fact.node) ?? Number.NEGATIVE_INFINITY);
      pausedUntil.set(entry.fact.node, entry.fact.untilMs);
      if (goesOn) continue;
    }
    if (entry.kind === "ballot") epoch = readable(entry.change.after)?.epoch ?? epoch;
    // Connections are killed by the transaction that is told next.
    if (entry.kind === "node" && entry.fact.kind === "killed-connections") {
      killed += entry.fact.count;
      continue;
    }
    const [who, what] = describeEntry(entry, nodeAt);
    const closes = entry.kind === "node" && entry.fact.kind === "executed" && killed > 0;
    lines.push({ at: entry.at, epoch, who, what: closes ? `${what}, closing ${killed} connections` : what, entry });
    killed = 0;
  }
  return lines;
}

export function textOf(timeline: Pick<Timeline, "entries" | "nodeAt">): readonly string[] {
  const heading = `${"time s".padStart(9)} ${"+ms".padStart(8)} ${"epoch".padStart(5)}  ${"who".padEnd(10)} what`;
  let last: number | null = null;
  const rows = linesOf(timeline).map(({ at, epoch, who, what }) => {
    const later = last === null ? "" : (at - last).toFixed(1);
    last = at;
    const time = (at / 1_000).toFixed(4).padStart(9);
    return `${time} ${later.padStart(8)} ${String(epoch).padStart(5)}  ${who.padEnd(10)} ${what}`.replace(
      LONG_ID,
      (id) => id.slice(0, ID_SHOWN),
    );
  });
  return [heading, ...rows];
}

/** With an entry for the end of each fault that lasts: its own time, or the healing. */
export function withEnds(entries: readonly TimelineEntry[]): readonly TimelineEntry[] {
  const open: { readonly at: number; readonly entry: TimelineEntry }[] = [];
  const all: TimelineEntry[] = [];
  for (const entry of entries) {
    while (open[0] !== undefined && open[0].at <= entry.at) all.push(open.shift()!.entry);
    if (entry.kind === "healed") open.length = 0;
    all.push(entry);
    if (entry.kind !== "fault" || !("forMs" in entry.fault)) continue;
    const at = entry.at + entry.fault.forMs;
    open.push({ at, entry: { at, kind: "fault-ended", fault: entry.fault } });
    open.sort((left, right) => left.at - right.at);
  }
  return all;
}

function describeEntry(entry: TimelineEntry, nodeAt: Timeline["nodeAt"]): readonly [string, string] {
  const { why } = entry;
  switch (entry.kind) {
    case "fault":
      return ["FAULT", `${describeFault(entry.fault)}${entry.hits.length === 0 ? "" : ` -> ${entry.hits.join(", ")}`}`];
    case "fault-ended":
      return ["FAULT", `${describeFault(entry.fault)} is over`];
    case "healed":
      return ["HEALED", "every fault ends, every node and voter is back"];
    case "violation":
      return ["VIOLATION", `${entry.id}: ${entry.detail}`];
    case "node":
      return [entry.fact.node, describeFact(entry.fact, nodeAt)];
    case "told": {
      const { event, node, epoch, detail, voter, generation } = entry.entry;
      const subject = node === null ? "" : ` ${node}`;
      return [`${voter}/${generation}`, `${event}${subject} epoch ${epoch}${facts(detail)}`];
    }
    case "ballot":
      return ["table", describeChange(entry.change)];
    case "published": {
      const { epoch, revision, primary } = entry.publication;
      return ["published", `epoch ${epoch}.${revision} ${primary.node} by ${entry.by}`];
    }
    case "copy": {
      const { copy, epoch, node, by } = entry;
      return [copy, epoch === null ? `nothing by ${by}` : `epoch ${epoch} ${node ?? "an unknown address"} by ${by}`];
    }
    case "invocation":
      return [entry.name, `${entry.how}${why === undefined ? "" : `: ${why}`}`];
  }
}

function describeFact(fact: NodeFact, nodeAt: Timeline["nodeAt"]): string {
  const { kind, node: _, ...rest } = fact;
  if (fact.kind === "executed") {
    const { by, epoch, label, effective } = fact;
    return `executed ${label} of epoch ${epoch} by ${by}${effective ? "" : " (changed nothing)"}`;
  }
  if (fact.kind !== "followed") return `${kind}${facts(rest)}`;
  const token = tokenOf(fact.address);
  const whom = token === null ? `follows ${nodeAt(fact.address) ?? fact.address.host}` : `frozen, token ${token}`;
  return `${whom}${fact.wasPrimary ? ", was primary," : ""} by ${fact.by}${fact.epoch === null ? "" : ` epoch ${fact.epoch}`}`;
}

function facts(values: object): string {
  const shown = Object.entries(values).filter(([, value]) => value !== null && value !== "");
  return shown.map(([name, value]) => ` ${name}=${typeof value === "object" ? JSON.stringify(value) : value}`).join("");
}

/** What of the ballot is another than before, in its own words. */
export function describeChange({ write, before, after, by }: BallotChange): string {
  const who = by.replace("voter:", "");
  const voted = votedAttribute(write);
  const now = readable(after);
  if (now === null) return `${write.name} by ${who}: damaged, or of a newer version`;
  if (voted !== null) {
    const vote = now.votes[voterId(voted.replace("vote_", ""))];
    const silent = vote === undefined || vote.silentMs === 0 ? "" : `, silent for ${vote.silentMs} ms`;
    return `${write.name} by ${who}: ${vote?.level} ${vote?.node} of epoch ${vote?.epoch}${silent}`;
  }
  const old = before === null ? null : readable(before);
  const words = old === null ? ["new"] : differences(old, now);
  return `${write.name} by ${who}${words.length === 0 ? "" : `: ${words.join(", ")}`}`;
}

const DESCRIBED: readonly ((ballot: Ballot) => string | null)[] = [
  ({ epoch }) => `epoch ${epoch}`,
  ({ primary }) =>
    primary === null ? null : `primary ${primary.node} of epoch ${primary.epoch} id ${primary.replicationId}`,
  ({ armed }) => (armed ? "armed" : null),
  ({ lease }) => (lease === null ? "no lease" : `lease of ${lease.holder}/${lease.generation}`),
  ({ operation }) =>
    operation === null
      ? "no operation"
      : `${operation.kind} ${operation.step}${operation.target === null ? "" : ` to ${operation.target}`} (${operation.reason})`,
  ({ lineage }) => {
    const intent = lineage.intents.at(-1);
    return intent === undefined
      ? null
      : `intent of epoch ${intent.epoch}: ${intent.node} at offset ${intent.offset} of ${intent.replicationId}`;
  },
  ({ control }) => `mode ${control.mode}`,
  ({ revision }) => `revision ${revision}`,
];

function differences(before: Ballot, after: Ballot): readonly string[] {
  return DESCRIBED.flatMap((describe) => {
    const [was, is] = [describe(before), describe(after)];
    return is === null || is === was ? [] : [is];
  });
}
