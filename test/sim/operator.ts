// The person of the runbook (docs/operations.md): where voters say that only a person can go on, looks what each node
// holds and orders `groups recover` for the one whose data counts. In worlds where somebody put a person in charge: after
// a table was restored, or a record replaced. Where the budget of replacements is spent, orders a failover.

import { attemptId, type NodeId, wallTime } from "../../lib/core/types.ts";
import { setControl } from "../../lib/core/writes.ts";
import { BEGINNING } from "./clock.ts";
import { GROUP } from "./group.ts";
import { waitsForPerson } from "./settled.ts";
import { contains } from "./stream.ts";
import type { SimNode } from "./valkey.ts";
import type { World } from "./world.ts";

const LOOKS_EVERY_MS = 1_000;
/** As long has a reason to stand before it is acted on. */
const THINKS_MS = 4_000;
const TTL_MS = 60_000;
/** An order that came to nothing is given again after this. */
const AGAIN_MS = 20_000;

/** What ends by itself, or by another order than `groups recover`. */
const OTHERWISE: readonly string[] = ["not-armed", "misconfigured"];

export class Operator {
  readonly #world: World;
  #isOnDuty = false;
  #since: number | null = null;
  #orders = 0;
  #actedAt: number | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  /** When the last order was given; null: none was. */
  get actedAt(): number | null {
    return this.#actedAt;
  }

  takeOver(): void {
    if (this.#isOnDuty) return;
    this.#isOnDuty = true;
    this.#look();
  }

  #look(): void {
    const { queue, table } = this.#world;
    queue.after(LOOKS_EVERY_MS, () => this.#look());
    const standing = table.requests.get(GROUP);
    const waits = standing !== undefined && standing.result === null && standing.expiresAt > this.#wall();
    if (waits || !this.#isAsked()) {
      this.#since = null;
      return;
    }
    this.#since ??= queue.now;
    if (queue.now - this.#since < THINKS_MS) return;
    this.#since = null;
    this.#recover();
  }

  /** What is left to wait for although a person looks after the group. */
  leaves(waits: readonly string[]): readonly string[] {
    return this.#isOnDuty ? waits.filter((each) => OTHERWISE.includes(each)) : waits;
  }

  #isAsked(): boolean {
    const slots = [...this.#world.table.slots.values()];
    const isForeign = slots.some((slot) => slot.groups[GROUP]?.rejection?.reason === "foreign-table");
    return isForeign || waitsForPerson(this.#world).some((each) => !OTHERWISE.includes(each));
  }

  #recover(): void {
    const target = bestOf([...this.#world.fleet.nodes.values()]);
    if (target === null) return;
    this.#resume();
    this.#order("recover", target.id);
  }

  /** Instead of waiting for ten minutes: the budget of replacements is spent, and somebody could be promoted. */
  failOver(): void {
    const standing = this.#world.table.requests.get(GROUP);
    if (standing?.result === null && standing.expiresAt > this.#wall()) return;
    if (this.#world.queue.now - (this.#actedAt ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS) this.#order("failover", null);
  }

  #order(kind: "recover" | "failover", target: NodeId | null): void {
    this.#orders += 1;
    this.#actedAt = this.#world.queue.now;
    const now = this.#wall();
    const acceptDataLoss = kind === "recover";
    const order = { kind: "request", request: kind, target, acceptDataLoss } as const;
    const hits = target === null ? [] : [target];
    this.#world.timeline?.add({ kind: "fault", fault: order, hits }, "by the person in charge");
    this.#world.table.writeRequest(
      GROUP,
      {
        schema: 1,
        id: `${kind}-${this.#orders}`,
        kind,
        target,
        by: "operator",
        reason: "docs/operations.md",
        acceptDataLoss,
        askedAt: now,
        expiresAt: wallTime(now + TTL_MS),
        result: null,
      },
      now,
    );
  }

  /** A restored record may say what was in force when it was copied, and the order before this one was refused for it. */
  #resume(): void {
    const ballot = this.#world.ballot();
    const isRefused = this.#world.table.requests.get(GROUP)?.result?.detail.includes("resume it first") === true;
    if (ballot === null || !isRefused) return;
    const attempt = attemptId(`resume-${this.#orders}`);
    const control = { mode: "act", by: "operator", reason: "docs/operations.md", until: null, attempt } as const;
    this.#world.table.writeBallot(setControl(ballot, control), "operator");
  }

  #wall() {
    return wallTime(BEGINNING + Math.floor(this.#world.queue.now));
  }
}

/** Who answers and lacks nothing that another has; among those that have parted, a serving primary. */
function bestOf(nodes: readonly SimNode[]): SimNode | null {
  const answering = nodes.filter(({ process }) => process !== null && !process.stalled && !process.loading);
  const order = (one: SimNode, other: SimNode): number => {
    const [a, b] = [one.process?.position, other.process?.position];
    if (a == null || b == null) return 0;
    const [aHasAll, bHasAll] = [contains(a, b), contains(b, a)];
    if (aHasAll !== bHasAll) return aHasAll ? -1 : 1;
    return Number(other.process?.follows === null) - Number(one.process?.follows === null);
  };
  return answering.toSorted(order)[0] ?? null;
}
