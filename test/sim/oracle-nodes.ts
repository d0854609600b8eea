// S2, S4, S6 and S10 over what the nodes carried out: tokens only grow, nothing older takes effect after something newer,
// who was promoted had everything that anybody frozen and eligible had, and nobody acts under an epoch that the table has
// not given.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { Epoch, NodeCommand, NodeId, NodeOutcome, NodeReading } from "../../lib/core/types.ts";
import { epochSpelledBy, SPECS_READ_MS } from "./oracle-config.ts";
import type { MembersOracle } from "./oracle-members.ts";
import type { Findings, OracleView } from "./oracle-view.ts";
import { contains, describePosition, type Position } from "./stream.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

/** A command's outcome as it reached a voter. */
export interface Answer {
  /** The voter's place. */
  readonly by: string;
  readonly node: NodeId;
  readonly command: NodeCommand;
  readonly outcome: NodeOutcome;
  /** Given up by then: it is looked at by a probe instead of being believed. */
  readonly isLate: boolean;
}

/** What a voter has just learned of a node by asking it, or by losing a connection. */
export interface Heard {
  /** The voter's place. */
  readonly by: string;
  readonly node: NodeId;
  /** Null: no answer, or none that can be read. */
  readonly reading: NodeReading | null;
}

interface Frozen {
  readonly position: Position;
  readonly runId: string;
  /** It was in the middle of a full synchronization, or restarted since it was in sync: it may not win. */
  readonly eligible: boolean;
}

export class NodesOracle {
  readonly #view: OracleView;
  readonly #members: Pick<MembersOracle, "wasInSync">;
  readonly #findings: Findings;
  /** Highest epoch of which a command was carried out. */
  readonly #touched = new Map<NodeId, Epoch>();
  readonly #tokens = new Map<NodeId, Epoch>();
  /** Who was given each epoch by the table. */
  readonly #given = new Map<number, string>();
  /** By a record that was replaced since. */
  readonly #givenBefore = new Map<number, string>();
  /** Freezes whose answer reached a voter: `<voter> <epoch>` to what each node then had. */
  readonly #frozen = new Map<string, Map<NodeId, Frozen>>();
  /** Nodes that refused their promotion to a voter: `<voter> <epoch> <node>`. It leaves them out, at the third time at last. */
  readonly #refusing = new Set<string>();
  /** What an intent was decided on, by its attempt, and then by who promotes under it. */
  readonly #meantOn = new Map<string, ReadonlyMap<string, ReadonlyMap<NodeId, Frozen>>>();
  readonly #decidedOn = new Map<string, ReadonlyMap<NodeId, Frozen>>();
  /** Who was promoted under which epoch. */
  readonly #promoted = new Map<string, NodeId>();
  /** Until then a voter may know one that is declared as taken out, who may win nothing. */
  #membersChangeUntil = Number.NEGATIVE_INFINITY;

  constructor(view: OracleView, members: Pick<MembersOracle, "wasInSync">, findings: Findings) {
    this.#view = view;
    this.#members = members;
    this.#findings = findings;
  }

  onNode(fact: NodeFact): void {
    if (fact.kind === "executed") {
      this.#nothingOlder(fact);
      this.#underGivenEpoch(fact);
    } else if (fact.kind === "followed") this.#tokenGrows(fact);
    else if (fact.kind === "promoted" && fact.epoch !== null) {
      this.#onlyOneOfAnEpoch(fact.node, fact.by, fact.epoch);
      this.#bestOfTheFrozen(fact.node, fact.by, fact.epoch);
    } else if (fact.kind === "started") this.#tokens.delete(fact.node);
  }

  /** S5 where the host is to be stopped first: whoever is meant instead is meant when the voted-down process is out. */
  #oldPrimaryIsOut({ before, after, write }: BallotChange): void {
    if (write.name !== "record-intent" && write.name !== "commit") return;
    const was = (before ?? {}) as unknown as Partial<Ballot>;
    const is = after as unknown as Partial<Ballot>;
    const kind = is.operation?.kind;
    if (was.primary == null || this.#view.config().stopInstance !== "required") return;
    if (kind !== "failover" && kind !== "cold-start") return;
    const { node: id, runId, replicationId } = was.primary;
    const chosen = write.name === "commit" ? is.primary?.node : is.lineage?.intents.at(-1)?.node;
    const old = this.#view.nodes().find((node) => node.id === id);
    // One that a person promoted since then has begun another history.
    const isOut = old?.runId !== runId || !old.isPrimary || old.position?.stream.id !== replicationId;
    if (chosen === id || isOut) return;
    this.#findings.report("S5", `${write.name} of ${chosen} while ${id} lives, and may accept writes`);
  }

  /** Whom the voter has lost, or who has changed, it does not promote by that freeze: it freezes it again, or the next best. */
  onHeard({ by, node, reading }: Heard): void {
    for (const [key, frozen] of this.#frozen) {
      const known = frozen.get(node);
      if (known === undefined || !key.startsWith(`${by} `)) continue;
      const isAsFrozen = reading?.runId === known.runId && reading.offset === known.position.offset;
      if (!isAsFrozen) frozen.delete(node);
    }
  }

  onAnswer({ by, node, command, outcome, isLate }: Answer): void {
    if (command.kind === "promote" && outcome.kind !== "applied") {
      this.#refusing.add(`${by} ${command.epoch} ${node}`);
      this.#frozen.get(`${by} ${command.epoch}`)?.delete(node);
    }
    if (command.kind !== "freeze" || outcome.kind !== "applied" || isLate) return;
    if (this.#refusing.has(`${by} ${command.epoch} ${node}`)) return;
    const truth = this.#view.nodes().find((each) => each.id === node);
    if (truth?.position === null || truth === undefined) return;
    // It is what it was when it was frozen, unless it has been moved on since; then the answer is history already.
    if (truth.runId !== outcome.after.runId || truth.position.offset !== outcome.after.offset) return;
    const key = `${by} ${command.epoch}`;
    const frozen = this.#frozen.get(key) ?? new Map<NodeId, Frozen>();
    frozen.set(node, {
      position: truth.position,
      runId: outcome.after.runId,
      eligible: this.#isEligible(node, truth.priority, outcome),
    });
    this.#frozen.set(key, frozen);
  }

  /** Epochs begin again where the earlier or new record says; what was given before is older than all of them. */
  onReplaced(how: "restored" | "deleted"): void {
    // Epochs of repairs are on record nowhere else.
    if (how === "deleted") this.#tokens.clear();
    for (const [epoch, by] of this.#given) this.#givenBefore.set(epoch, by);
    this.#given.clear();
    this.#touched.clear();
    this.#frozen.clear();
    this.#meantOn.clear();
    this.#decidedOn.clear();
    this.#promoted.clear();
  }

  /** A voter sends an intent: what it has frozen by now is what it decides on. */
  onMeant(by: string, attempt: string): void {
    const own = [...this.#frozen].filter(([key]) => key.startsWith(`${by} `));
    this.#meantOn.set(attempt, new Map(own.map(([key, frozen]) => [key, new Map(frozen)])));
  }

  onBallot(change: BallotChange): void {
    const { write, by, before, after } = change;
    this.#oldPrimaryIsOut(change);
    if (Number(after["epoch"]) > Number(before?.["epoch"] ?? 0)) this.#given.set(Number(after["epoch"]), by);
    if (write.name !== "record-intent") return;
    const key = `${by} ${Number(after["epoch"])}`;
    this.#decidedOn.set(key, this.#meantOn.get(write.attempt.id)?.get(key) ?? new Map());
  }

  /**
   * A process that was in sync with the current primary, which it is not itself, with a known history. When the voters have found
   * that out is for the record to say; that none is recorded which never was is checked by the members' oracle.
   */
  #isEligible(node: NodeId, priority: number, outcome: Extract<NodeOutcome, { kind: "applied" }>): boolean {
    const ballot = this.#view.ballot();
    const member = ballot?.members.nodes[node];
    const { before } = outcome;
    return (
      priority > 0 &&
      !before.syncInProgress &&
      !before.loading &&
      // One that followed a primary which came back by itself holds what no record explains.
      ballot?.lineage.histories.some(({ replicationId }) => replicationId === before.replicationId) === true &&
      ballot.primary !== null &&
      ballot.primary.node !== node &&
      this.#members.wasInSync(before.runId, ballot.primary.epoch) &&
      member?.runId === before.runId &&
      member.inSyncEpoch > 0
    );
  }

  #nothingOlder(fact: Extract<NodeFact, { kind: "executed" }>): void {
    if (this.#isOfRecordBefore(fact)) {
      if (this.#touched.has(fact.node) && fact.effective)
        this.#findings.report("S4", `${fact.label} of a record that was replaced took effect on ${fact.node}`);
      return;
    }
    const touched = this.#touched.get(fact.node);
    if (touched !== undefined && fact.epoch < touched && fact.effective) {
      this.#findings.report(
        "S4",
        `${fact.label} of epoch ${fact.epoch} by ${fact.by} took effect on ${fact.node} after epoch ${touched}`,
      );
    }
    if (touched === undefined || fact.epoch > touched) this.#touched.set(fact.node, fact.epoch);
  }

  #isOfRecordBefore({ epoch, by, label }: Extract<NodeFact, { kind: "executed" }>): boolean {
    const whose = (given: ReadonlyMap<number, string>) => {
      const holder = given.get(epoch);
      return holder !== undefined && (holder === by || label === "freeze");
    };
    return !whose(this.#given) && whose(this.#givenBefore);
  }

  /** S10: who cannot reach the table begins nothing. An assistant freezes under the epoch of another. */
  #underGivenEpoch(fact: Extract<NodeFact, { kind: "executed" }>): void {
    const { node, by, epoch, label } = fact;
    if (this.#isOfRecordBefore(fact)) return;
    const holder = this.#given.get(epoch);
    if (holder !== undefined && (holder === by || label === "freeze")) return;
    const whose = holder === undefined ? "nobody" : holder;
    this.#findings.report("S10", `${label} by ${by} on ${node} under epoch ${epoch}, which the table gave to ${whose}`);
  }

  #tokenGrows(fact: Extract<NodeFact, { kind: "followed" }>): void {
    const token = epochSpelledBy(fact.address);
    if (token === null) return;
    const before = this.#tokens.get(fact.node);
    if (before !== undefined && token < before) {
      this.#findings.report("S2", `the token on ${fact.node} went from ${before} to ${token} by ${fact.by}`);
    }
    this.#tokens.set(fact.node, token);
  }

  /** S2: two histories of one epoch could not be told apart (R3). */
  #onlyOneOfAnEpoch(node: NodeId, by: string, epoch: Epoch): void {
    const key = `${by} ${epoch}`;
    const other = this.#promoted.get(key);
    if (other !== undefined && other !== node)
      this.#findings.report("S2", `${by} promoted ${node} under epoch ${epoch}, under which it had promoted ${other}`);
    this.#promoted.set(key, node);
  }

  onMembersChanged(forMs: number): void {
    const until = this.#view.now() + forMs + SPECS_READ_MS;
    this.#membersChangeUntil = Math.max(this.#membersChangeUntil, until);
  }

  #bestOfTheFrozen(node: NodeId, by: string, epoch: Epoch): void {
    if (this.#view.now() <= this.#membersChangeUntil) return;
    const ballot = this.#view.ballot();
    const promoted = this.#view.nodes().find((each) => each.id === node)?.position;
    if (promoted === null || promoted === undefined) return;
    // A rollback restores the old primary, whatever the others have; a person may name anybody.
    const restored = ballot?.primary?.node === node;
    const kind = ballot?.operation?.kind;
    if (restored || kind === "recover" || kind === "initialise") return;
    for (const [other, frozen] of this.#decidedOn.get(`${by} ${epoch}`) ?? []) {
      if (other === node || !frozen.eligible || contains(promoted, frozen.position)) continue;
      if (!contains(frozen.position, promoted)) continue;
      // What it held when it was frozen: its promotion has begun another history by now.
      const { stream } = promoted;
      const held = promoted.offset === stream.start ? (stream.base ?? promoted) : promoted;
      const behind = frozen.position.offset - held.offset;
      const tolerated = this.#view.config().offsetToleranceBytes;
      if (behind <= tolerated && frozen.position.stream === held.stream) continue;
      this.#findings.report(
        "S6",
        `${node} was promoted at ${describePosition(promoted)} though ${other} was frozen at ${describePosition(frozen.position)}`,
      );
    }
  }
}
