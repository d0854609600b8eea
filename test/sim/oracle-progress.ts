// S11, S12 and L2 to L4 over time: what was begun is gone on with, what is wrong and left alone has a reason, a primary
// that is lost in a world that is otherwise well is replaced within the bound, a quiet group has no lease, and attempts
// that come to nothing neither silence a living primary nor follow each other in haste. L1 is asked at the end (settled.ts).

import type { Ballot } from "../../lib/core/ballot.ts";
import type { NodeId } from "../../lib/core/types.ts";
import type { OracleConfig } from "./oracle-config.ts";
import type { Findings } from "./oracle-view.ts";
import { restMs } from "./rest.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

export interface NodeLife {
  readonly id: NodeId;
  /** Null while it has no process. */
  readonly runId: string | null;
  /** It runs, is no replica and answers: whether a write would be accepted is another question. */
  readonly serves: boolean;
  /** It runs, answers, lets itself be pointed elsewhere, and follows the dead address of some epoch. */
  readonly silenced: boolean;
  /** Its priority is not 0. */
  readonly mayWin: boolean;
}

export interface VoterLife {
  readonly id: string;
  /** It runs, and reaches the table and some node that answers, in both directions. */
  readonly able: boolean;
}

/** What the world's own truth says of how it goes; made up for the oracle's own tests. */
export interface ProgressView {
  now(): number;
  ballot(): Ballot | null;
  config(): Pick<
    OracleConfig,
    "quorum" | "downAfterMs" | "leaseMs" | "stepTimeoutMs" | "stopInstance" | "failoverBudget" | "onPossibleLoss"
  >;
  nodes(): readonly NodeLife[];
  voters(): readonly VoterLife[];
  /** Ms since anything was last done to the world; 0 while it lasts. */
  quietMs(): number;
  /** How often something was done to the world, or ended. */
  disturbances(): number;
  /** How many of these were the death of a voter, and nothing else. */
  votersLost(): number;
  /** One primary that all follow and all publish, without lease and operation. */
  settled(): boolean;
  /** Id of the order that nobody has answered yet. */
  standingOrder(): string | null;
  /** Epoch of the table's publication; 0: none. */
  publishedEpoch(): number;
  /** Epoch in SSM; null where the voters have no path to it. */
  parameterEpoch(): number | null;
  /** SSM says another address than that of the primary on record. */
  isMisnamed(): boolean;
  /** No mode, reason, service or network keeps the publisher from putting a copy back (protocol.md, section 11). */
  mayRepairCopies(): boolean;
  /** Who was meant in the operation that stands may have been promoted, and nobody can tell whether it was. */
  isInDoubt(): boolean;
  /** Reasons that a voter could give truly now. Asked at every check while the primary does not serve. */
  trueReasons(voter: string): readonly string[];
  /** Asked at every check: a slot is as old as the time since it was first seen. */
  reasons(): readonly ShownReason[];
}

/** Why nothing is done, as a voter's slot shows it. */
export interface ShownReason {
  readonly voter: string;
  readonly reason: string | null;
  /** What is seen, what would end it, and what to look at. */
  readonly detail: string;
  readonly ends: string;
  readonly check: string | null;
  readonly ageMs: number;
}

/** Beyond the lease: to see that it lapsed, to take it, and a retry of both against a table that loses answers. */
export const TAKE_OVER_MS = 6_000;
/** Beyond `downAfterMs`: a heartbeat of the slot, and its age. */
export const REASON_MS = 15_000;
/** A slot is written every five seconds. */
export const REASON_AGE_MS = 12_000;
/** "About a second" beyond `downAfterMs`. */
export const REPLACED_MS = 1_500;
/** Calm before a loss that is timed, or before a lease that nobody has a reason for. */
export const CALM_MS = 10_000;
/** The oracle looks at least as often. */
const LOOK_MS = 500;
/** Beyond the rest between two attempts. */
export const SILENCED_MS = 20_000;
/** Ten minutes, and as much as two clocks are ever apart. */
const COUNTS_SURELY_MS = 400_000;
/** To see an order, to try it for three seconds, or to see that its holder has not answered it: twice over. */
export const ORDER_MS = 12_000;
/** The publisher comes once a minute; what fails comes again within seconds. */
export const COPY_MS = 70_000;
/** Rates of clocks differ, and a holder sees its own end before the world does. */
const REST_TOLERANCE = 0.98;

interface Loss {
  readonly at: number;
  readonly epoch: number;
  readonly runId: string;
  readonly disturbances: number;
  readonly votersLost: number;
}

/** How often each bound was really asked; the one of the fence in oracle-fence.ts. */
export type Asked = Record<
  "takeOver" | "reason" | "replaced" | "rest" | "silenced" | "order" | "copy" | "fence",
  number
>;

export const NOTHING_ASKED: Readonly<Asked> = {
  takeOver: 0,
  reason: 0,
  replaced: 0,
  rest: 0,
  silenced: 0,
  order: 0,
  copy: 0,
  fence: 0,
};

export class ProgressOracle {
  /** How often each bound was really asked: a promise that is never asked is not checked. */
  readonly asked: Asked = { ...NOTHING_ASKED };
  readonly #view: ProgressView;
  readonly #findings: Findings;
  readonly #since = new Map<string, number>();
  #lease: { readonly attempt: string; readonly at: number } | null = null;
  #loss: Loss | null = null;
  #wasSettled = false;
  /** What SSM says was last written by somebody's hand. */
  #isForged = false;
  /** Whether anything goes on is only looked at now and then; an epoch that came in between tells of it. */
  #leftEpoch = 0;
  /** When automatic attempts in a row were begun that promoted nobody, and when the last of them ended. */
  #failures: readonly number[] = [];
  #endedAt = 0;
  #begunAt = 0;
  /** Process of the primary on record when the operation began. */
  #contested: string | null = null;
  /** When each voter could last give each reason truly. */
  readonly #trueAt = new Map<string, number>();
  /** When a reason that a person ends was last shown: a new invocation only finds it again after a while. */
  #leftToPersonAt = Number.NEGATIVE_INFINITY;

  constructor(view: ProgressView, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  /** Called now and then. */
  check(): void {
    const ballot = this.#view.ballot();
    const reasons = this.#view.reasons();
    this.#wordsGiven(reasons);
    // A holder that has a successor holds still as well, and the slot is the successor's.
    if (reasons.some(isForPerson) || this.#view.isInDoubt()) this.#leftToPersonAt = this.#view.now();
    if (ballot === null) {
      // None, none that can be read, or another table's: nobody may do anything with it.
      this.#since.clear();
      this.#lease = null;
      this.#wasSettled = false;
      return;
    }
    this.#goneOnWith(ballot);
    this.#reasonGiven(ballot, reasons);
    this.#replacedInTime();
    this.#notSilencedForLong(ballot, reasons);
    this.#orderAnswered(ballot);
    this.#copyPutBack();
    this.#wasSettled = this.#view.settled() && this.#view.standingOrder() === null;
  }

  onNode(fact: NodeFact): void {
    // What was sent long ago arrives late, a parked fence above all: it has to be repaired, however quiet the world was.
    if (fact.kind === "executed" && fact.effective) this.#wasSettled = false;
    // Back without a boot fence it serves what it has: whoever follows it by then has lost the rest, and is waited for.
    if (fact.kind === "started" && fact.role === "primary") this.#loss = null;
    if (fact.kind !== "ended") return;
    const ballot = this.#view.ballot();
    if (ballot?.primary == null || ballot.primary.node !== fact.node || !this.#isOtherwiseWell(ballot)) return;
    const { epoch, runId } = ballot.primary;
    const [disturbances, votersLost] = [this.#view.disturbances(), this.#view.votersLost()];
    this.#loss = { at: this.#view.now(), epoch, runId, disturbances, votersLost };
  }

  onCopy(copy: string, by: string): void {
    if (copy !== "ssm") return;
    if (this.#isForged && by !== "hand") this.asked.copy += 1;
    this.#isForged = by === "hand";
    this.#since.delete("copy");
  }

  /** Attempts that another record knew of. */
  onReplaced(): void {
    this.#failures = [];
    this.#loss = null;
  }

  onBallot({ before, after }: BallotChange): void {
    const was = operationOf(before);
    const is = operationOf(after);
    const wasUnderWay = was !== null && isAttempt(was) && !isTold(before);
    if (wasUnderWay && (is?.began !== was.began || isTold(after))) {
      // The same process in its old place is nobody promoted.
      this.#failures = runIdOf(after) === this.#contested ? [...this.#failures, this.#begunAt] : [];
      this.#endedAt = this.#view.now();
    }
    if (is === null || is.began === was?.began) return;
    this.#begun(is);
    this.#begunAt = this.#view.now();
    this.#contested = runIdOf(before);
  }

  /** How many of them surely count still: the record forgets them after ten minutes, by wall clocks that may have jumped. */
  get #failed(): number {
    const now = this.#view.now();
    return this.#failures.filter((at) => now - at < COUNTS_SURELY_MS).length;
  }

  /** For how long, in ms, `condition` has been found to hold. */
  #heldFor(name: string, condition: boolean): number {
    if (!condition) {
      this.#since.delete(name);
      return 0;
    }
    const now = this.#view.now();
    const since = this.#since.get(name) ?? now;
    this.#since.set(name, since);
    return now - since;
  }

  /** S11: a lease that its holder no longer renews is taken by a voter that could have watched it lapse. */
  #goneOnWith(ballot: Ballot): void {
    const { lease } = ballot;
    const now = this.#view.now();
    if (lease === null || lease.attempt !== this.#lease?.attempt) {
      this.#lease = lease === null ? null : { attempt: lease.attempt, at: now };
      this.#since.delete("S11");
      return;
    }
    const others = this.#view.voters().some(({ id, able }) => able && id !== lease.holder);
    const limit = lease.durationMs + TAKE_OVER_MS;
    const unrenewed = this.#heldFor("S11", others);
    if (unrenewed > lease.durationMs / 2) this.asked.takeOver += 1;
    if (unrenewed <= limit) return;
    this.#findings.report("S11", `the lease of ${lease.holder} was neither renewed nor taken over for ${unrenewed} ms`);
    this.#lease = null;
  }

  /**
   * Only telling or a repair was left, and the primary is lost by now: a failover comes next, which waits for no such
   * lease, or the reason why none does (S12).
   */
  #isOvertaken({ operation, primary }: Ballot): boolean {
    return (operation?.step === "committed" || operation?.kind === "repair") && !this.#serves(primary?.node);
  }

  #serves(id: NodeId | undefined): boolean {
    return this.#view.nodes().find((node) => node.id === id)?.serves === true;
  }

  /** S12: nothing goes on though the primary does not serve, and no voter that could, and was there for long enough, says why. */
  #reasonGiven(ballot: Ballot, reasons: readonly ShownReason[]): void {
    const { primary, lease } = ballot;
    const voters = this.#view.voters();
    const able = voters.filter((voter) => voter.able);
    const longest = Math.max(...voters.map((voter) => this.#heldFor(`able ${voter.id}`, voter.able)));
    const isLeft = lease === null || this.#isOvertaken(ballot);
    // What was gone on with between two looks is another epoch's.
    if (ballot.epoch !== this.#leftEpoch) this.#since.delete("S12");
    this.#leftEpoch = ballot.epoch;
    const leftFor = this.#heldFor("S12", primary !== null && isLeft && !this.#serves(primary.node) && able.length > 0);
    const now = this.#view.now();
    if (leftFor > 0)
      for (const { id } of able) for (const each of this.#view.trueReasons(id)) this.#trueAt.set(`${id} ${each}`, now);
    if (leftFor <= this.#view.config().downAfterMs + REASON_MS || longest <= REASON_MS) return;
    this.asked.reason += 1;
    const isTrue = ({ voter, reason }: ShownReason): boolean =>
      now - (this.#trueAt.get(`${voter} ${reason}`) ?? Number.NEGATIVE_INFINITY) <= REASON_AGE_MS;
    const said = reasons.filter(({ voter, reason, ageMs }) => {
      return reason !== null && ageMs <= REASON_AGE_MS && able.some(({ id }) => id === voter);
    });
    if (said.some(isTrue)) return;
    const why = said.map(({ voter, reason, detail }) => `${voter} says ${reason} (${detail})`).join(", ");
    const what = why === "" ? "nobody says why" : `no reason is true: ${why}`;
    this.#findings.report("S12", `${primary?.node} has not served for ${leftFor} ms, nothing goes on, and ${what}`);
  }

  /** One that stands beside no operation is begun or answered, by any voter that could (protocol.md, section 10). */
  #orderAnswered({ primary, lease, operation }: Ballot): void {
    const order = this.#view.standingOrder();
    const isLeft = primary !== null && lease === null && operation === null;
    const isAble = this.#view.voters().some(({ able }) => able);
    const name = `order ${order}`;
    const leftFor = this.#heldFor(name, order !== null && isLeft && isAble);
    if (leftFor > 0 && leftFor <= LOOK_MS) this.asked.order += 1;
    if (leftFor <= ORDER_MS) return;
    this.#findings.report("orders", `${order} was neither begun nor answered for ${leftFor} ms`);
    this.#since.delete(name);
  }

  /** L1: what somebody wrote over the parameter is put back by the publisher's next round. */
  #copyPutBack(): void {
    const isOwed = this.#isForged && this.#view.isMisnamed() && this.#view.mayRepairCopies();
    const stoodFor = this.#heldFor("copy", isOwed);
    if (stoodFor <= COPY_MS) return;
    this.#findings.report("L1", `SSM names what somebody wrote there for ${stoodFor} ms`);
    this.#isForged = false;
  }

  #isOtherwiseWell(ballot: Ballot): boolean {
    const { lease, armed, control, members, primary, budget } = ballot;
    const view = this.#view;
    const { failoverBudget, onPossibleLoss } = view.config();
    // A stop takes its own time, which is no promise of ours.
    if (view.config().stopInstance !== "off") return false;
    if (lease !== null || !armed || control.mode !== "act" || view.standingOrder() !== null || !this.#wasSettled)
      return false;
    if (view.quietMs() < CALM_MS || this.#hasNoQuorum() || budget.some(({ promoted }) => !promoted)) return false;
    if (budget.length >= (failoverBudget === 0 ? view.nodes().length : failoverBudget)) return false;
    const others = view.nodes().filter(({ id }) => id !== primary?.node);
    // Where loss is refused, one that may not win stands in the way of all who have less.
    if (onPossibleLoss === "refuse" ? !others.every(({ mayWin }) => mayWin) : !others.some(({ mayWin }) => mayWin))
      return false;
    return view.nodes().every(({ id, runId }) => {
      const member = members.nodes[id];
      return (
        id === primary?.node || (runId !== null && member?.runId === runId && member.inSyncEpoch === primary?.epoch)
      );
    });
  }

  #hasNoQuorum(): boolean {
    return this.#view.voters().filter(({ able }) => able).length < this.#view.config().quorum;
  }

  /** S12: what a reason is made of. */
  #wordsGiven(reasons: readonly ShownReason[]): void {
    for (const { voter, reason, detail, ends, check } of reasons) {
      if (reason === null) continue;
      const lacks = detail === "" ? "is seen" : ends === "" ? "would end it" : check === "" ? "to look at" : null;
      if (lacks !== null) this.#findings.report("S12", `${voter} says ${reason}, and not what ${lacks}`);
    }
  }

  /** L2: the bound, where nothing else was done to the world but to a voter that may have been the winner. */
  #replacedInTime(): void {
    const loss = this.#loss;
    if (loss === null) return;
    const view = this.#view;
    const parameter = view.parameterEpoch();
    const published = view.publishedEpoch() > loss.epoch && (parameter === null || parameter > loss.epoch);
    const votersLost = view.votersLost() - loss.votersLost;
    const isDisturbed = view.disturbances() - loss.disturbances !== votersLost || this.#hasNoQuorum();
    const passed = view.now() - loss.at;
    const { downAfterMs, leaseMs } = view.config();
    if (published) this.asked.replaced += 1;
    if (published || isDisturbed) this.#loss = null;
    else if (passed > downAfterMs + REPLACED_MS + votersLost * (leaseMs + REPLACED_MS)) {
      this.#findings.report("L2", `the primary of epoch ${loss.epoch} is gone and was not replaced for ${passed} ms`);
      this.#loss = null;
    }
  }

  /**
   * L4: the committed process lives and is frozen: for no longer than the rest that is owed while nobody is at it, and,
   * whoever is at it, than that rest and one attempt with one lapse of its lease.
   */
  #notSilencedForLong({ primary, lease, control, armed }: Ballot, reasons: readonly ShownReason[]): void {
    const { stepTimeoutMs, leaseMs, downAfterMs } = this.#view.config();
    const node = this.#view.nodes().find(({ id }) => id === primary?.node);
    const isFree = control.mode === "act" && armed && !this.#hasNoQuorum() && this.#view.quietMs() > 0;
    // One that follows is measured afresh; so is one that a person has to decide about.
    const isOurs = this.#view.now() - this.#leftToPersonAt > downAfterMs + REASON_MS;
    const isSilenced = node?.silenced === true && node.runId === primary?.runId && isFree && isOurs;
    const unattended = this.#heldFor("L4", isSilenced && lease === null);
    const silenced = this.#heldFor(`L4 ${primary?.runId}`, isSilenced);
    if (silenced > 0 && silenced <= LOOK_MS) this.asked.silenced += 1;
    const leftMs = restMs(this.#failed) + SILENCED_MS;
    const mostMs = leftMs + stepTimeoutMs + leaseMs + TAKE_OVER_MS;
    if (unattended <= leftMs && silenced <= mostMs) return;
    const shown = reasons.map(({ reason }) => reason ?? "none").join(", ");
    const detail = unattended > leftMs ? `was left so for ${unattended} ms` : `stays so for ${silenced} ms of attempts`;
    this.#findings.report("L4", `${node?.id} lives, is frozen, and ${detail} (${shown})`);
    this.#since.clear();
  }

  #begun(operation: StoredOperation): void {
    const view = this.#view;
    if (
      this.#wasSettled &&
      view.quietMs() >= CALM_MS &&
      view.standingOrder() === null &&
      operation.by === "automatic"
    ) {
      this.#findings.report("L3", `${operation.kind} of epoch ${operation.began} began in a quiet group`);
    }
    if (!isAttempt(operation) || this.#failed === 0) return;
    const rested = view.now() - this.#endedAt;
    this.asked.rest += 1;
    if (rested >= restMs(this.#failed) * REST_TOLERANCE) return;
    this.#findings.report(
      "L4",
      `after ${this.#failed} attempts that promoted nobody the next began ${Math.round(rested)} ms later`,
    );
  }
}

const isForPerson = ({ reason }: ShownReason): boolean =>
  reason === "unexplained-primary" || reason === "unknown-history";

interface StoredOperation {
  readonly kind: string;
  readonly by: string;
  readonly began: number;
  readonly step?: string;
}

const operationOf = (item: BallotChange["before"]): StoredOperation | null =>
  (item?.["operation"] ?? null) as StoredOperation | null;

/** It made its primary and has only to tell of it, for which a later one does not wait. */
const isTold = (item: BallotChange["before"]): boolean => {
  const operation = operationOf(item);
  const primary = (item?.["primary"] ?? null) as { readonly epoch: number } | null;
  return operation?.step === "committed" && primary !== null && primary.epoch >= operation.began;
};

const isAttempt = ({ kind, by }: StoredOperation): boolean =>
  by === "automatic" && (kind === "failover" || kind === "switchover" || kind === "cold-start");

const runIdOf = (item: BallotChange["before"]): string | null =>
  ((item?.["primary"] ?? null) as { readonly runId: string } | null)?.runId ?? null;
