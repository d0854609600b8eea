// S1, S2, S3, S7 and S8 over the history of the ballot: what each applied write changed, and by whose hand.

import type { Item } from "../../lib/core/ballot-write.ts";
import { valueAt } from "../../lib/core/ballot-write.ts";
import type { Publication } from "../../lib/core/records.ts";
import type { Findings, OracleView } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";

interface Vote {
  readonly level: string;
  readonly node: string;
  readonly epoch: number;
  readonly generation: number;
  readonly seq: number;
}

const VOTE = "vote_";
/** How far apart the world lets wall clocks be. */
const CLOCK_SKEW_MS = 120_000;
const numberAt = (item: Item | null, ...path: [string, ...string[]]): number => {
  const value = item === null ? undefined : valueAt(item, path);
  return typeof value === "number" ? value : 0;
};
const textAt = (item: Item | null, ...path: [string, ...string[]]): string | null => {
  const value = item === null ? undefined : valueAt(item, path);
  return typeof value === "string" ? value : null;
};

export class RecordOracle {
  readonly #view: Pick<OracleView, "config" | "wallNow" | "tableId">;
  readonly #findings: Findings;
  readonly #primaries = new Map<number, string>();
  #published: Publication | null = null;

  constructor(view: Pick<OracleView, "config" | "wallNow" | "tableId">, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  onBallot(change: BallotChange): void {
    this.#onePrimaryAnEpoch(change);
    this.#epochGrows(change);
    this.#votesOfOneZone(change);
    this.#quorumAtGrant(change);
    this.#nothingWhilePaused(change);
    this.#nothingOfAnotherTable(change);
  }

  /** What a table says that was restored to an earlier state is not compared with what it said later. */
  onReplaced(how: "restored" | "deleted"): void {
    if (how === "deleted") return;
    this.#primaries.clear();
    this.#published = null;
  }

  onPublication(publication: Publication): void {
    const before = this.#published;
    this.#published = publication;
    const { epoch, revision, primary } = publication;
    if (before !== null && (epoch < before.epoch || (epoch === before.epoch && revision <= before.revision))) {
      this.#findings.report("S2", `published went from ${before.epoch}.${before.revision} to ${epoch}.${revision}`);
    }
    const committed = this.#primaries.get(epoch);
    if (committed !== primary.node) {
      this.#findings.report("S1", `epoch ${epoch} is published as ${primary.node} and committed as ${committed}`);
    }
  }

  #onePrimaryAnEpoch({ after }: BallotChange): void {
    const node = textAt(after, "primary", "node");
    if (node === null) return;
    const epoch = numberAt(after, "primary", "epoch");
    const known = this.#primaries.get(epoch);
    if (known !== undefined && known !== node) {
      this.#findings.report("S1", `epoch ${epoch} has two primaries: ${known} and ${node}`);
    }
    this.#primaries.set(epoch, node);
  }

  #epochGrows({ before, after, write, by }: BallotChange): void {
    const paths: readonly [string, ...string[]][] = [["epoch"], ["primary", "epoch"]];
    for (const path of paths) {
      const [was, is] = [numberAt(before, ...path), numberAt(after, ...path)];
      if (is < was)
        this.#findings.report("S2", `${path.join(".")} fell from ${was} to ${is} by ${write.name} of ${by}`);
    }
    if (numberAt(after, "primary", "epoch") > numberAt(after, "epoch")) {
      this.#findings.report("S2", "the primary's epoch is above the ballot's");
    }
  }

  #votesOfOneZone({ before, after, by, write }: BallotChange): void {
    for (const [attribute, value] of Object.entries(after)) {
      if (!attribute.startsWith(VOTE) || value === before?.[attribute]) continue;
      const vote = value as unknown as Vote;
      const was = (before?.[attribute] ?? null) as unknown as Vote | null;
      const cleared = was !== null && sameOrder(was, vote) && vote.level === "clear";
      if (cleared) continue;
      if (by !== `voter:${attribute.slice(VOTE.length)}`) {
        this.#findings.report("S7", `${write.name} of ${by} changed ${attribute}`);
      }
      if (was === null) continue;
      if (!isLater(vote, was)) this.#findings.report("S7", `${attribute} went back to ${vote.generation}.${vote.seq}`);
      const weakened = was.level === "down" && vote.level === "suspect" && sameSubject(was, vote);
      if (weakened) this.#findings.report("S7", `${attribute} weakened down to suspect`);
    }
  }

  /** An automatic operation that elects rests on votes that stood when it was granted. */
  #quorumAtGrant({ before, after }: BallotChange): void {
    const began = numberAt(after, "operation", "began");
    if (began === 0 || began !== numberAt(after, "epoch") || began === numberAt(before, "epoch")) return;
    const kind = textAt(after, "operation", "kind");
    // One that is begun by itself is the way to replace a primary that answers and cannot write.
    const elects = kind === "failover" || kind === "cold-start" || kind === "switchover";
    if (!elects || textAt(after, "operation", "by") !== "automatic") return;
    const subject = { node: textAt(before, "primary", "node"), epoch: numberAt(before, "primary", "epoch") };
    const votes = Object.entries(before ?? {}).filter(([name, value]) => {
      const vote = value as unknown as Vote;
      return (
        name.startsWith(VOTE) && vote.level === "down" && vote.node === subject.node && vote.epoch === subject.epoch
      );
    });
    if (votes.length < this.#view.config().quorum) {
      this.#findings.report("S3", `${kind} of epoch ${began} was granted on ${votes.length} standing votes`);
    }
  }

  /** No operation begins while the mode that stood was not `act`; one going on is finished. */
  #nothingWhilePaused({ before, after, by, write }: BallotChange): void {
    const mode = textAt(before, "control", "mode");
    if (before === null || mode === null || mode === "act" || this.#pauseIsOver(before)) return;
    const begins = numberAt(after, "epoch") > numberAt(before, "epoch") && valueAt(before, ["operation"]) === undefined;
    if (begins) this.#findings.report("S8", `${write.name} of ${by} began something while ${mode}`);
  }

  /** A copy of another table's record is only looked at, until a person orders to recover; an operator may pause it. */
  #nothingOfAnotherTable({ before, after, by, write }: BallotChange): void {
    const table = textAt(before, "table");
    if (table === null || table === this.#view.tableId() || write.name === "set-control") return;
    if (textAt(after, "operation", "kind") === "recover" && textAt(after, "table") === this.#view.tableId()) return;
    this.#findings.report("S8", `${write.name} of ${by} changed a record that was written for ${table}`);
  }

  /** Read on a wall clock by the voters, so a pause near its end is nobody's fault. */
  #pauseIsOver(item: Item): boolean {
    const until = numberAt(item, "control", "until");
    return until !== 0 && this.#view.wallNow() >= until - CLOCK_SKEW_MS;
  }
}

const sameOrder = (left: Vote, right: Vote): boolean => left.generation === right.generation && left.seq === right.seq;

const sameSubject = (left: Vote, right: Vote): boolean => left.node === right.node && left.epoch === right.epoch;

const isLater = (vote: Vote, than: Vote): boolean =>
  vote.generation > than.generation || (vote.generation === than.generation && vote.seq > than.seq);
