// The DNS records of many groups in Route 53: read, plan, change in one batch, and start again when somebody else was
// faster. Route 53 allows five requests a second to a whole account and one change at a time to a zone, so a zone is
// written by one batch after the other. What is asked meanwhile waits and shares the next one: a zone's failure moves
// hundreds of groups, and each by itself would be turned away for minutes. Being turned away is ordinary all the same:
// after each pause the records, and with them the epochs, are read anew.

import { setTimeout as sleep } from "node:timers/promises";
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import type { DnsConfig } from "../../core/config.ts";
import { messageOf, PortError, RecordFormatError } from "../../core/errors.ts";
import type { Publication } from "../../core/records.ts";
import { type Epoch, epoch } from "../../core/types.ts";
import type { PublishOutcome } from "../../ports/publisher.ts";
import { type CallLimits, call, type Failure, isNamed } from "../aws/call.ts";
import {
  bareName,
  planRecords,
  type RecordName,
  type RecordsSeen,
  readTwin,
  recordNames,
  twinName,
} from "./record-plan.ts";
import { readRecords } from "./record-reader.ts";

/** Once: what to send next is decided by what is read then. */
const CHANGE: CallLimits = { attemptTimeoutMs: 3_000, totalMs: 3_000, attempts: 1 };
const TOTAL_MS = 20_000;
const PAUSE_MS = 100;
const PAUSE_LIMIT_MS = 2_000;
/** Ten changes each at most: far below the thousand records of one batch, and small enough to be halved a few times. */
const GROUPS_PER_BATCH = 25;
/** A list may lag behind the change that it lost to; refused more often than that is a rule of the service, or a protection. */
const REFUSALS_OF_ONE = 3;
const COMMENT_LIMIT = 256;

/** One name of one publication. */
interface Order {
  readonly publication: Publication;
  readonly dns: RecordName;
  readonly deadline: number;
  readonly settle: (outcome: PublishOutcome) => void;
  /** A change whose answer was lost may have been made. */
  changed: boolean;
}

interface Planned {
  readonly order: Order;
  readonly changes: readonly Change[];
}

export class RecordQueue {
  readonly #route53: Route53Client;
  /** What waits for a zone; no entry: nobody serves it. */
  readonly #waiting = new Map<string, Order[]>();

  constructor(route53: Route53Client) {
    this.#route53 = route53;
  }

  /** Never rejects. All names of it are brought in line, whatever becomes of one of them. */
  async publish(publication: Publication, dns: DnsConfig): Promise<PublishOutcome> {
    const deadline = performance.now() + TOTAL_MS;
    const orders: Order[] = [];
    const outcomes = recordNames(dns).map(
      (name) =>
        new Promise<PublishOutcome>((settle) => {
          orders.push({ publication, dns: name, deadline, settle, changed: false });
        }),
    );
    // Together, so that they share a batch.
    const waiting = this.#waiting.get(dns.hostedZoneId);
    if (waiting !== undefined) waiting.push(...orders);
    else {
      this.#waiting.set(dns.hostedZoneId, orders);
      void this.#serve(dns.hostedZoneId);
    }
    return together(await Promise.all(outcomes));
  }

  /** The highest epoch of the TXT twins that stand, 0 when there is none. Rejects when they cannot be read. */
  async standingEpoch(dns: DnsConfig): Promise<Epoch> {
    const deadline = performance.now() + TOTAL_MS;
    const names = recordNames(dns).map(({ name }) => name);
    for (let round = 1; ; round += 1) {
      const read = await readRecords(this.#route53, dns.hostedZoneId, names);
      if (read.kind === "read") {
        const { seen } = read;
        return epoch(Math.max(...names.map((name) => epochOf(seen.get(name)?.twin ?? null, name))));
      }
      const pause = pauseMs(round);
      if (read.failure.kind === "rejected" || performance.now() + pause > deadline) {
        throw new PortError("publisher", "route53 ListResourceRecordSets", read.failure.detail, read.failure.error);
      }
      await sleep(pause);
    }
  }

  async #serve(zone: string): Promise<void> {
    for (;;) {
      const waiting = this.#waiting.get(zone) ?? [];
      const batch = ofFirstGroups(distinctNames(waiting));
      if (batch.length === 0) break;
      const rest = waiting.filter((order) => !batch.includes(order));
      this.#waiting.set(zone, rest);
      try {
        await this.#bringInLine(zone, batch, 1);
      } catch (error) {
        // Whoever waits is told of a bug too, and the next batch is served.
        settleAll(batch, { kind: "failed", detail: messageOf(error) });
      }
    }
    this.#waiting.delete(zone);
  }

  /** Ends when every one of them is settled. `refusals`: so many times this batch may be refused before it is halved. */
  async #bringInLine(zone: string, orders: readonly Order[], refusals: number): Promise<void> {
    let open = orders;
    let refused = 0;
    for (let round = 1; ; round += 1) {
      const tried = await this.#tryOnce(zone, open);
      if (tried.failure === null) return;
      const { failure } = tried;
      const isRefused = isRefusedBatch(failure);
      if (failure.kind === "rejected") refused += 1;
      open = tried.open;
      // The first time it was probably a race, and the others of the batch are as they were.
      if (open.length > 1 && failure.kind === "rejected" && (!isRefused || refused > refusals)) {
        return this.#halve(zone, open);
      }
      const isHopeless = failure.kind === "rejected" && (!isRefused || refused >= REFUSALS_OF_ONE);
      const pause = pauseMs(round);
      const isOver = (order: Order): boolean => isHopeless || performance.now() + pause > order.deadline;
      settleAll(open.filter(isOver), { kind: "failed", detail: failure.detail });
      open = open.filter((order) => !isOver(order));
      if (open.length === 0) return;
      await sleep(pause);
    }
  }

  /** Who of them is not what the others are waiting for shows in its half; each half is read anew. */
  async #halve(zone: string, orders: readonly Order[]): Promise<void> {
    const middle = Math.ceil(orders.length / 2);
    await this.#bringInLine(zone, orders.slice(0, middle), 0);
    await this.#bringInLine(zone, orders.slice(middle), 0);
  }

  /** Reads, settles those that stand or must not be changed, and changes the others; a failure, and whom it leaves open. */
  async #tryOnce(
    zone: string,
    orders: readonly Order[],
  ): Promise<{ readonly failure: null } | { readonly failure: Failure; readonly open: readonly Order[] }> {
    const names = orders.map((order) => order.dns.name);
    const read = await readRecords(this.#route53, zone, names);
    if (read.kind === "failed") return { failure: read.failure, open: orders };
    const planned = orders.flatMap((order) => plannedOrSettled(order, read.seen));
    if (planned.length === 0) return { failure: null };
    const open = planned.map(({ order }) => order);
    const groups = [...new Set(open.map(({ publication }) => publication.group))].join(" ");
    const command = new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone,
      ChangeBatch: {
        Comment: `Valkeeper ${groups}`.slice(0, COMMENT_LIMIT),
        Changes: planned.flatMap(({ changes }) => changes),
      },
    });
    const answer = await call((abortSignal) => this.#route53.send(command, { abortSignal }), CHANGE);
    if (answer.kind === "answered") {
      settleAll(open, { kind: "applied", changed: true });
      return { failure: null };
    }
    // The next look tells whether it was done.
    if (answer.failure.kind === "ambiguous") for (const order of open) order.changed = true;
    return { failure: answer.failure, open };
  }
}

function plannedOrSettled(order: Order, seen: ReadonlyMap<string, RecordsSeen>): readonly Planned[] {
  const standing = seen.get(order.dns.name) ?? { addresses: [], twin: null };
  const plan = planRecords(standing, order.publication, order.dns);
  if (plan.kind === "change") return [{ order, changes: plan.changes }];
  order.settle(plan.kind === "stands" ? { kind: "applied", changed: order.changed } : plan);
  return [];
}

/** A group's names stay together. */
function ofFirstGroups(orders: readonly Order[]): readonly Order[] {
  const groups = [...new Set(orders.map(({ publication }) => publication.group))].slice(0, GROUPS_PER_BATCH);
  return orders.filter(({ publication }) => groups.includes(publication.group));
}

/** Two publications of one name never share a batch: the second deletes what the first creates. */
function distinctNames(orders: readonly Order[]): readonly Order[] {
  const first = new Map<string, Order>();
  for (const order of orders) {
    const name = bareName(order.dns.name);
    if (!first.has(name)) first.set(name, order);
  }
  return [...first.values()];
}

function epochOf(twin: ResourceRecordSet | null, name: string): Epoch {
  if (twin === null) return epoch(0);
  const standing = readTwin(twin);
  if (standing.kind === "newer-version") {
    throw new RecordFormatError(`${twinName(name)} is of a newer version: update Valkeeper`);
  }
  return standing.kind === "order" ? standing.order.epoch : epoch(0);
}

/** The worst of them; one that was superseded tells that there is a newer publication. */
function together(outcomes: readonly PublishOutcome[]): PublishOutcome {
  const worst = (["superseded", "failed", "skipped"] as const)
    .map((kind) => outcomes.find((each) => each.kind === kind))
    .find((each) => each !== undefined);
  return worst ?? { kind: "applied", changed: outcomes.some((each) => each.kind === "applied" && each.changed) };
}

function settleAll(orders: readonly Order[], outcome: PublishOutcome): void {
  for (const order of orders) order.settle(outcome);
}

const isRefusedBatch = ({ error }: Failure): boolean => isNamed(error, "InvalidChangeBatch");

/** Slower than call.ts's: the account's five requests a second have to be there again. */
function pauseMs(round: number): number {
  const full = Math.min(PAUSE_MS * 2 ** (round - 1), PAUSE_LIMIT_MS);
  return full / 2 + (Math.random() * full) / 2;
}
