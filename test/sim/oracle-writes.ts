// S9 over what applications were told: no acknowledged write that was promised is missing from a later committed primary.

import type { NodeId } from "../../lib/core/types.ts";
import type { WriteRecord } from "./client.ts";
import { SPECS_READ_MS } from "./oracle-config.ts";
import type { Findings, OracleView } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

/** A node without the data that it had, until it is synchronized in full by one that is not. */
interface Loss {
  readonly node: NodeId;
  readonly at: number;
  until: number;
}

interface StoredOperation {
  readonly kind: string;
  readonly by: string;
  readonly began: number;
  /** Absent where nobody has ordered it. */
  readonly request?: string;
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
  /** Under which the group is promised anything; what was written before one that changed is not asked for. */
  #policy: string | null = null;
  /** Epochs of the orders with which a person took the loss. */
  readonly #lossesTaken = new Set<number>();

  constructor(view: OracleView, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  onNode(fact: NodeFact): void {
    const at = this.#view.now();
    if (fact.kind === "started" && fact.data !== "rdb" && fact.data !== "aof") this.#lost(fact.node);
    if (fact.kind === "followed") this.#followedAt.set(fact.node, at);
    if (fact.kind === "flushed" && this.#wasTakenAlong(fact.node, fact.from)) this.#lost(fact.node);
    if (fact.kind === "link-up" && fact.how === "full" && !this.#isLost(fact.from)) this.#endLosses(fact.node);
    if ((fact.kind === "followed" || fact.kind === "promoted") && fact.by === "hand") {
      this.#forgive(this.#view.now());
    }
    if (fact.kind === "followed" || fact.kind === "promoted" || fact.kind === "ended") this.#endMadeByHand(fact.node);
    if (fact.kind === "promoted" && fact.by === "hand") {
      this.#madeByHand.push({ node: fact.node, from: at, until: Number.POSITIVE_INFINITY });
    }
  }

  #lost(node: NodeId): void {
    this.#losses.push({ node, at: this.#view.now(), until: Number.POSITIVE_INFINITY });
  }

  #isLost(node: NodeId): boolean {
    return this.#losses.some((loss) => loss.node === node && loss.until === Number.POSITIVE_INFINITY);
  }

  #endLosses(node: NodeId): void {
    const at = this.#view.now();
    for (const loss of this.#losses) if (loss.node === node) loss.until = Math.min(loss.until, at);
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
    this.#noteOrder(before, after);
    if (is === null || was?.epoch === is.epoch) return;
    this.#endMadeByHand(is.node as NodeId);
    if (this.#isReplaced) {
      this.#isReplaced = false;
      this.#forgive(this.#view.now());
    }
    const operation = operationOf(after);
    const isLossTaken = operation !== null && operation.kind !== "switchover" && this.#lossesTaken.has(operation.began);
    // Also of a group that had no record yet: who served it was nobody's choice.
    if (isLossTaken) this.#forgive(this.#view.now());
    const position = this.#view.nodes().find(({ id }) => id === is.node)?.position;
    if (was === null || position === null || position === undefined) return;
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

  /** When all has healed: what was promised at each commit is there still, whatever the primary went through since. */
  atEnd(): void {
    const { onPossibleLoss, waitK } = this.#view.config();
    const primary = this.#view.ballot()?.primary?.node;
    const position = this.#view.nodes().find(({ id }) => id === primary)?.position ?? null;
    if (onPossibleLoss !== "refuse" || waitK === 0 || position === null) return;
    this.#expectNone(this.#view.log.missing(position, waitK), waitK, `${primary}, primary at the end,`);
  }

  /** Read when it is begun: while its operation goes on, its order may have been answered and followed by another. */
  #noteOrder(before: BallotChange["before"], after: BallotChange["after"]): void {
    const operation = operationOf(after);
    if (operation === null || operation.began === operationOf(before)?.began || operation.request === undefined) return;
    if (this.#view.acceptsDataLoss(operation.request)) this.#lossesTaken.add(operation.began);
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

  /** Called now and then. */
  check(): void {
    this.#notePolicy();
  }

  /** The voters learn of it one by one. */
  #notePolicy(): void {
    const { onPossibleLoss, waitK } = this.#view.config();
    const policy = `${onPossibleLoss} ${waitK}`;
    if (this.#policy !== null && this.#policy !== policy) this.#forgive(this.#view.now() + SPECS_READ_MS);
    this.#policy = policy;
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
    return this.#mostLostAtOnce(since) <= mayLose;
  }

  /** Of the nodes that have lost data since then: how many were without it at one moment. */
  #mostLostAtOnce(since: number): number {
    const losses = this.#losses.filter(({ at }) => at >= since);
    const at = (moment: number) => losses.filter((loss) => loss.at <= moment && moment < loss.until);
    return Math.max(0, ...losses.map((loss) => new Set(at(loss.at).map(({ node }) => node)).size));
  }
}

const operationOf = (item: BallotChange["before"]): StoredOperation | null =>
  (item?.["operation"] ?? null) as StoredOperation | null;
