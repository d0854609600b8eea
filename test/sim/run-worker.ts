// One thread of a crew: runs its share of the seeds and tells how each ended. The first of them is run twice more, because
// a seed that does not write the same bytes again replays nothing.

import { parentPort, workerData } from "node:worker_threads";
import type { Share } from "./crew.ts";
import { startVoter } from "./scenario.ts";
import { tellSeed } from "./story.ts";
import { runSeed, type SeedResult } from "./swarm.ts";

function runTwice(result: SeedResult): SeedResult {
  const [one, other] = [tellSeed(result.seed, startVoter), tellSeed(result.seed, startVoter)];
  if (one === other) return result;
  const differs = { id: "replay", at: 0, detail: "the same seed wrote another timeline" };
  return { ...result, violations: [...result.violations, differs] };
}

const { from, to, step } = workerData as Share;
for (let seed = from; seed < to; seed += step) {
  const { result } = runSeed({ seed: String(seed), startVoter });
  parentPort?.postMessage(seed === from ? runTwice(result) : result);
}
