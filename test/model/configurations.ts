// What is searched: each model whole, and with one rule removed at a time. A model that holds with a rule removed does not need the rule, or
// is empty; so for each the promise that then breaks is named, and another one is a failure too.

export interface Configuration {
  readonly name: string;
  readonly model: string;
  readonly defines: readonly string[];
  /** The assertion that breaks; null when all hold in every state. */
  readonly breaks: string | null;
  /** Takes longer than a few seconds: left to `npm run model`. */
  readonly isLong: boolean;
}

const s1 = "S1_one_primary_for_an_epoch";
const s1History = "S1_one_history_for_an_epoch";
const s2 = "S2_epochs_only_grow";
const s3 = "S3_a_quorum_says_down";
const s4 = "S4_no_older_command_after_a_newer_one";
const s5 = "S5_committed_primary_left_alone";
const s5Stop = "S5_replaced_only_when_out_of_the_way";
const s6 = "S6_nobody_ahead_of_the_primary";
const l4 = "L4_held_only_by_what_was_not_read";
const s9 = "S9_acknowledged_write_in_the_primary";

function whole(model: string, bounds: readonly string[] = [], isLong = false): Configuration {
  return { name: [model, ...bounds].join(" "), model, defines: bounds, breaks: null, isLong };
}

/** One model at one set of bounds, each rule removed from it alone. */
function without(
  model: string,
  breaks: Readonly<Record<string, string>>,
  bounds: readonly string[] = [],
  isLong = false,
): Configuration[] {
  return Object.entries(breaks).map(([rule, promise]) => ({
    name: [model, ...bounds, `without ${rule}`].join(" "),
    model,
    defines: [...bounds, `NO_${rule}`],
    breaks: promise,
    isLong,
  }));
}

const twoOperations = ["EPOCHS=3"];
const oneRestart = ["EPOCHS=3", "RESTARTS=1"];
const twoWrites = ["EPOCHS=3", "WRITES=2"];
const lateWrites = ["VOTES=0", "LATE_WRITES"];
const oneLate = ["EPOCHS=3", "REFUSALS", "LATE=1"];
const threeOperations = ["EPOCHS=4", "IN_ORDER"];
const bare = [...threeOperations, "BARE"];

export const configurations: readonly Configuration[] = [
  whole("votes"),
  ...without("votes", {
    R10: s3,
    R15: s3,
    R23: "L2_down_stands_until_the_primary_is_heard",
    GRANT_EPOCH: s1,
    GRANT_VOTES: s3,
    HOLDER_VERSION: "S2_no_write_of_a_past_holder",
  }),
  whole("votes", lateWrites),
  ...without("votes", { SAME_LEASE: "S1_nobody_is_meant_behind_a_commit" }, lateWrites),
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
  whole("fence", [...twoOperations, "REFUSALS"], true),
  whole("fence", ["EPOCHS=4", "LATE=1"], true),
  whole("data", oneRestart),
  whole("data", twoWrites),
  whole("data", [...twoWrites, "RESTARTS=1"], true),
  whole("data", threeOperations, true),
  ...without("data", { R4: s9, R5: "S9_acknowledged_write_somewhere", R6: s9, R13: s9 }, oneRestart),
  ...without("data", { R1: s9, R2: s9, R3: s9 }, twoWrites),
  ...without("data", { R21: s9 }, threeOperations, true),
  // A second line: only without the record of what is meant does R7 alone keep the promise.
  whole("data", [...threeOperations, "NO_R7"], true),
  whole("data", bare, true),
  ...without("data", { R7: s9 }, bare, true),
  whole("stop", ["EPOCHS=4"]),
  ...without("stop", { STOP: s5Stop, STOP_EPOCH: "S5_one_takes_writes", STOP_RECORD: s5Stop, STOP_SEEN: s5Stop }, [
    "EPOCHS=4",
  ]),
  whole("stop", ["EPOCHS=4", "PROMOTES"], true),
  whole("stop", ["EPOCHS=4", "BEST_EFFORT"], true),
  whole("stop", ["EPOCHS=3", "BEST_EFFORT"]),
  ...without("stop", { STOP_GOES_ON: "L1_best_effort_waits_for_nobody" }, ["EPOCHS=3", "BEST_EFFORT"]),
  whole("switchover"),
  ...without("switchover", { R11: "S9_lossless", R17: "R17_a_pause_lasts" }),
  whole("members"),
  ...without("members", { R18_DISTINCT: s9, R18_GROWS: s9 }),
  whole("unexplained"),
  ...without("unexplained", { R22: "R22_what_a_person_made_is_spared", R25: s9 }),
  whole("publication"),
  ...without("publication", { R8_ORDER: s2, R8_REPAIR: "L1_every_publication_equals_the_record", R19: s2 }),
];
