// What a person reads of a case that breaks a promise: the least that still breaks it, its plan, timeline and picture, and the
// one command that replays it.

import { keepFinding, writePicture } from "./case-files.ts";
import { startVoter } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { describeCase, tellCase } from "./story.ts";
import { type Case, runCase } from "./swarm.ts";

type Say = (line: string) => void;

export function shrunk(drawn: Case, say: Say): Case {
  const {
    case: smallest,
    tries,
    id,
  } = shrink(drawn, (tried) => runCase(tried, startVoter).result.violations[0]?.id ?? null);
  say(id === null ? "nothing is broken: nothing to shrink" : `shrunk in ${tries} runs, ${id} is still broken`);
  return smallest;
}

/** The plan first: whatever happens to the run, it is known what was run. Whether a promise is broken. */
export function tellFinding(told: Case, say: Say, pictureFile?: string): boolean {
  say(describeCase(told));
  const { text, picture, result } = tellCase(told, startVoter);
  say(text);
  if (tellCase(told, startVoter).text !== text) throw new Error("the same case wrote another timeline");
  if (pictureFile !== undefined) say(`picture: ${writePicture(pictureFile, picture)}`);
  if (result.violations.length === 0) return false;
  const kept = keepFinding(told, text, picture);
  say(`picture: ${kept.picture}\n replay: npm run sim -- --case ${kept.case}`);
  return true;
}
