// `npm run sim -- --seeds N [--from M] [--keep]`: runs seeds on every core and ends with one line of counts; stops at the
// first finding unless `--keep`. The first finding is shrunk and told: plan, timeline, picture, and the one command that
// replays it. Enough seeds that do not meet what must sometimes be met fail as well.
// `npm run sim -- --seed S [--shrink]`, `--case FILE`: runs one seed, or what was left of one, and tells it.
// `--picture FILE.svg` writes its picture there; a finding's is written to .cache/sim in any case.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { keepFinding, readCase, writePicture } from "./case-files.ts";
import { readCorpus } from "./corpus.ts";
import { runSeeds } from "./crew.ts";
import { startVoter } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { describeCase, tellCase } from "./story.ts";
import { type Case, caseOf, runCase, type SeedResult } from "./swarm.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    workers: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    case: { type: "string" },
    picture: { type: "string" },
    shrink: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

/** What once failed, as it then was; else what the seed draws now. */
const known = (seed: string): Case => readCorpus().find((each) => each.seed === seed) ?? caseOf(seed);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function shrunk(drawn: Case): Case {
  const {
    case: smallest,
    tries,
    id,
  } = shrink(drawn, (tried) => runCase(tried, startVoter).result.violations[0]?.id ?? null);
  say(id === null ? "nothing is broken: nothing to shrink" : `shrunk in ${tries} runs, ${id} is still broken`);
  return smallest;
}

/** The plan first: whatever happens to the run, it is known what was run. */
function tell(told: Case): void {
  say(describeCase(told));
  const { text, picture, result } = tellCase(told, startVoter);
  say(text);
  if (tellCase(told, startVoter).text !== text) throw new Error("the same case wrote another timeline");
  if (values.picture !== undefined) say(`picture: ${writePicture(values.picture, picture)}`);
  if (result.violations.length === 0) return;
  process.exitCode = 1;
  const kept = keepFinding(told, text, picture);
  say(`picture: ${kept.picture}\n replay: npm run sim -- --case ${kept.case}`);
}

function note({ seed, violations: [first] }: SeedResult): void {
  if (first === undefined) return;
  say(`seed ${seed}: ${first.id} at ${(first.at / 1_000).toFixed(3)} s: ${first.detail}`);
  say(`  npm run sim -- --seed ${seed} --shrink`);
}

async function runMany(): Promise<void> {
  const [from, seeds, workers] = [values.from, values.seeds, values.workers].map(Number) as [number, number, number];
  const began = performance.now();
  let first: SeedResult | null = null;
  const onFinding = (result: SeedResult) => {
    first ??= result;
    note(result);
  };
  const totals = await runSeeds({ from, seeds, workers, keep: values.keep, onFinding });
  const seconds = (performance.now() - began) / 1_000;
  if (first !== null) tell(shrunk(caseOf((first as SeedResult).seed)));
  say(totals.describe(seconds));
  if (totals.never.length > 0) say(`not met: ${totals.never.join(", ")}`);
  process.exitCode = totals.failed > 0 || totals.never.length > 0 ? 1 : 0;
}

if (values.case !== undefined) tell(readCase(values.case));
else if (values.seed !== undefined) tell(values.shrink ? shrunk(known(values.seed)) : known(values.seed));
else await runMany();
