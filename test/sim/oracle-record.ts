// S1, S2, S3 and S7 over the history of the ballot: what each applied write changed, and by whose hand.

import type { Publication } from "../../lib/core/records.ts";
import { numberAt, textAt } from "./item.ts";
import type { OrdersOracle } from "./oracle-orders.ts";
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

export class RecordOracle {
  readonly #view: Pick<OracleView, "config">;
  readonly #orders: Pick<OrdersOracle, "kindOf">;
  readonly #findings: Findings;
  /** The last vote that each voter itself has written. */
  readonly #cast = new Map<string, Vote>();
  readonly #primaries = new Map<number, string>();
  #published: Publication | null = null;
  #inDns = 0;

  constructor(view: Pick<OracleView, "config">, orders: Pick<OrdersOracle, "kindOf">, findings: Findings) {
    this.#view = view;
    this.#orders = orders;
    this.#findings = findings;
  }

  onBallot(change: BallotChange): void {
    this.#onePrimaryAnEpoch(change);
    this.#epochGrows(change);
    this.#votesOfOneZone(change);
    this.#quorumAtGrant(change);
  }

  /** What a table says that was restored to an earlier state is not compared with what it said later. */
  onReplaced(how: "restored" | "deleted"): void {
    if (how === "deleted") return;
    this.#primaries.clear();
    this.#published = null;
    this.#inDns = 0;
  }

  /** What stands in the record by then somebody else may have put there. */
  onSetBack(): void {
    this.#cast.clear();
  }

  /** Route 53 takes exact exchanges only; SSM may go back between two writers (protocol.md, section 11). */
  onCopy(copy: string, epoch: number, by: string): void {
    if (copy !== "dns") return;
    if (by !== "hand" && epoch < this.#inDns)
      this.#findings.report("S2", `DNS went from ${this.#inDns} to ${epoch} by ${by}`);
    this.#inDns = epoch;
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
      if (by === `voter:${attribute.slice(VOTE.length)}`) this.#cast.set(attribute, vote);
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

  /** What elects rests on votes that voters have cast and that stood when it was granted, or on a person's order. */
  #quorumAtGrant({ before, after }: BallotChange): void {
    const began = numberAt(after, "operation", "began");
    if (began === 0 || began !== numberAt(after, "epoch") || began === numberAt(before, "epoch")) return;
    const kind = textAt(after, "operation", "kind");
    // One that is begun by itself is the way to replace a primary that answers and cannot write.
    const elects = kind === "failover" || kind === "cold-start" || kind === "switchover";
    if (!elects || this.#isOrdered(kind, textAt(after, "operation", "request"))) return;
    const subject = { node: textAt(before, "primary", "node"), epoch: numberAt(before, "primary", "epoch") };
    const votes = Object.entries(before ?? {}).filter(([name, value]) => {
      const vote = value as unknown as Vote;
      const own = this.#cast.get(name);
      const isOwn = own !== undefined && sameOrder(own, vote) && own.level === vote.level && sameSubject(own, vote);
      const isOnIt = vote.level === "down" && vote.node === subject.node && vote.epoch === subject.epoch;
      return name.startsWith(VOTE) && isOwn && isOnIt;
    });
    if (votes.length < this.#view.config().quorum) {
      this.#findings.report("S3", `${kind} of epoch ${began} was granted on ${votes.length} standing votes`);
    }
  }

  /** Whatever the record says of who asked for it. */
  #isOrdered(kind: string, request: string | null): boolean {
    const order = request === null ? null : this.#orders.kindOf(request);
    if (order === "switchover" || order === "drain") return kind === "switchover";
    // Of a primary that is healthy it is tried as a switchover first.
    return order === "failover" && kind !== "cold-start";
  }
}

const sameOrder = (left: Vote, right: Vote): boolean => left.generation === right.generation && left.seq === right.seq;

const sameSubject = (left: Vote, right: Vote): boolean => left.node === right.node && left.epoch === right.epoch;

const isLater = (vote: Vote, than: Vote): boolean =>
  vote.generation > than.generation || (vote.generation === than.generation && vote.seq > than.seq);
