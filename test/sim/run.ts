// Runs seeds of the simulation and ends with one line of counts; the first finding is shrunk and told: plan, timeline,
// picture, and the one command that replays it. Enough seeds that do not meet what must sometimes be met fail as well.

import { availableParallelism } from "node:os";
import { readCommandLine } from "../support/command-line.ts";
import { readCase } from "./case-files.ts";
import { readCorpus } from "./corpus.ts";
import { runSeeds } from "./crew.ts";
import { shrunk, tellFinding } from "./finding.ts";
import { type Case, caseOf, type SeedResult } from "./swarm.ts";

const USAGE = `npm run sim [-- --seeds N] [--from M] [--workers W] [--keep]: seeds M, M+1, ... on every core
npm run sim -- --seed S [--shrink], --case FILE: one seed, or what was left of one, told step by step
  --seeds    so many [200]
  --from     the first of them [1]
  --workers  processes [one for each core]
  --keep     goes on behind the first finding
  --shrink   to the least that still breaks a promise
  --picture  FILE.svg for the picture; a finding's is written to .cache/sim in any case`;

const { values, wholeNumber, refuse } = readCommandLine(USAGE, {
  seeds: { type: "string", default: "200" },
  from: { type: "string", default: "1" },
  workers: { type: "string", default: String(availableParallelism()) },
  seed: { type: "string" },
  case: { type: "string" },
  picture: { type: "string" },
  shrink: { type: "boolean", default: false },
  keep: { type: "boolean", default: false },
});

/** What once failed, as it then was; else what the seed draws now. */
const known = (seed: string): Case => readCorpus().find((each) => each.seed === seed) ?? caseOf(seed);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Exits non-zero where a promise is broken. */
function tell(told: Case): void {
  if (tellFinding(told, say, values.picture)) process.exitCode = 1;
}

function note({ seed, violations: [first] }: SeedResult): void {
  if (first === undefined) return;
  say(`seed ${seed}: ${first.id} at ${(first.at / 1_000).toFixed(3)} s: ${first.detail}`);
  say(`  npm run sim -- --seed ${seed} --shrink`);
}

async function runMany(): Promise<void> {
  const from = wholeNumber("from", values.from);
  const seeds = wholeNumber("seeds", values.seeds, 1);
  const workers = wholeNumber("workers", values.workers, 1);
  const began = performance.now();
  let first: SeedResult | null = null;
  const onFinding = (result: SeedResult) => {
    first ??= result;
    note(result);
  };
  const totals = await runSeeds({ from, seeds, workers, keep: values.keep, onFinding });
  const seconds = (performance.now() - began) / 1_000;
  if (first !== null) tell(shrunk(caseOf((first as SeedResult).seed), say));
  say(totals.describe(seconds));
  process.exitCode = totals.failed > 0 || totals.never.length > 0 ? 1 : 0;
}

function given(path: string): Case {
  try {
    return readCase(path);
  } catch (error) {
    return refuse(`${path} holds no case: ${error instanceof Error ? error.message : String(error)}`);
  }
}

if (values.case !== undefined) tell(given(values.case));
else if (values.seed !== undefined) tell(values.shrink ? shrunk(known(values.seed), say) : known(values.seed));
else await runMany();
