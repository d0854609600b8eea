// S5 and S9 over what applications were told: no acknowledged write that was promised is missing from a later committed
// primary, and no two published primaries accept writes for longer than stated.

import { type NodeId, nodeId } from "../../lib/core/types.ts";
import type { WriteRecord } from "./client.ts";
import type { Findings, OracleView } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

/** S5's window for an old primary that a living voter reaches: a tick, a freeze, and a retry of each. */
export const TWO_WRITABLE_LIMIT_MS = 5_000;

/** A changed declaration is in force everywhere. */
const SPECS_READ_MS = 10_000;

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
  /** Nodes that a person made primary, since when and, once they are anything else or committed, until when. */
  readonly #madeByHand: { readonly node: NodeId; readonly from: number; until: number }[] = [];
  /** The record was replaced: whoever it makes primary next is a person's decision, or all that is left. */
  #isReplaced = false;
  /** Under which the group is promised anything; a world in which it changes is not asked, for voters learn of it one by one. */
  #policy: string | null = null;
  #isPolicyKept = true;
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
      this.#forgive(this.#view.now());
    }
    if (fact.kind === "followed" || fact.kind === "promoted" || fact.kind === "ended") this.#endMadeByHand(fact.node);
    if (fact.kind === "promoted" && fact.by === "hand") {
      this.#madeByHand.push({ node: fact.node, from: at, until: Number.POSITIVE_INFINITY });
    }
  }

  #endMadeByHand(node: NodeId): void {
    const at = this.#view.now();
    for (const each of this.#madeByHand) if (each.node === node) each.until = Math.min(each.until, at);
  }

  /** Whom it followed came back without data, unfenced, and took it along (C5): no voter had a hand in it. */
  #wasTakenAlong(node: NodeId, from: NodeId): boolean {
    const followedAt = this.#followedAt.get(node) ?? 0;
    return this.#losses.some((loss) => loss.node === from && loss.at > followedAt);
  }

  onBallot({ before, after }: BallotChange): void {
    const was = (before?.["primary"] ?? null) as { node: string; epoch: number; replicationId: string } | null;
    const is = (after["primary"] ?? null) as { node: string; epoch: number } | null;
    this.#notePolicy();
    if (is === null || was?.epoch === is.epoch) return;
    this.#endMadeByHand(nodeId(is.node));
    if (this.#isReplaced) {
      this.#isReplaced = false;
      this.#forgive(this.#view.now());
    }
    if (was === null) return;
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
    if (this.#isPolicyKept && onPossibleLoss === "refuse" && waitK > 0) {
      this.#expectNone(this.#view.log.missing(position, waitK), waitK, `the commit of ${is.node} at epoch ${is.epoch}`);
    }
  }

  /** `failover --accept-data-loss` and `groups recover`; a switchover accepts none. */
  #forgiveByRequest(kind: string | undefined): void {
    if (kind !== "switchover") this.#forgive(this.#view.now());
  }

  #forgive(until: number): void {
    this.#forgivenUntil = Math.max(this.#forgivenUntil, until);
  }

  onReplaced(): void {
    this.#isReplaced = true;
  }

  /** A member that is taken out of the declaration takes away what it alone had, until it is back and all have seen it. */
  onMembersChanged(forMs: number): void {
    this.#forgive(this.#view.now() + forMs + SPECS_READ_MS);
  }

  #notePolicy(): void {
    const { onPossibleLoss, waitK } = this.#view.config();
    this.#policy ??= `${onPossibleLoss} ${waitK}`;
    if (this.#policy !== `${onPossibleLoss} ${waitK}`) this.#isPolicyKept = false;
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
    // Whoever makes a primary beside the committed one, and then takes it away, takes away what it acknowledged.
    if (this.#madeByHand.some(({ node, from, until }) => node === record.node && from <= since && since < until))
      return false;
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
    const ballot = this.#view.ballot();
    const committed = ballot?.primary?.node;
    // Without a record of this table nobody may fence anybody.
    if (committed === undefined || (ballot?.table !== undefined && ballot.table !== this.#view.tableId())) {
      this.#twoFor = 0;
      return;
    }
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
