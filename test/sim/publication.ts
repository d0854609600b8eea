// SSM and Route 53 of a simulated region, the Publisher port over them, and the publisher function that repairs what a
// winner could not finish. SSM is overwritten blindly and read back; Route 53 takes exact-match batches only.

import type { GroupConfig } from "../../lib/core/config.ts";
import type { Publication, PublicationTarget } from "../../lib/core/records.ts";
import { type Address, type Epoch, epoch, type GroupName } from "../../lib/core/types.ts";
import type { PublicationStore } from "../../lib/ports/group-store.ts";
import type { Publisher, PublishOutcome, Standing } from "../../lib/ports/publisher.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Eventual } from "./eventual.ts";
import type { Network, Place } from "./network.ts";
import type { Sandbox } from "./sandbox.ts";
import { precedes } from "./table.ts";

export type Copy = "ssm" | "dns";

/** `ssm`'s topology carries its order; its `primary` is text for people. `dns`'s order is the TXT twin's. */
export interface StandingCopy {
  readonly epoch: Epoch;
  readonly revision: number;
  readonly primary: Address;
}

/** Rates are per request; shared by all users and changed by faults. */
export interface PublicationWeather {
  failRate: number;
  lostAnswerRate: number;
  slowMs: number;
}

const REQUEST_MS: Readonly<Record<Copy, readonly [number, number]>> = { ssm: [5, 20], dns: [20, 60] };
/** A request that gets no answer. */
const TIMEOUT_MS = 1_500;
const ROUNDS = 4;

/** What stands in the region. */
export class Copies {
  readonly places: Readonly<Record<Copy, Place>> = {
    ssm: { name: "ssm", zone: null },
    dns: { name: "dns", zone: null },
  };
  onChange: (copy: Copy, group: GroupName, standing: StandingCopy | null, by: string) => void = () => {};
  readonly #standing = new Map<string, StandingCopy>();

  read(copy: Copy, group: GroupName): StandingCopy | null {
    return this.#standing.get(`${copy} ${group}`) ?? null;
  }

  /** PutParameter: whoever comes last wins. */
  overwrite(copy: Copy, group: GroupName, value: StandingCopy | null, by: string): void {
    if (value === null) this.#standing.delete(`${copy} ${group}`);
    else this.#standing.set(`${copy} ${group}`, value);
    this.onChange(copy, group, value, by);
  }

  /** DELETE of exactly what was read and CREATE of the new, in one batch; false when something else stands. */
  exchange(group: GroupName, expected: StandingCopy | null, value: StandingCopy, by: string): boolean {
    const standing = this.read("dns", group);
    if (!same(standing, expected)) return false;
    this.overwrite("dns", group, value, by);
    return true;
  }
}

const same = (left: StandingCopy | null, right: StandingCopy | null): boolean =>
  left === right ||
  (left !== null &&
    right !== null &&
    left.epoch === right.epoch &&
    left.revision === right.revision &&
    left.primary.host === right.primary.host &&
    left.primary.port === right.primary.port);

export interface PublisherUser {
  readonly place: Place;
  readonly sandbox: Sandbox;
  /** It has a path to SSM and Route 53; otherwise the publisher function has to do it. */
  readonly direct: boolean;
}

export interface SimPublisherOptions {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly copies: Copies;
  readonly weather: PublicationWeather;
  readonly store: PublicationStore;
  readonly user: PublisherUser;
  readonly dice: Dice;
}

const FAILED = (detail: string): PublishOutcome => ({ kind: "failed", detail });

export class SimPublisher implements Publisher {
  readonly #options: SimPublisherOptions;

  constructor(options: SimPublisherOptions) {
    this.#options = options;
  }

  publish(target: PublicationTarget, publication: Publication, config: GroupConfig): PromiseLike<PublishOutcome> {
    const result = this.#options.queue.eventual<PublishOutcome>();
    if (target === "table") this.#publishItem(publication, result);
    else if (!this.#options.user.direct) this.#soon(result, { kind: "skipped", detail: "left to the publisher" });
    else if (!isConfigured(target, config)) this.#soon(result, { kind: "skipped", detail: "not configured" });
    else if (target === "ssm") this.#publishParameters(publication, false, 1, result);
    else this.#publishRecords(publication, 1, result);
    return result;
  }

  standing(config: GroupConfig): PromiseLike<Standing> {
    const { queue, store, copies, user } = this.#options;
    const result = queue.eventual<Standing>();
    store.readPublication(config.name).then(
      (published) => {
        const known = (["ssm", "dns"] as const).map((copy) => (user.direct ? copies.read(copy, config.name) : null));
        const highest = Math.max(published?.epoch ?? 0, ...known.map((each) => each?.epoch ?? 0));
        // One deployment: whose the parameters are is never in question here.
        result.settle({ epoch: epoch(highest), table: null });
      },
      (error: unknown) => result.fail(error),
    );
    return result;
  }

  #publishItem(publication: Publication, result: Eventual<PublishOutcome>): void {
    const { store } = this.#options;
    const failed = () => result.settle(FAILED("the table did not answer"));
    store.writePublication(publication).then((written) => {
      if (written) {
        result.settle({ kind: "applied", changed: true });
        return;
      }
      store.readPublication(publication.group).then((standing) => {
        if (standing === null) result.settle(FAILED("the group was removed meanwhile"));
        else if (precedes(publication, standing)) result.settle({ kind: "superseded", detail: `${standing.epoch}` });
        else if (sameText(standing, publication)) result.settle({ kind: "applied", changed: false });
        else result.settle(FAILED("the table says something else of this epoch"));
      }, failed);
    }, failed);
  }

  /** Reads, puts what differs, reads back: another publisher may have written between. */
  #publishParameters(
    publication: Publication,
    changed: boolean,
    round: number,
    result: Eventual<PublishOutcome>,
  ): void {
    const { copies } = this.#options;
    const { group } = publication;
    if (round > ROUNDS) {
      result.settle(FAILED("the parameter is being overwritten by others"));
      return;
    }
    const value = copyOf(publication);
    this.#request(
      "ssm",
      () => copies.read("ssm", group),
      (standing) => {
        if (standing !== null && precedes(publication, standing)) {
          result.settle({ kind: "superseded", detail: `epoch ${standing.epoch}` });
        } else if (same(standing, value)) {
          this.#confirm("ssm", publication, changed, result);
        } else {
          this.#request(
            "ssm",
            () => copies.overwrite("ssm", group, value, this.#options.user.place.name),
            () => this.#publishParameters(publication, true, round + 1, result),
            result,
          );
        }
      },
      result,
    );
  }

  #publishRecords(publication: Publication, round: number, result: Eventual<PublishOutcome>): void {
    const { copies, user } = this.#options;
    const { group } = publication;
    const value = copyOf(publication);
    if (round > ROUNDS) {
      result.settle(FAILED("the record is being changed by others"));
      return;
    }
    this.#request(
      "dns",
      () => copies.read("dns", group),
      (standing) => {
        if (standing !== null && precedes(publication, standing)) {
          result.settle({ kind: "superseded", detail: `epoch ${standing.epoch}` });
        } else if (same(standing, value)) {
          this.#confirm("dns", publication, round > 1, result);
        } else {
          this.#request(
            "dns",
            () => copies.exchange(group, standing, value, user.place.name),
            () => this.#publishRecords(publication, round + 1, result),
            result,
          );
        }
      },
      result,
    );
  }

  #confirm(copy: Copy, publication: Publication, changed: boolean, result: Eventual<PublishOutcome>): void {
    const { group, epoch: of, revision, at } = publication;
    const done = () => result.settle({ kind: "applied", changed });
    if (!changed) done();
    else this.#options.store.writeCopies(group, { [copy]: { epoch: of, revision, at } }).then(done, done);
  }

  /** One request to a service: may fail, may be carried out without an answer. */
  #request<T>(copy: Copy, act: () => T, then: (value: T) => void, result: Eventual<PublishOutcome>): void {
    const { queue, network, copies, weather, user, dice } = this.#options;
    const { sandbox } = user;
    const there = network.path(user.place, copies.places[copy]);
    let isOver = false;
    const timer = queue.after(TIMEOUT_MS, () =>
      sandbox.ring(() => {
        if (!isOver) result.settle(FAILED(`${copy} did not answer`));
        isOver = true;
      }),
    );
    queue.after(there.latencyMs() + dice.between(...REQUEST_MS[copy]) + dice.between(0, weather.slowMs), () => {
      if (there.cut) return;
      const failed = dice.chance(weather.failRate);
      const value = failed ? null : act();
      if (dice.chance(weather.lostAnswerRate)) return;
      sandbox.deliver(() => {
        if (isOver) return;
        isOver = true;
        timer.cancelled = true;
        if (failed) result.settle(FAILED(`${copy} is throttled`));
        else then(value as T);
      });
    });
  }

  #soon(result: Eventual<PublishOutcome>, outcome: PublishOutcome): void {
    this.#options.queue.after(0, () => this.#options.user.sandbox.deliver(() => result.settle(outcome)));
  }
}

const isConfigured = (target: Copy, { publication }: GroupConfig): boolean =>
  target === "ssm" ? publication.parameterPrefix !== null : publication.dns !== null;

const copyOf = ({ epoch: of, revision, primary }: Publication): StandingCopy => ({
  epoch: of,
  revision,
  primary: primary.address,
});

function sameText(left: Publication, right: Publication): boolean {
  const text = ({ epoch: of, revision, primary, replicas }: Publication) =>
    JSON.stringify([of, revision, primary, replicas]);
  return text(left) === text(right);
}
