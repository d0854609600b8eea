// Which members cannot be counted on, and what a person is told of them: one that does not answer is started, one that loads
// is waited for, and one that was taken out of the declaration, whom nobody asks, is declared again.

import type { Ballot } from "./ballot.ts";
import { keysOf } from "./entries.ts";
import { answersNow } from "./observation.ts";
import { named, type Rejection } from "./rejection.ts";
import type { Turn } from "./turn.ts";
import type { NodeId } from "./types.ts";

/** Every member answers with a reading and none is loading. */
export const allAnswer = (turn: Turn, ballot: Ballot): boolean => missingNodes(turn, ballot).length === 0;

export const missingNodes = (turn: Turn, ballot: Ballot): readonly NodeId[] =>
  keysOf(ballot.members.nodes).filter((id) => whyMissing(turn, id) !== null);

type Missing = "silent" | "loading" | "undeclared";

const WORDS: Readonly<Record<Missing, Readonly<Record<"is" | "ends", readonly [one: string, several: string]>>>> = {
  silent: { is: ["does not answer", "do not answer"], ends: ["answers", "answer"] },
  loading: { is: ["loads its data", "load their data"], ends: ["has loaded", "have loaded"] },
  undeclared: {
    is: ["is not declared any more", "are not declared any more"],
    ends: ["is declared again", "are declared again"],
  },
};

function whyMissing(turn: Turn, id: NodeId): Missing | null {
  const node = turn.state.nodes[id];
  if (node === undefined) return "undeclared";
  if (!answersNow(turn, node) || node.reading === null) return "silent";
  return node.reading.loading ? "loading" : null;
}

/** Who is missing, and what would end it, in words. */
export function describeMissing(turn: Turn, ballot: Ballot): Pick<Rejection, "detail" | "ends" | "check"> {
  const missing = missingNodes(turn, ballot);
  const said = (words: "is" | "ends") =>
    keysOf(WORDS)
      .map((why) => ({ why, ids: missing.filter((id) => whyMissing(turn, id) === why) }))
      .filter(({ ids }) => ids.length > 0)
      .map(({ why, ids }) => named(ids, ...WORDS[why][words]));
  return { detail: said("is").join("; "), ends: said("ends").join(", "), check: missing.join(", ") };
}
