// `why` for people.

import type { Explanation } from "./explanation.ts";
import { grid } from "./grid.ts";
import { lastOperationText } from "./last-operation.ts";
import type { Paint } from "./paint.ts";

export function whyText(explanation: Explanation, paint: Paint): readonly string[] {
  const { headline, reason, voters, votes, ends, checks, notes, last } = explanation;
  const isFine = headline.startsWith("OK");
  return [
    (isFine ? paint.good : paint.bad)(headline),
    ...notes.map((note) => `  ${paint.warning(note)}`),
    ...grid(voters.map(({ voter, sees, does }) => [voter, sees, does ?? ""])),
    ...(isFine || reason === null ? [] : [votesLine(votes, ends)]),
    ...checks.map(({ what, voters }) => `check: ${what} (${voters.join(", ")})`),
    ...(last === null ? [] : lastOperationText(last, explanation.at)),
  ];
}

function votesLine(votes: Explanation["votes"], ends: Explanation["ends"]): string {
  const suspects = votes.suspect.length === 0 ? "" : ` (${votes.suspect.length} more suspect it)`;
  const counted = `votes ${votes.down.length} of ${votes.needed} needed${suspects}`;
  return ends.length === 0 ? counted : `${counted}; ends when ${ends.join("; or when ")}`;
}
