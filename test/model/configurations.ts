// What is searched: each model whole, and with one rule removed at a time. A model that holds with a rule removed does not need the rule, or
// is empty; so for each the promise that then breaks is named, and another one is a failure too.

export interface Configuration {
  readonly name: string;
  readonly model: string;
  readonly defines: readonly string[];
  /** The assertion that breaks; null when all hold in every state. */
  readonly breaks: string | null;
  readonly effort: Effort;
  /** Looked for instead of a broken promise: a run that goes on for ever. */
  readonly looksFor?: "cycles";
}

/** `small`: over before a compiler's optimization pays; `long`: left to `npm run model`, being more than a few seconds. */
export type Effort = "small" | "short" | "long";

const s1 = "S1_one_primary_for_an_epoch";
const s1History = "S1_one_history_for_an_epoch";
const s2 = "S2_epochs_only_grow";
const s3 = "S3_a_quorum_says_down";
const s3Once = "S3_no_vote_elects_twice";
const s4 = "S4_no_older_command_after_a_newer_one";
const s5 = "S5_committed_primary_left_alone";
const s5Stop = "S5_replaced_only_when_out_of_the_way";
const s6 = "S6_nobody_ahead_of_the_primary";
const l2Down = "L2_down_stands_until_the_primary_is_heard";
const l4 = "L4_held_only_by_what_was_not_read";
const s7 = "S7_one_voter_is_one_vote";
const s7Fresh = "S7_a_vote_counts_while_it_is_fresh";
const s8 = "S8_nothing_begins";
const s8Sends = "S8_who_knows_sends_nothing";
const s9 = "S9_acknowledged_write_in_the_primary";
const lossless = "S9_lossless";
const s11 = "S11_no_operation_stands_for_ever";

/** What the verifier calls a run that goes on for ever. */
export const endless = "non-progress cycle";

function whole(model: string, bounds: readonly string[] = [], effort: Effort = "short"): Configuration {
  return { name: [model, ...bounds].join(" "), model, defines: bounds, breaks: null, effort };
}

/** One model at one set of bounds, each rule removed from it alone. */
function without(
  model: string,
  breaks: Readonly<Record<string, string>>,
  bounds: readonly string[] = [],
  effort: Effort = "small",
): Configuration[] {
  return Object.entries(breaks).map(([rule, promise]) => ({
    name: [model, ...bounds, `without ${rule}`].join(" "),
    model,
    defines: [...bounds, `NO_${rule}`],
    breaks: promise,
    effort,
  }));
}

/** Every run comes to an end; the same without a rule, where one does not. */
function finite(model: string, bounds: readonly string[], rule: string | null): Configuration {
  const looksFor = "cycles";
  const ends = [model, ...bounds, looksFor].join(" ");
  return rule === null
    ? { name: ends, model, defines: bounds, breaks: null, effort: "long", looksFor }
    : {
        name: `${ends} without ${rule}`,
        model,
        defines: [...bounds, `NO_${rule}`],
        breaks: endless,
        effort: "small",
        looksFor,
      };
}

const twoOperations = ["EPOCHS=3"];
const oneRestart = ["EPOCHS=3", "RESTARTS=1"];
const twoWrites = ["EPOCHS=3", "WRITES=2"];
const lateWrites = ["VOTES=0", "LATE_WRITES"];
const oneLate = ["EPOCHS=3", "REFUSALS", "LATE=1"];
const threeOperations = ["EPOCHS=4", "IN_ORDER"];
const briefly = ["GRANTS=1", "CHANGES=0"];
const bare = [...threeOperations, "BARE"];

export const configurations: readonly Configuration[] = [
  whole("votes"),
  ...without("votes", {
    R10: s3,
    R15: s3,
    R23_WEAKEN: l2Down,
    R23_RETRACT: l2Down,
    GRANT_EPOCH: s1,
    GRANT_VOTES: s3,
    HOLDER_VERSION: "S2_no_write_of_a_past_holder",
  }),
  whole("votes", lateWrites),
  ...without("votes", { SAME_LEASE: "S1_nobody_is_meant_behind_a_commit" }, lateWrites),
  whole("freshness", [], "small"),
  ...without("freshness", {
    R15: s7,
    GENERATION: s7,
    FRESH_NEWS: s7Fresh,
    FRESH_SENT: s7Fresh,
    FRESH_CONSISTENT: s7Fresh,
    FRESH_WINDOW: s7Fresh,
  }),
  whole("lease", ["EPOCHS=3"], "small"),
  ...without(
    "lease",
    {
      VOTE_PRIMARY: s3,
      FINISH_CLEARS: s3Once,
      YIELDS: s3Once,
      YIELDS_DECIDED: s3Once,
      HOLDER_VERSION: "S2_no_write_of_a_past_holder",
    },
    ["EPOCHS=3"],
  ),
  whole("lease", ["EPOCHS=4", "VOTES=3"], "long"),
  whole("control", ["SENDS"], "small"),
  ...without(
    "control",
    { ASSIST_MODE: s8Sends, HOLD_MODE: s8Sends, VOTE_MODE: s8Sends, HOLD_FRESH: "S8_no_hold_beyond_the_window" },
    ["SENDS"],
  ),
  whole("control", ["CHANGES=1"], "long"),
  ...without(
    "control",
    {
      GRANT_CONTROL: s8,
      ADOPT_CONTROL: s8,
      SAME_CONTROL: "S8_a_person_ends_a_pause",
      TAKE_OVER_MODE: "S8_what_was_begun_is_finished",
      UNKNOWN_WAITS: "S10_acts_on_what_the_table_gave",
    },
    ["CHANGES=1"],
  ),
  whole("control", ["CHANGES=3"], "long"),
  ...without("control", { RESUMES: "L2_a_resumed_group_acts" }, ["CHANGES=3"]),
  finite("control", ["CHANGES=2"], null),
  whole("operation", briefly, "small"),
  ...without(
    "operation",
    {
      TAKE_OVER: s11,
      LETS_GO: s11,
      GOES_PAST: s11,
      TELLING_ENDS: s11,
      BECOMES_FAILOVER: s11,
      ROLLS_BACK: "S11_ends_with_a_primary",
    },
    briefly,
  ),
  whole("operation", ["GRANTS=1", "CHANGES=2"], "long"),
  whole("operation", ["GRANTS=2", "CHANGES=1"], "long"),
  finite("operation", ["GRANTS=1", "CHANGES=1"], null),
  finite("operation", ["GRANTS=1", "CHANGES=1"], "MEANS_ONCE"),
  whole("fence", twoOperations),
  ...without("fence", { R9_KILL: s4, R9_LOOK: s4, R12: s6, R16: s5, R21: s6, R24: s5 }, twoOperations),
  whole("fence", oneLate),
  ...without(
    "fence",
    {
      R21_SETTLED: l4,
      R21_COMPARED: s6,
      R21_REFUSED: l4,
      R21_OTHERS: s6,
      R21_UNANSWERED: s1History,
      ONE_HISTORY: s1History,
    },
    oneLate,
  ),
  whole("fence", [...twoOperations, "REFUSALS"], "long"),
  whole("fence", ["EPOCHS=4", "LATE=1"], "long"),
  whole("data", oneRestart),
  whole("data", twoWrites),
  whole("data", [...twoWrites, "RESTARTS=1"], "long"),
  whole("data", threeOperations, "long"),
  ...without("data", { R4: s9, R5: "S9_acknowledged_write_somewhere", R6: s9, R13: s9 }, oneRestart),
  ...without("data", { R1: s9, R2: s9, R3: s9 }, twoWrites),
  ...without("data", { R21: s9 }, threeOperations, "long"),
  // A second line: only without the record of what is meant does R7 alone keep the promise.
  whole("data", [...threeOperations, "NO_R7"], "long"),
  whole("data", bare, "long"),
  ...without("data", { R7: s9 }, bare, "short"),
  whole("stop", ["EPOCHS=4"]),
  ...without("stop", { STOP: s5Stop, STOP_EPOCH: "S5_one_takes_writes", STOP_RECORD: s5Stop, STOP_SEEN: s5Stop }, [
    "EPOCHS=4",
  ]),
  whole("stop", ["EPOCHS=4", "PROMOTES"], "long"),
  whole("stop", ["EPOCHS=4", "BEST_EFFORT"], "long"),
  whole("stop", ["EPOCHS=3", "BEST_EFFORT"], "small"),
  ...without("stop", { STOP_GOES_ON: "L1_best_effort_waits_for_nobody" }, ["EPOCHS=3", "BEST_EFFORT"]),
  whole("switchover", [], "small"),
  ...without("switchover", { R11_FREEZE: lossless, R11_OFFSET: lossless, R17: "R17_a_pause_lasts" }),
  whole("members", [], "small"),
  ...without("members", { R18_DISTINCT: s9, R18_GROWS: s9 }),
  whole("unexplained", [], "small"),
  ...without("unexplained", { R22: "R22_what_a_person_made_is_spared", R25_MATCH: s9, R25_HOLD: s9 }),
  whole("publication", [], "small"),
  ...without("publication", { R8_ORDER: s2, R8_REPAIR: "L1_every_publication_equals_the_record", R19: s2 }),
];
