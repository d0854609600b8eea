// Who reaches whom, how fast, and what becomes of what was sent while nobody could. Everything is per direction. A cut
// loses packets, not connections: what was sent on an open one arrives by TCP's retransmission after the cut ends.

import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";

/** An end of a path: a voter, a node, a client, or a service of the region (zone null), which a zone's cut does not touch. */
export interface Place {
  readonly name: string;
  readonly zone: string | null;
}

/**
 * Which places a rule is about: a name (`node:n1`), everything of a kind (`node:*`), a zone (`zone:az-a`), everything in
 * any other zone (`outside:az-a`), or `*`.
 */
export type Selector = string;

export interface Rule {
  readonly from: Selector;
  readonly to: Selector;
  readonly effect: Effect;
}

export type Effect =
  | { readonly kind: "cut" }
  | { readonly kind: "slow"; readonly extraMs: number }
  /** A lost packet costs TCP's retransmission time-out. */
  | { readonly kind: "lossy"; readonly rate: number }
  /** What is sent again may be lost again, after a time-out that doubles; the first packet of a connection waits longest. */
  | { readonly kind: "drops"; readonly rate: number };

/** TCP's smallest retransmission time-out, and that of a connection's first packet each way. */
export const RETRANSMISSION_MS = 200;
export const HANDSHAKE_RETRANSMISSION_MS = 1_000;
const SAME_ZONE_MS = [0.05, 0.2] as const;
const OTHER_ZONE_MS = [0.25, 0.8] as const;
const REGION_MS = [0.5, 1.2] as const;
const JITTER_MS = 1.5;

/** One direction between two places. */
export class Path {
  readonly from: Place;
  readonly to: Place;
  readonly queue: EventQueue;
  readonly #dice: Dice;
  readonly #baseMs: number;
  readonly #waiting = new Set<Channel>();
  #cut = false;
  #cutAt = 0;
  #extraMs = 0;
  #lossRate = 0;
  #dropRate = 0;

  constructor(from: Place, to: Place, queue: EventQueue, dice: Dice) {
    this.from = from;
    this.to = to;
    this.queue = queue;
    this.#dice = dice;
    const range =
      from.zone === null || to.zone === null ? REGION_MS : from.zone === to.zone ? SAME_ZONE_MS : OTHER_ZONE_MS;
    this.#baseMs = dice.between(range[0], range[1]);
  }

  get cut(): boolean {
    return this.#cut;
  }

  /** Packets are lost on it. */
  get isUnreliable(): boolean {
    return this.#lossRate > 0 || this.#dropRate > 0;
  }

  /** How long a packet travels that meets nothing unusual. */
  get usualMs(): number {
    return this.#baseMs + this.#extraMs;
  }

  /** How long the next packet travels. Mostly the base, with a tail. */
  latencyMs(): number {
    const fraction = this.#dice.fraction();
    const tail = fraction * fraction * fraction * JITTER_MS;
    const lost = this.#lossRate > 0 && this.#dice.chance(this.#lossRate) ? RETRANSMISSION_MS : 0;
    return this.#baseMs + this.#extraMs + tail + lost;
  }

  /** How long TCP takes to bring one packet through, beyond its travel. */
  repeatedMs(isFirst: boolean): number {
    let waitedMs = 0;
    let timeoutMs = isFirst ? HANDSHAKE_RETRANSMISSION_MS : RETRANSMISSION_MS;
    while (this.#dropRate > 0 && this.#dice.chance(this.#dropRate)) {
      waitedMs += timeoutMs;
      timeoutMs *= 2;
    }
    return waitedMs;
  }

  /** How long after the end of a cut TCP tries again: its interval doubles, so about as long as the cut at most. */
  retransmissionMs(): number {
    return this.#dice.between(1, Math.max(RETRANSMISSION_MS, (this.queue.now - this.#cutAt) / 2));
  }

  wait(channel: Channel): void {
    this.#waiting.add(channel);
  }

  impose(effects: readonly Effect[]): void {
    this.#extraMs = 0;
    this.#lossRate = 0;
    this.#dropRate = 0;
    let cut = false;
    for (const effect of effects) {
      if (effect.kind === "cut") cut = true;
      else if (effect.kind === "slow") this.#extraMs += effect.extraMs;
      else if (effect.kind === "drops") this.#dropRate = Math.max(this.#dropRate, effect.rate);
      else this.#lossRate = Math.max(this.#lossRate, effect.rate);
    }
    if (cut && !this.#cut) this.#cutAt = this.queue.now;
    const healed = this.#cut && !cut;
    this.#cut = cut;
    if (!healed) return;
    for (const channel of this.#waiting) this.queue.after(this.retransmissionMs(), () => channel.flush());
    this.#waiting.clear();
  }
}

/** One direction of a connection: what is sent arrives in order, or waits for the end of a cut. */
export class Channel {
  readonly path: Path;
  #isFresh = true;
  #lastArrival = 0;
  #held: (() => void)[] = [];

  constructor(path: Path) {
    this.path = path;
  }

  send(arrive: () => void): void {
    const queue = this.path.queue;
    const earliest = queue.now + this.path.latencyMs() + this.path.repeatedMs(this.#isFresh);
    this.#isFresh = false;
    // Two packets of one connection never tie, because ties are broken by dice.
    this.#lastArrival = earliest > this.#lastArrival ? earliest : this.#lastArrival + 1e-4;
    queue.at(this.#lastArrival, () => this.#arrive(arrive));
  }

  flush(): void {
    if (this.path.cut) {
      if (this.#held.length > 0) this.path.wait(this);
      return;
    }
    const held = this.#held;
    this.#held = [];
    for (const arrive of held) arrive();
  }

  #arrive(arrive: () => void): void {
    if (!this.path.cut && this.#held.length === 0) {
      arrive();
      return;
    }
    this.#held.push(arrive);
    if (this.path.cut) this.path.wait(this);
  }
}

export class Network {
  readonly #queue: EventQueue;
  readonly #dice: Dice;
  readonly #paths: Path[] = [];
  /** By the names of both ends. */
  readonly #pathBetween = new Map<string, Map<string, Path>>();
  readonly #rules = new Set<Rule>();
  readonly #beforeChange: (() => void)[] = [];
  readonly #afterChange: (() => void)[] = [];

  constructor(queue: EventQueue, dice: Dice) {
    this.#queue = queue;
    this.#dice = dice;
  }

  path(from: Place, to: Place): Path {
    return this.#pathBetween.get(from.name)?.get(to.name) ?? this.#newPath(from, to);
  }

  #newPath(from: Place, to: Place): Path {
    const path = new Path(from, to, this.#queue, this.#dice.split(`${from.name}>${to.name}`));
    path.impose(this.#effectsOn(path));
    const known = this.#pathBetween.get(from.name) ?? new Map<string, Path>();
    this.#pathBetween.set(from.name, known.set(to.name, path));
    this.#paths.push(path);
    return path;
  }

  /** Adds a rule; the returned function takes it away. */
  impose(rule: Rule): () => void {
    this.#change(() => this.#rules.add(rule));
    return () => this.#change(() => this.#rules.delete(rule));
  }

  healAll(): void {
    this.#change(() => this.#rules.clear());
  }

  /** Replication looks at its links before and after each change: what arrived until then has arrived. */
  onChange(before: () => void, after: () => void): void {
    this.#beforeChange.push(before);
    this.#afterChange.push(after);
  }

  #change(change: () => void): void {
    for (const listener of this.#beforeChange) listener();
    change();
    for (const path of this.#paths) path.impose(this.#effectsOn(path));
    for (const listener of this.#afterChange) listener();
  }

  #effectsOn(path: Path): readonly Effect[] {
    const effects: Effect[] = [];
    for (const rule of this.#rules) {
      if (matches(path.from, rule.from) && matches(path.to, rule.to)) effects.push(rule.effect);
    }
    return effects;
  }
}

export function matches(place: Place, selector: Selector): boolean {
  if (selector === "*" || selector === place.name) return true;
  const separator = selector.indexOf(":");
  const kind = selector.slice(0, separator);
  const what = selector.slice(separator + 1);
  if (kind === "zone") return place.zone === what;
  if (kind === "outside") return place.zone !== null && place.zone !== what;
  return what === "*" && place.name.startsWith(`${kind}:`);
}
