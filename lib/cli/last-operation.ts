// What happened the last time a primary changed, and why? Read from the history alone. Every part may be missing: the
// history is written by whoever was there, and a part that nobody wrote is left out rather than guessed.

import type { HistoryRecord } from "../core/records.ts";
import type { Epoch, WallTime } from "../core/types.ts";
import { bytes, duration, time } from "./units.ts";

export interface LastOperation {
  /** `failover`, `switchover`, `cold-start`, `recover`, `initialise` */
  readonly kind: string;
  readonly epoch: Epoch;
  readonly at: WallTime;
  readonly from: string | null;
  readonly to: string | null;
  readonly tookMs: number | null;
  /** Votes and their cause, or who asked for what reason. */
  readonly why: string | null;
  /** How the old primary was kept from accepting writes, one clause per fence that is recorded. */
  readonly fences: readonly string[];
  readonly possibleLoss: { readonly atLeastBytes: number; readonly primaryLastReadMs: number | null } | null;
}

/** Votes are cast within this of the commit that they led to; older ones belong to something else. */
const VOTES_BEFORE_MS = 120_000;

const COMPLETED: Readonly<Record<string, string>> = {
  "failover.completed": "failover",
  "switchover.completed": "switchover",
  "group.initialised": "initialise",
};

/** The newest commit in `history` (oldest first) with all that belongs to it; null when there is none. */
export function lastOperation(history: readonly HistoryRecord[]): LastOperation | null {
  const commit = history.findLast((each) => each.event === "primary.committed");
  if (commit === undefined) return null;
  const own = history.filter((each) => each.epoch === commit.epoch);
  const before = history.filter((each) => each.at <= commit.at && each.at >= commit.at - VOTES_BEFORE_MS);
  const completed = own.find((each) => each.event in COMPLETED);
  const begun = before.findLast((each) => each.event === "operation.begun");
  const loss = own.find((each) => each.event === "loss.possible");
  const down = before.findLast((each) => each.event === "primary.subjectively-down");
  const fenced = own.filter((each) => each.event === "node.fenced");
  const from = textOf(down, "node") ?? textOf(fenced[0], "node") ?? previousPrimary(history, commit);
  // The old primary may have been away, and fenced only when it came back, under a repair's epoch.
  const later = history.filter((each) => each.epoch > commit.epoch && textOf(each, "node") === from);
  const kind = textOf(completed, "kind") ?? textOf(begun, "kind") ?? COMPLETED[completed?.event ?? ""] ?? "operation";
  return {
    kind,
    epoch: commit.epoch,
    at: commit.at,
    from,
    to: textOf(commit, "node"),
    tookMs: numberOf(completed, "tookMs"),
    why: whyText(before, begun),
    fences: fenceClauses([...own, ...later]),
    possibleLoss:
      loss === undefined
        ? null
        : { atLeastBytes: numberOf(loss, "atLeastBytes") ?? 0, primaryLastReadMs: numberOf(loss, "primaryLastReadMs") },
  };
}

function previousPrimary(history: readonly HistoryRecord[], commit: HistoryRecord): string | null {
  const earlier = history.filter((each) => each.epoch < commit.epoch);
  const last = earlier.findLast((each) =>
    ["primary.committed", "group.adopted", "group.initialised"].includes(each.event),
  );
  return textOf(last, "node");
}

function whyText(before: readonly HistoryRecord[], begun: HistoryRecord | undefined): string | null {
  const by = textOf(begun, "by");
  if (by !== null && by !== "automatic") return `${by} asked: ${textOf(begun, "reason") ?? ""}`;
  const cause = textOf(
    before.findLast((each) => each.event === "primary.subjectively-down"),
    "cause",
  );
  const votes = textOf(
    before.findLast((each) => each.event === "primary.objectively-down"),
    "votes",
  );
  const down = before.filter((each) => each.event === "primary.subjectively-down").map((each) => each.voter);
  const voters = votes === null ? [...new Set(down)] : votes.split(",");
  if (voters.length === 0) return textOf(begun, "reason");
  return `${voters.join(", ")} found the primary ${cause ?? "down"}`;
}

/** One clause for each way in which it was kept from writing, with everybody who did it. */
function fenceClauses(own: readonly HistoryRecord[]): readonly string[] {
  const clauses = new Map<string, string[]>();
  // A freeze that waited and was read is a fence; what else waited is no longer of interest.
  const isFenced = own.some((each) => each.event === "node.fenced");
  for (const each of own) {
    if (isFenced && each.event === "fence.parked") continue;
    const clause = fenceClause(each);
    if (clause === null) continue;
    const voters = clauses.get(clause) ?? [];
    if (!voters.includes(each.voter)) clauses.set(clause, [...voters, each.voter].toSorted());
  }
  return [...clauses].map(([clause, voters]) => `${clause} (${voters.join(", ")})`);
}

const RUNGS: Readonly<Record<string, string>> = {
  assisted: "frozen by a voter beside it",
  parked: "frozen as it woke",
};

function fenceClause(record: HistoryRecord): string | null {
  const node = textOf(record, "node") ?? "the old primary";
  switch (record.event) {
    case "node.fenced":
      return `${node} ${RUNGS[textOf(record, "rung") ?? ""] ?? "frozen"}`;
    case "node.stopped":
      return `host ${textOf(record, "host") ?? ""} of ${node} stopped`;
    case "fence.parked":
      return `a freeze waits on a connection to ${node}`;
    case "node.demoted":
      return `${node} demoted${textOf(record, "to") === null ? "" : `, follows ${textOf(record, "to")}`}`;
    default:
      return null;
  }
}

export const textOf = (record: HistoryRecord | undefined, key: string): string | null => {
  const value = record?.detail[key];
  return typeof value === "string" && value !== "" ? value : null;
};

const numberOf = (record: HistoryRecord | undefined, key: string): number | null => {
  const value = record?.detail[key];
  return typeof value === "number" ? value : null;
};

export function lastOperationText(last: LastOperation, now: WallTime): readonly string[] {
  const between = last.from !== null && last.from !== last.to ? `${last.from} -> ${last.to ?? "?"}` : (last.to ?? "?");
  const took = last.tookMs === null ? "" : `, took ${last.tookMs} ms`;
  const lines = [
    `last ${last.kind}: ${between} at epoch ${last.epoch}, ${duration(now - last.at)} ago (${time(last.at)})${took}`,
  ];
  if (last.why !== null) lines.push(`  why: ${last.why}`);
  if (last.fences.length > 0) lines.push(`  old primary fenced: ${last.fences.join("; ")}`);
  else if (last.kind === "failover") lines.push("  old primary fenced: nobody reached it before the promotion");
  lines.push(`  possible loss: ${lossText(last)}`);
  return lines;
}

function lossText({ possibleLoss }: LastOperation): string {
  if (possibleLoss === null) return "none recorded";
  const { atLeastBytes, primaryLastReadMs } = possibleLoss;
  const read = primaryLastReadMs === null ? "" : `; the old primary was last read ${primaryLastReadMs} ms before`;
  return `at least ${bytes(atLeastBytes)} of the replication stream${read}`;
}
