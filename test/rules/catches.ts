// What is known to notice that a rule is gone, beside the schedules of schedules.ts: plans of the exploration, and, for what
// neither needs, a file of tests. `npm run rules` tries each of them again, and looks for more.

export interface ExplorationCatch {
  readonly rule: string;
  readonly plan: string;
  /** Ids as the exploration spells them. */
  readonly breaks: string;
}

export const EXPLORATIONS: readonly ExplorationCatch[] = [
  { rule: "R2", plan: "apart", breaks: "S9" },
  { rule: "R4", plan: "bereft", breaks: "S9" },
  { rule: "R8 order", plan: "published", breaks: "S2" },
  { rule: "R8 repair", plan: "lost", breaks: "L1" },
  { rule: "R9 look", plan: "restarted", breaks: "S4" },
  { rule: "R9 kill", plan: "lost", breaks: "S5" },
  { rule: "R11 offset", plan: "ordered", breaks: "R11" },
  { rule: "R12", plan: "granted", breaks: "S11, S12" },
  { rule: "R16", plan: "promoted", breaks: "S5" },
  { rule: "R24", plan: "crashed", breaks: "R24" },
  { rule: "quorum", plan: "quiet", breaks: "S3" },
  { rule: "best", plan: "uneven", breaks: "S6" },
  { rule: "take-over", plan: "crashed", breaks: "S11, S12" },
];

/** The plans in which `npm run rules` asks of each rule of `NOT_FOUND` that nothing breaks without it. */
export const SEARCHED: readonly string[] = ["granted", "lost", "crashed", "restarted", "uneven"];

export const NOT_FOUND: readonly string[] = [
  "R1",
  "R3",
  "R5",
  "R6",
  "R7",
  "R10",
  "R11 freeze",
  "R13",
  "R14",
  "R15",
  "R17",
  "R18 distinct",
  "R18 grows",
  "R19",
  "R20",
  "R21",
  "R22",
  "R23 weaken",
  "R23 retract",
  "R25 match",
];

export interface TestCatch {
  readonly rule: string;
  readonly file: string;
  /** In the name of the test that fails first. */
  readonly fails: string;
  /** Why no world was found that needs the rule. */
  readonly reason: string;
}

export const TESTS: readonly TestCatch[] = [
  {
    rule: "R6",
    file: "test/sim/valkey-contract.test.ts",
    fails: "R6",
    reason:
      "a node that restarted or was frozen since has closed the connection, and a new one shows it (R9 and the run id): the check keeps what a person does in between from being promoted, and what a person takes away is promised to nobody",
  },
  {
    rule: "same lease",
    file: "test/core/late-writes.test.ts",
    fails: "renew",
    reason:
      "the late write has to arrive in the milliseconds between a commit and the end of its operation, and the new primary to die with it: otherwise it is only given its place back",
  },
  {
    rule: "parked fence",
    file: "test/core/assist.test.ts",
    fails: "waits in its socket",
    reason:
      "a primary that wakes is frozen by whoever reaches it within S5's window all the same: what is parked makes that window none, and saves what clients send to it meanwhile, which is promised to nobody",
  },
  {
    rule: "write hold",
    file: "test/core/hold.test.ts",
    fails: "the write hold",
    reason:
      "the writes that it delays are lost without it, and no promise is about plain writes that were never replicated",
  },
  {
    rule: "witness",
    file: "test/core/verdict.test.ts",
    fails: "still receives",
    reason:
      "a primary that serves is replaced, by the same steps and with nothing lost that is promised: it is how seldom that happens (false-alarms.md, `npm run bound`)",
  },
  {
    rule: "abstention",
    file: "test/core/verdict.test.ts",
    fails: "cut off",
    reason: "as with the witness: one more vote towards a quorum that has to reach enough nodes",
  },
  {
    rule: "second witness",
    file: "test/core/verdict.test.ts",
    fails: "the fast path",
    reason:
      "as with the witness: a port that refuses the voters alone is taken for a dead primary within half a second",
  },
];
