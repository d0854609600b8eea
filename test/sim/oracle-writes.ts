// S5 and S9 over what applications were told: no acknowledged write that was promised is missing from a later committed
// primary, and no two published primaries accept writes for longer than stated.

import type { NodeId } from "../../lib/core/types.ts";
import type { WriteRecord } from "./client.ts";
import type { Findings, OracleView } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

/** S5's window for an old primary that a living voter reaches: a tick, a freeze, and a retry of each. */
export const TWO_WRITABLE_LIMIT_MS = 5_000;

interface Loss {
  readonly node: NodeId;
  readonly at: number;
}

export class WritesOracle {
  readonly #view: OracleView;
  readonly #findings: Findings;
  /** Nodes that lost data which no command of a voter took from them. */
  readonly #losses: Loss[] = [];
  readonly #followedAt = new Map<NodeId, number>();
  /** A person took writes away: from then on nothing before is promised. */
  #forgivenUntil = -1;
  #checkedAt = 0;
  #twoFor = 0;
  #longestTwo = 0;

  constructor(view: OracleView, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  /** Longest time, in ms, in which two published nodes accepted writes and the older was reachable. */
  get longestTwoWritable(): number {
    return this.#longestTwo;
  }

  onNode(fact: NodeFact): void {
    const at = this.#view.now();
    if (fact.kind === "started" && fact.data !== "rdb" && fact.data !== "aof")
      this.#losses.push({ node: fact.node, at });
    if (fact.kind === "followed") this.#followedAt.set(fact.node, at);
    if (fact.kind === "flushed" && this.#wasTakenAlong(fact.node, fact.from))
      this.#losses.push({ node: fact.node, at });
    if ((fact.kind === "followed" || fact.kind === "promoted") && fact.by === "hand") {
      this.#forgivenUntil = this.#view.now();
    }
  }

  /** Whom it followed came back without data, unfenced, and took it along (C5): no voter had a hand in it. */
  #wasTakenAlong(node: NodeId, from: NodeId): boolean {
    const followedAt = this.#followedAt.get(node) ?? 0;
    return this.#losses.some((loss) => loss.node === from && loss.at > followedAt);
  }

  onBallot({ before, after }: BallotChange): void {
    const was = (before?.["primary"] ?? null) as { node: string; epoch: number; replicationId: string } | null;
    const is = (after["primary"] ?? null) as { node: string; epoch: number } | null;
    if (was === null || is === null || was.epoch === is.epoch) return;
    const operation = (after["operation"] ?? null) as { kind: string; by: string } | null;
    const position = this.#view.nodes().find(({ id }) => id === is.node)?.position;
    if (position === null || position === undefined) return;
    if (operation?.kind === "recover" || operation?.by !== "automatic") this.#forgiveByRequest(operation?.kind);
    if (operation?.kind === "switchover") {
      this.#expectNone(
        this.#view.log.missing(position, 0).filter((each) => each.position?.stream.id === was.replicationId),
        0,
        `the switchover to ${is.node}`,
      );
    }
    const { onPossibleLoss, waitK } = this.#view.config();
    if (onPossibleLoss === "refuse" && waitK > 0) {
      this.#expectNone(this.#view.log.missing(position, waitK), waitK, `the commit of ${is.node} at epoch ${is.epoch}`);
    }
  }

  /** `failover --accept-data-loss` and `groups recover`; a switchover accepts none. */
  #forgiveByRequest(kind: string | undefined): void {
    if (kind !== "switchover") this.#forgivenUntil = this.#view.now();
  }

  #expectNone(missing: readonly WriteRecord[], mayLose: number, what: string): void {
    const promised = missing.filter((record) => this.#isPromised(record, mayLose));
    const [first] = promised;
    if (first === undefined) return;
    const last = promised.at(-1) as WriteRecord;
    this.#findings.report(
      "S9",
      `${what} lost ${promised.length} writes of level ${first.level}, the last acknowledged at ${last.acknowledgedAt}`,
    );
  }

  /** The promise is for k: as long as no more than k nodes lost their data, one of the k + 1 that had it has it. */
  #isPromised(record: WriteRecord, mayLose: number): boolean {
    const since = record.executedAt ?? 0;
    if (since <= this.#forgivenUntil) return false;
    const losers = new Set(this.#losses.filter(({ at }) => at >= since).map(({ node }) => node));
    return losers.size <= mayLose;
  }

  /** Called now and then: how long have two published nodes been accepting writes? */
  check(): void {
    const now = this.#view.now();
    const passed = now - this.#checkedAt;
    this.#checkedAt = now;
    const accepting = this.#view.nodes().filter(({ acceptsWrites }) => acceptsWrites);
    const published = accepting.length < 2 ? [] : this.#view.published();
    const writable = accepting.filter(({ id }) => published.includes(id));
    const committed = this.#view.ballot()?.primary?.node;
    const stale = writable.filter(({ id }) => id !== committed);
    if (writable.length < 2 || stale.length === 0) {
      this.#twoFor = 0;
      return;
    }
    if (stale.every((node) => node.isReachable())) this.#twoFor += passed;
    this.#longestTwo = Math.max(this.#longestTwo, this.#twoFor);
    if (this.#twoFor <= TWO_WRITABLE_LIMIT_MS) return;
    this.#findings.report("S5", `${writable.map(({ id }) => id).join(" and ")} are published and accept writes`);
    this.#twoFor = 0;
  }
}
