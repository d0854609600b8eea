// How far an exploration goes: what may go wrong, how often, and behind which opening. README.md says what each bound
// leaves out.

import type { Settings } from "./beginning.ts";
import type { Price } from "./moves.ts";

/** How often each thing may happen, in all; `tick` and `long`: how often each voter may be called by time. */
export type Bounds = Readonly<Record<Exclude<Price, "free">, number>> & {
  /** States of a higher epoch are not explored further. */
  readonly epochs: number;
  /** Given up after this many states: for the widest, what a busy core does in some minutes. */
  readonly states: number;
  /** Moves that come first, by the beginning of their names: what is explored begins behind them. */
  readonly opening: readonly string[];
  /** What the group is declared to be, beside what beginning.ts says. */
  readonly settings: Settings;
  /** Of how many states one is followed to its rest, beside those that nothing follows; 0: none. */
  readonly restEvery: number;
};

/** The bounds that are figures, as options of the command. */
export const FIGURES = [
  "tick",
  "long",
  "loss",
  "delay",
  "kill",
  "restart",
  "hang",
  "cut",
  "crash",
  "start",
  "write",
  "lose",
  "order",
  "publisher",
  "epochs",
  "states",
  "restEvery",
] as const satisfies readonly Exclude<keyof Bounds, "opening" | "settings">[];

const NOTHING: Bounds = {
  tick: 0,
  long: 0,
  loss: 0,
  delay: 0,
  kill: 0,
  restart: 0,
  hang: 0,
  cut: 0,
  crash: 0,
  start: 0,
  write: 0,
  lose: 0,
  order: 0,
  publisher: 0,
  epochs: 4,
  states: 3_000_000,
  restEvery: 50,
  opening: [],
  settings: {},
};

const voting = (...voters: readonly string[]): readonly string[] =>
  voters.flatMap((voter) => [`${voter} is called when`, `${voter} is called when`, `${voter}'s cast-vote reaches`]);
/** Two voters find n1 gone and vote; az-a is granted epoch 2, and its freezes are under way. */
const VOTED = voting("az-a", "az-b");
const GRANTED = [...VOTED, "az-a glances", "az-a's grant reaches", "az-b's grant reaches"];
/** az-b has seen that lease lapse, and has taken it over; az-a sleeps and does not know. */
const TAKEN_OVER = [...GRANTED, "az-b is called after", "az-b is called when", "az-b's take-over reaches"];

const FROZEN = [...GRANTED, "az-a's freeze of epoch 2 on n2 takes", "az-a's freeze of epoch 2 on n3 takes"];
/** az-a has frozen both, and means n2: its promotion is under way. */
const MEANT = [...FROZEN, "az-a's record-intent reaches"];
/** It was promoted: the commit is under way. */
const PROMOTED = [...MEANT, "az-a's promote of epoch 2 on n2 takes"];

const COMMITTED = [...PROMOTED, "az-a's commit reaches"];

const TWO = ["az-c dies", "n1 dies"];
/** n1 serves, and clients reach it; the voters do not. */
const ISOLATED = ["az-c dies", "az-a is cut off from n1", "az-b is cut off from n1"];
const ORDERED = ["az-c dies", "an operator orders a switchover", "az-a glances", "az-a's grant reaches"];
/** A pause of writes has to fit into a lease. */
const PATIENT: Settings = { leaseMs: 1_200 };
/** What `WAIT 1` has acknowledged is kept. */
const REFUSE: Settings = { onPossibleLoss: "refuse", waitK: 1 };

/** What is explored, by name. */
export const PLANS = {
  /** Nothing is wrong at first: false alarms, and whoever dies. */
  quiet: { ...NOTHING, states: 300_000, kill: 1, tick: 3 },
  /** From the moment at which the primary dies: every order in which two voters find it out and replace it. */
  begun: { ...NOTHING, opening: TWO, tick: 3, loss: 1 },
  voted: { ...NOTHING, opening: ["n1 dies", ...VOTED], tick: 1 },
  /** Three voters, and every order in which what they sent arrives. */
  granted: { ...NOTHING, opening: ["n1 dies", ...GRANTED], loss: 1 },
  /** And several things that go wrong, one after the other or at once: each is explored to its end. */
  troubled: { ...NOTHING, opening: ["n1 dies", ...GRANTED], loss: 1, delay: 1, restart: 1 },
  lapsed: { ...NOTHING, opening: ["n1 dies", ...GRANTED], loss: 1, long: 1 },
  /** A voter is cut off from a node at any moment, and reaches it again at any later one; `parted`: and leases lapse. */
  severed: { ...NOTHING, opening: ["n1 dies", ...GRANTED], loss: 1, cut: 1 },
  parted: { ...NOTHING, opening: [...TWO, ...GRANTED], long: 1, cut: 1 },
  /** A voter dies and is started anew, and what its predecessor sent arrives late; or it has died before. */
  renewed: { ...NOTHING, opening: ["n1 dies", ...GRANTED], delay: 1, crash: 1, start: 1 },
  rejoined: { ...NOTHING, opening: [...TWO, ...GRANTED], loss: 1, start: 1 },
  /** Two voters: what is lost, who dies, who is late. */
  lost: { ...NOTHING, opening: [...TWO, ...GRANTED], loss: 1, delay: 1 },
  crashed: { ...NOTHING, opening: [...TWO, ...GRANTED], crash: 1 },
  /** A new primary whose holder does not come to its commit. */
  promoted: { ...NOTHING, opening: [...TWO, ...PROMOTED], long: 1, tick: 1 },
  /** What is published is lost or late, and the publisher as late as that. */
  published: { ...NOTHING, opening: [...TWO, ...COMMITTED], loss: 1, delay: 1, publisher: 2 },
  /** A publication is late, and its primary dies. */
  outdated: {
    ...NOTHING,
    opening: [
      ...TWO,
      ...COMMITTED,
      "az-a's publication of epoch 2 is given up",
      "az-a's repoint of epoch 2 on n3 takes",
      "az-a's finish reaches",
      "az-a's update-members reaches",
      "az-b glances",
      "n2 dies",
      ...voting("az-a", "az-b"),
    ],
    loss: 1,
    publisher: 1,
  },
  /** A stale holder beside its successor, and a node that has forgotten the token. */
  restarted: {
    ...NOTHING,
    opening: [...TWO, ...TAKEN_OVER, "az-b's freeze of epoch 3 on n2 takes", "n2 restarts", "az-a is called when"],
  },
  /** The replicas differ. */
  uneven: {
    ...NOTHING,
    opening: ["az-c dies", "a client writes to n1, and n3 has it", "n1 dies", ...GRANTED],
    delay: 1,
  },
  /** A node dies, restarts, or hangs in the middle. */
  dying: { ...NOTHING, opening: [...TWO, ...GRANTED], kill: 1, long: 1 },
  restarting: { ...NOTHING, opening: [...TWO, ...GRANTED], restart: 1, delay: 1 },
  hanging: {
    ...NOTHING,
    states: 120_000,
    opening: ["az-c dies", "n1 hangs", ...VOTED, "az-a glances", "az-a's grant reaches"],
    hang: 1,
  },
  /** The old primary serves on where no voter reaches it, and may be reached again. */
  isolated: {
    ...NOTHING,
    states: 120_000,
    opening: [...ISOLATED, ...VOTED, "az-a glances", "az-a's grant reaches"],
    settings: REFUSE,
    write: 1,
    loss: 1,
  },
  /** And the holder reaches one replica only. */
  apart: {
    ...NOTHING,
    states: 300_000,
    opening: [
      ...ISOLATED,
      "az-b is cut off from n3",
      ...VOTED,
      "az-a is cut off from n3",
      "az-a glances",
      "az-a's grant reaches",
      "az-a's freeze of epoch 2 on n3 has no answer",
      "az-a's freeze of epoch 2 on n2 takes",
    ],
    settings: REFUSE,
    write: 1,
    tick: 1,
  },
  /** A promotion is under way while its holder is replaced, and the old primary may come back. */
  returned: {
    ...NOTHING,
    states: 120_000,
    opening: [
      ...ISOLATED,
      ...MEANT,
      "az-a's promote of epoch 2 on n2 is given up",
      "az-b glances",
      "az-b's freeze of epoch 2 on n1 has no answer",
      "az-b is called after",
      "az-b is called when",
      "az-b reaches n1 again",
      "az-b's take-over reaches",
    ],
    tick: 1,
  },
  /** What was acknowledged, and a node that comes back with less. */
  bereft: {
    ...NOTHING,
    opening: ["az-c dies", "a client writes to n1, and n3 has it", "n1 dies", ...VOTED],
    settings: REFUSE,
    lose: 1,
  },
  /** And what is lost or late while it is decided. */
  kept: {
    ...NOTHING,
    opening: ["az-c dies", "a client writes to n1, and n3 has it", "n1 dies", ...GRANTED],
    settings: REFUSE,
    loss: 1,
    delay: 1,
    restart: 1,
  },
  /** All nodes restarted. */
  cold: {
    ...NOTHING,
    opening: [
      "az-c dies",
      "a client writes to n1, and n3 has it",
      ...["n1 restarts", "n2 restarts", "n3 restarts"],
      ...VOTED,
    ],
    lose: 1,
  },
  /** Two orders of an operator: a switchover, and a failover whatever is lost. */
  ordered: { ...NOTHING, states: 60_000, opening: ORDERED, settings: PATIENT, write: 1, loss: 1 },
  handed: { ...NOTHING, opening: ORDERED, settings: PATIENT, crash: 1, kill: 1 },
  /** The group is paused at any moment. */
  paused: { ...NOTHING, states: 120_000, opening: [...TWO, ...VOTED], order: 2, tick: 1 },
  /** Three holders, one after the other. */
  succeeded: {
    ...NOTHING,
    states: 120_000,
    opening: [
      "n1 dies",
      ...TAKEN_OVER,
      "az-c glances",
      "az-c is called after",
      "az-c is called when",
      "az-c's take-over reaches",
    ],
  },
  /** Three voters, and one of everything: lost or without an answer, late, a lapse, a holder that is stale by then, a restart. */
  combined: {
    ...NOTHING,
    states: 2_000_000,
    opening: ["n1 dies", ...GRANTED],
    loss: 1,
    delay: 1,
    tick: 1,
    long: 1,
    restart: 1,
  },
} as const satisfies Readonly<Record<string, Bounds>>;

export type PlanName = keyof typeof PLANS;

/** What `npm test` explores, each to its end. */
export const IN_TESTS = [
  "granted",
  "lost",
  "parted",
  "rejoined",
  "crashed",
  "promoted",
  "published",
  "restarted",
  "uneven",
  "dying",
  "restarting",
  "handed",
  "bereft",
] as const satisfies readonly PlanName[];
