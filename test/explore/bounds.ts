// How far an exploration goes: what may go wrong, how often, and behind which opening. README.md says what each bound
// leaves out.

import type { Price } from "./moves.ts";

/** How often each thing may happen, in all; `tick` and `long`: how often each voter may be called by time. */
export type Bounds = Readonly<Record<Exclude<Price, "free">, number>> & {
  /** States of a higher epoch are not explored further. */
  readonly epochs: number;
  /** Given up after this many states. */
  readonly states: number;
  /** Moves that come first, by the beginning of their names: what is explored begins behind them. */
  readonly opening: readonly string[];
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
  "epochs",
  "states",
  "restEvery",
] as const satisfies readonly Exclude<keyof Bounds, "opening">[];

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
  epochs: 4,
  states: 3_000_000,
  restEvery: 50,
  opening: [],
};

/** Two voters find n1 gone and vote; az-a is granted epoch 2, and its freezes are under way. */
const VOTED = ["az-a", "az-b"].flatMap((voter) => [
  `${voter} is called when`,
  `${voter} is called when`,
  `${voter}'s cast-vote reaches`,
]);
const GRANTED = [...VOTED, "az-a glances", "az-a's grant reaches", "az-b's grant reaches"];
/** az-b has seen that lease lapse, and has taken it over; az-a sleeps and does not know. */
const TAKEN_OVER = [...GRANTED, "az-b is called after", "az-b is called when", "az-b's take-over reaches"];

/** az-a has frozen both, meant n2, and promoted it: its commit is under way. */
const PROMOTED = [
  ...GRANTED,
  "az-a's freeze of epoch 2 on n2 takes",
  "az-a's freeze of epoch 2 on n3 takes",
  "az-a's record-intent reaches",
  "az-a's promote of epoch 2 on n2 takes",
];

/** What is explored, by name. */
export const PLANS = {
  /** Nothing is wrong at first: false alarms, and whoever dies. */
  quiet: { ...NOTHING, kill: 1, tick: 3 },
  voted: { ...NOTHING, opening: ["n1 dies", ...VOTED], tick: 1 },
  /** Three voters, and every order in which what they sent arrives. */
  granted: { ...NOTHING, opening: ["n1 dies", ...GRANTED], loss: 1 },
  /** Two voters: what is lost, who dies, who is late. */
  lost: { ...NOTHING, opening: ["az-c dies", "n1 dies", ...GRANTED], loss: 1, delay: 1 },
  crashed: { ...NOTHING, opening: ["az-c dies", "n1 dies", ...GRANTED], crash: 1 },
  /** A new primary whose holder does not come to its commit. */
  promoted: { ...NOTHING, opening: ["az-c dies", "n1 dies", ...PROMOTED], long: 1, tick: 1 },
  /** A stale holder beside its successor, and a node that has forgotten the token. */
  restarted: {
    ...NOTHING,
    opening: [
      "az-c dies",
      "n1 dies",
      ...TAKEN_OVER,
      "az-b's freeze of epoch 3 on n2 takes",
      "n2 restarts",
      "az-a is called when",
    ],
  },
  /** The replicas differ. */
  uneven: {
    ...NOTHING,
    opening: ["az-c dies", "a client writes to n1, and n3 has it", "n1 dies", ...GRANTED],
    delay: 1,
  },
} as const satisfies Readonly<Record<string, Bounds>>;
