// A simulated group in which nothing goes wrong but that probes are lost: the shipped engine and loop, for hours of
// simulated time, and what came of it. Whatever is counted here was needless.

import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { Observation } from "../../lib/core/types.ts";
import type { ValkeyNode, ValkeyNodes } from "../../lib/ports/valkey-node.ts";
import { VoterLoop, type VoterOptions } from "../../lib/runtime/voter-loop.ts";
import type { Dice } from "../sim/dice.ts";
import { decode } from "../sim/table.ts";
import { type StartVoter, World } from "../sim/world.ts";
import { votersOf } from "./rules.ts";
import { type LossyPath, passed } from "./silence.ts";

export interface QuietGroup {
  readonly seed: string;
  readonly voters: number;
  readonly settings: Partial<DeclaredConfig>;
  /** Of every voter to every node, each on its own. */
  readonly path: LossyPath;
  readonly hours: number;
  /** Instead of whole probes, each packet is lost with this rate and sent again by TCP. */
  readonly packetLoss?: number;
  /** What the ways of so many voters to the primary have in common; replicas and clients have other ways. */
  readonly common?: { readonly voters: number; readonly path: LossyPath };
  /** The primary appends something to its stream this often: what a witness goes by. Null: never. */
  readonly heartbeatSeconds: number | null;
  /** Once it has called the primary down, this voter dies so much later, with its vote standing; the others live on. */
  readonly dying?: { readonly voter: string; readonly afterMs: number };
}

export interface Tally {
  /** Simulated time in which each invocation watched, all of them together: two of one voter overlap. */
  readonly watchedSeconds: number;
  readonly seconds: number;
  readonly suspicions: number;
  /** Verdicts *down*, one voter's each. */
  readonly verdicts: number;
  /** Times at which a quorum of *down* votes began to stand in the table. */
  readonly quorums: number;
  /** Failovers that were granted, and those of them that replaced the primary. */
  readonly failovers: number;
  readonly replaced: number;
  readonly probes: number;
  readonly lost: number;
  /** Voters that died with their vote standing. */
  readonly deaths: number;
}

const HOUR_MS = 3_600_000;
/** Adopted and armed by then. */
const READY_MS = 60_000;
const NOTHING = { suspicions: 0, verdicts: 0, quorums: 0, failovers: 0, replaced: 0, probes: 0, lost: 0, deaths: 0 };
const NEVER_SECONDS = 1e9;

export function watch(group: QuietGroup): Tally {
  const watch = new Watch(group);
  watch.world.start();
  watch.world.run(READY_MS);
  watch.begin();
  watch.world.run(group.hours * HOUR_MS);
  return watch.end();
}

/** The state of one path, looked at only when something is sent. */
class PathWeather {
  isBad = false;
  readonly #path: LossyPath;
  readonly #dice: Dice;
  #at = 0;

  constructor(path: LossyPath, dice: Dice) {
    this.#path = path;
    this.#dice = dice;
  }

  loses(at: number): boolean {
    const [, bad] = passed(this.isBad ? [0, 1] : [1, 0], this.#path, at - this.#at);
    this.#at = at;
    this.isBad = this.#dice.chance(bad);
    return this.#dice.chance(this.isBad ? this.#path.badLoss : this.#path.goodLoss);
  }
}

class Watch {
  readonly world: World;
  readonly #group: QuietGroup;
  readonly #paths = new Map<string, PathWeather>();
  readonly #watching = new Map<VoterOptions, number>();
  #isLossy = false;
  #sharedHost = "";
  #watchedMs = 0;
  #beganAt = 0;
  #counts = { ...NOTHING };

  constructor(group: QuietGroup) {
    this.#group = group;
    const heartbeat = group.heartbeatSeconds;
    this.world = new World({
      seed: group.seed,
      startVoter: this.#startVoter,
      plan: [],
      timeline: false,
      nodeOptions: {
        pingReplicaPeriodSeconds: heartbeat ?? NEVER_SECONDS,
        ...(heartbeat === null ? { replTimeoutSeconds: NEVER_SECONDS } : {}),
      },
      // The budget and its rests are for failovers that do happen; here each needless one is to be counted.
      config: { failoverBudget: 100, ...group.settings },
    });
    this.#listen();
  }

  begin(): void {
    this.#isLossy = true;
    const { packetLoss } = this.#group;
    if (packetLoss !== undefined) {
      const effect = { kind: "drops", rate: packetLoss } as const;
      this.world.network.impose({ from: "voter:*", to: "node:*", effect });
      this.world.network.impose({ from: "node:*", to: "voter:*", effect });
    }
    this.#beganAt = this.world.queue.now;
    this.#watchedMs = 0;
    for (const options of this.#watching.keys()) this.#watching.set(options, this.#beganAt);
    this.#counts = { ...NOTHING };
  }

  end(): Tally {
    const now = this.world.queue.now;
    for (const options of [...this.#watching.keys()]) this.#left(options);
    return { ...this.#counts, watchedSeconds: this.#watchedMs / 1_000, seconds: (now - this.#beganAt) / 1_000 };
  }

  readonly #startVoter: StartVoter = (options, done) => {
    const voters = votersOf(this.#group.voters);
    if (!voters.includes(options.voter)) return;
    const openNodes: VoterOptions["openNodes"] = (config) => this.#lossy(options, options.openNodes(config));
    const mine = { ...options, voters, openNodes };
    this.#watching.set(options, this.world.queue.now);
    new VoterLoop(mine, (summary) => {
      this.#left(options);
      done(summary);
    }).start();
  };

  #left(options: VoterOptions): void {
    const since = this.#watching.get(options);
    if (since === undefined) return;
    this.#watching.delete(options);
    this.#watchedMs += this.world.queue.now - since;
  }

  #lossy(options: VoterOptions, nodes: ValkeyNodes): ValkeyNodes {
    return {
      open: (address) => {
        const node = nodes.open(address);
        const path = this.#path(`${options.voter} to ${address.host}`, this.#group.path);
        const probe: ValkeyNode["probe"] = (request) => {
          this.#counts.probes += 1;
          if (!this.#isLossy || !this.#isLost(options.voter, address.host, path)) return node.probe(request);
          this.#counts.lost += 1;
          const result = this.world.queue.eventual<Observation>();
          const silent: Observation = { kind: "silent", detail: "lost", parkable: null };
          options.clock.wakeAt(request.deadline, () => result.settle(silent));
          return result;
        };
        return {
          address,
          probe,
          execute: (command, deadline) => node.execute(command, deadline),
          onCut: (listener) => node.onCut(listener),
          onLateOutcome: (listener) => node.onLateOutcome(listener),
          close: () => node.close(),
        };
      },
    };
  }

  #isLost(voter: string, host: string, own: PathWeather): boolean {
    const now = this.world.queue.now;
    const isLost = own.loses(now);
    const { common } = this.#group;
    if (common === undefined || !votersOf(common.voters).some((each) => each === voter)) return isLost;
    const shared = this.#path("what they share", common.path);
    // A burst is about the node that was primary when it began: the one that takes its place is reached.
    if (!shared.isBad) this.#sharedHost = this.world.primaryNode()?.address.host ?? "";
    return (host === this.#sharedHost && shared.loses(now)) || isLost;
  }

  #path(name: string, path: LossyPath): PathWeather {
    let weather = this.#paths.get(name);
    if (weather === undefined) {
      weather = new PathWeather(path, this.world.dice.split(`path of ${name}`));
      this.#paths.set(name, weather);
    }
    return weather;
  }

  #listen(): void {
    let standing = 0;
    this.world.observers.push({
      onBallot: ({ after }) => {
        const { votes, primary } = decode(after);
        const down = Object.values(votes).filter(
          (vote) => vote.level === "down" && vote.node === primary?.node && vote.epoch === primary.epoch,
        ).length;
        const { quorum } = this.world.config();
        if (down >= quorum && standing < quorum) this.#counts.quorums += 1;
        standing = down;
      },
      onJournal: ({ event, voter, detail }) => {
        if (event === "primary.suspected") this.#counts.suspicions += 1;
        else if (event === "lease.acquired" && detail["kind"] !== "repair") this.#counts.failovers += 1;
        else if (event === "primary.committed") this.#counts.replaced += 1;
        else if (event === "primary.subjectively-down") {
          this.#counts.verdicts += 1;
          const { dying } = this.#group;
          if (dying?.voter === voter) this.world.queue.after(dying.afterMs, () => this.#kill(voter));
        }
      },
    });
  }

  #kill(voter: VoterOptions["voter"]): void {
    this.#counts.deaths += 1;
    this.world.voters.get(voter)?.kill();
    for (const options of [...this.#watching.keys()]) if (options.voter === voter) this.#left(options);
  }
}
