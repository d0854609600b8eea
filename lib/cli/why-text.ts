// `why` for people.

import type { Explanation } from "./explanation.ts";
import { grid } from "./grid.ts";
import { lastOperationText } from "./last-operation.ts";
import type { Paint } from "./paint.ts";

export function whyText(explanation: Explanation, paint: Paint): readonly string[] {
  const { headline, voters, checks, notes, last } = explanation;
  return [
    (headline.startsWith("OK") ? paint.good : paint.bad)(headline),
    ...notes.map((note) => `  ${paint.warning(note)}`),
    ...grid(voters.map(({ voter, sees, does }) => [voter, sees, does ?? ""])),
    ...endLines(explanation),
    ...checks.map(({ what, voters: by }) => `check: ${what} (${by.join(", ")})`),
    ...(last === null ? [] : lastOperationText(last, explanation.at)),
  ];
}

/** What is missing. Votes are only counted where the primary is in question. */
function endLines({ reason, primaryServes, votes, ends }: Explanation): readonly string[] {
  if (reason === null) return [];
  const suspects = votes.suspect.length === 0 ? "" : ` (${votes.suspect.length} more suspect it)`;
  const counted = primaryServes === false ? [`votes ${votes.down.length} of ${votes.needed} needed${suspects}`] : [];
  const ending = ends.length === 0 ? [] : [`ends when ${ends.join("; or when ")}`];
  const line = [...counted, ...ending].join("; ");
  return line === "" ? [] : [line];
}
