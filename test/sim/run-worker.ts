// One thread of `run.ts`: runs its share of the seeds and tells how each ended.

import { parentPort, workerData } from "node:worker_threads";
import { startVoter } from "./scenario.ts";
import { runSeed } from "./swarm.ts";

const share = workerData as { readonly from: number; readonly to: number; readonly step: number };
for (let seed = share.from; seed < share.to; seed += share.step) {
  parentPort?.postMessage(runSeed({ seed: String(seed), startVoter }).result);
}
