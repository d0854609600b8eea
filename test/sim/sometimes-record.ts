// Situations that show in the ballot: who took what from whom, and what was refused because another had been first.

import type { BallotWrite, Item, Json } from "../../lib/core/ballot-write.ts";
import type { NodeId, VoterId } from "../../lib/core/types.ts";
import type { BallotChange, BallotRefusal } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";
import type { World } from "./world.ts";

export const RECORD_SITUATIONS = [
  "the lease lapses before an intent",
  "the lease lapses mid-promote",
  "the lease lapses mid-roll-back",
  "the lease lapses while telling",
  "two holders alive",
  "a promoted candidate is committed by another voter",
  "a failover over a repair",
  "a failover while the one before is still telling",
  "a second intent in one operation",
  "an intent under each of two epochs of one operation",
  "a roll back is begun",
  "a roll back is taken to its end",
  "an attempt ends without a commit",
  "a switchover becomes a failover",
  "a primary that cannot write is switched away from",
  "a cold start",
  "a repair",
  "an order is begun",
  "a failover by order",
  "a failover on three of five votes",
  "a primary changes its replication id",
  "paused in the middle of an operation",
  "a replica is set aside",
  "a replica is let in again",
  "two invocations of one voter vote",
  "a vote is retracted",
  "two voters contend for a grant",
  "two voters contend for a take-over",
  "a stale holder's write is refused",
  "a vote that came late is refused",
  "an own write is met again",
  "an attempt after one that promoted nobody",
  "an attempt after two that promoted nobody",
] as const;

export type RecordSituation = (typeof RECORD_SITUATIONS)[number];

interface StoredOperation {
  readonly kind: string;
  readonly step: string;
  readonly by: string;
  readonly began: number;
}

interface StoredPrimary {
  readonly node: NodeId;
  readonly epoch: number;
  readonly runId: string;
}

interface StoredVote {
  readonly level: string;
  readonly node: NodeId;
  readonly epoch: number;
  readonly generation: number;
  readonly seq: number;
}

const valueIn = (write: BallotWrite, attribute: string | undefined): Json =>
  write.changes.find(({ path }) => path.length === 1 && path[0] === attribute)?.value ?? null;

/** Which epoch the write would have given. */
const epochIn = (write: BallotWrite): number => Number(valueIn(write, "epoch"));

/** A larger vote of the same voter stands. */
function isLate(write: BallotWrite, before: Item | null): boolean {
  const [attribute] = write.attempt.path;
  const mine = valueIn(write, attribute) as unknown as StoredVote | null;
  const standing = (before?.[attribute] ?? null) as unknown as StoredVote | null;
  if (mine === null || standing === null) return false;
  return standing.generation > mine.generation || (standing.generation === mine.generation && standing.seq >= mine.seq);
}

/** The voter's *down* for the primary on record stands. */
function isDown(item: Item | null, voter: string): boolean {
  const vote = (item?.[`vote_${voter}`] ?? null) as unknown as StoredVote | null;
  const primary = primaryOf(item);
  return vote?.level === "down" && vote.node === primary?.node && vote.epoch === primary?.epoch;
}

const isAttempt = ({ kind, by }: StoredOperation): boolean => by === "automatic" && kind !== "repair";

const operationOf = (item: Item | null) => (item?.["operation"] ?? null) as StoredOperation | null;
const primaryOf = (item: Item | null) => (item?.["primary"] ?? null) as StoredPrimary | null;
const leaseOf = (item: Item | null) =>
  (item?.["lease"] ?? null) as { readonly holder: string; readonly generation: number } | null;

interface StoredMembers {
  readonly nodes: Readonly<Record<NodeId, { readonly aside?: boolean }>>;
}

function asideIn(item: Item | null): readonly string[] {
  const { nodes = {} } = (item?.["members"] ?? {}) as unknown as Partial<StoredMembers>;
  return Object.entries(nodes).flatMap(([id, member]) => (member.aside === true ? [id] : []));
}

const LAPSES: Readonly<Record<string, RecordSituation>> = {
  begun: "the lease lapses before an intent",
  intended: "the lease lapses mid-promote",
  restoring: "the lease lapses mid-roll-back",
  committed: "the lease lapses while telling",
};

export class RecordSituations {
  readonly #world: World;
  readonly #met: (situation: RecordSituation) => void;
  /** Epochs under which the operation has recorded intents. */
  #intents: number[] = [];
  #isRollingBack = false;
  /** Automatic attempts in a row that ended with the process as primary that had been it before. */
  #failed = 0;
  #contested: string | null = null;
  /** By whom each node was promoted in the operation that stands. */
  readonly #promotedBy = new Map<NodeId, string>();
  /** Invocations by voter and generation, as the slots named them. */
  readonly #owners = new Map<string, string>();
  /** The write that gave the last epoch. */
  #given: { readonly name: string; readonly epoch: number; readonly by: string } | null = null;
  #lastHolder: string | null = null;

  constructor(world: World, met: (situation: RecordSituation) => void) {
    this.#world = world;
    this.#met = met;
  }

  onNode(fact: NodeFact): void {
    if (fact.kind === "promoted") this.#promotedBy.set(fact.node, fact.by);
  }

  onBallot(change: BallotChange): void {
    const was = operationOf(change.before);
    const is = operationOf(change.after);
    this.#remember(change);
    if (was !== null && isAttempt(was) && is?.began !== was.began)
      this.#failed = primaryOf(change.after)?.runId === this.#contested ? this.#failed + 1 : 0;
    if (is !== null && is.began !== was?.began) {
      this.#contested = primaryOf(change.before)?.runId ?? null;
      this.#begun(is, was);
      if (is.kind === "failover" && isAttempt(is)) this.#elected(change.before);
    }
    switch (change.write.name) {
      case "take-over":
        return this.#takenOver(change, was);
      case "record-intent":
        return this.#intended(change, is);
      case "commit":
        this.#committed(change);
        return this.#decided(change);
      case "record-restored":
        return this.#decided(change);
      case "finish":
        return this.#finished(change, was);
      case "change-kind":
        return this.#met("a switchover becomes a failover");
      case "enter-replication-id":
        return this.#met("a primary changes its replication id");
      case "set-control":
        if (was !== null) this.#met("paused in the middle of an operation");
        return;
      case "update-members":
        return this.#readersChanged(change);
      case "cast-vote":
        this.#voted(change);
    }
  }

  onRefusal({ write, before, by, kind }: BallotRefusal): void {
    if (kind === "echo") return this.#met("an own write is met again");
    const isBeaten = this.#given?.name === write.name && this.#given.by !== by && this.#given.epoch === epochIn(write);
    if (write.name === "grant" && isBeaten) this.#met("two voters contend for a grant");
    if (write.name === "take-over" && isBeaten) this.#met("two voters contend for a take-over");
    if (write.name === "cast-vote" && isLate(write, before)) this.#met("a vote that came late is refused");
    if (UNDER_LEASE.includes(write.name) && this.#lastHolder !== null && `voter:${this.#lastHolder}` !== by)
      this.#met("a stale holder's write is refused");
  }

  #remember({ write, before, after, by }: BallotChange): void {
    for (const { voter, generation, owner } of this.#world.table.slots.values())
      this.#owners.set(`${voter}/${generation}`, owner);
    const epoch = Number(after["epoch"]);
    if (epoch !== Number(before?.["epoch"])) this.#given = { name: write.name, epoch, by };
    this.#lastHolder = leaseOf(after)?.holder ?? this.#lastHolder;
  }

  #readersChanged({ before, after }: BallotChange): void {
    const [was, is] = [asideIn(before), asideIn(after)];
    if (is.some((id) => !was.includes(id))) this.#met("a replica is set aside");
    if (was.some((id) => !is.includes(id))) this.#met("a replica is let in again");
  }

  #begun(is: StoredOperation, was: StoredOperation | null): void {
    this.#intents = [];
    this.#promotedBy.clear();
    this.#isRollingBack = false;
    if (was?.kind === "repair") this.#met("a failover over a repair");
    else if (was?.step === "committed") this.#met("a failover while the one before is still telling");
    if (isAttempt(is) && this.#failed > 0) this.#met("an attempt after one that promoted nobody");
    if (isAttempt(is) && this.#failed > 1) this.#met("an attempt after two that promoted nobody");
    const isAutomatic = is.by === "automatic";
    if (is.kind === "repair") this.#met("a repair");
    if (is.kind === "cold-start") this.#met("a cold start");
    if (is.kind === "switchover" && isAutomatic) this.#met("a primary that cannot write is switched away from");
    if (!isAutomatic) this.#met("an order is begun");
    if (is.kind === "failover" && !isAutomatic) this.#met("a failover by order");
  }

  #elected(before: Item | null): void {
    const standing = this.#world.zones.filter((zone) => isDown(before, zone));
    if (this.#world.zones.length === 5 && standing.length === 3) this.#met("a failover on three of five votes");
  }

  #takenOver({ before, by }: BallotChange, was: StoredOperation | null): void {
    const lapse = LAPSES[was?.step ?? ""];
    if (lapse !== undefined) this.#met(lapse);
    const lease = leaseOf(before);
    if (lease === null || `voter:${lease.holder}` === by) return;
    const owner = this.#owners.get(`${lease.holder}/${lease.generation}`);
    const invocations = [...(this.#world.voters.get(lease.holder as VoterId)?.invocations ?? [])];
    // The very invocation that held it: a successor of its voter never did.
    if (invocations.some(({ name, sandbox }) => name === owner && sandbox.alive)) this.#met("two holders alive");
  }

  #committed({ before, after, by }: BallotChange): void {
    const primary = primaryOf(after);
    if (primary === null || primary.node === primaryOf(before)?.node) return;
    const promotedBy = this.#promotedBy.get(primary.node);
    if (promotedBy !== undefined && promotedBy !== by) this.#met("a promoted candidate is committed by another voter");
  }

  #intended({ after }: BallotChange, is: StoredOperation | null): void {
    const epoch = Number(after["epoch"]);
    if (this.#intents.includes(epoch)) this.#met("a second intent in one operation");
    else if (this.#intents.length > 0) this.#met("an intent under each of two epochs of one operation");
    this.#intents.push(epoch);
    if (is?.step === "restoring") {
      this.#met("a roll back is begun");
      this.#isRollingBack = true;
    }
  }

  #decided({ before, after }: BallotChange): void {
    const isSame = primaryOf(before)?.runId === primaryOf(after)?.runId;
    if (this.#isRollingBack && isSame) this.#met("a roll back is taken to its end");
  }

  #finished({ after }: BallotChange, was: StoredOperation | null): void {
    if (was?.kind === "failover" && (primaryOf(after)?.epoch ?? 0) < was.began)
      this.#met("an attempt ends without a commit");
  }

  #voted({ write, before, after }: BallotChange): void {
    const [attribute] = write.attempt.path;
    if (attribute === undefined) return;
    const was = (before?.[attribute] ?? null) as StoredVote | null;
    const is = after[attribute] as unknown as StoredVote;
    if (was !== null && was.level !== "clear" && is.level === "clear") this.#met("a vote is retracted");
    if (was !== null && was.level !== "clear" && is.generation > was.generation)
      this.#met("two invocations of one voter vote");
  }
}

const UNDER_LEASE = ["renew", "record-intent", "commit", "record-restored", "change-kind", "finish"];
