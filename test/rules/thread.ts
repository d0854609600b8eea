// Runs one thing in a thread of its own, which loads the sources with a rule taken out, or as they are.

import { Worker } from "node:worker_threads";

export type Task =
  /** The schedule that was written for `rule`, with its own seed and a few others, or with `seed` alone. */
  | { readonly kind: "schedule"; readonly rule: string; readonly seed?: string }
  /** A plan of the exploration, until something is broken; given up after so many states. */
  | { readonly kind: "exploration"; readonly plan: string; readonly states: number }
  /** Seeds of the swarm, until one breaks something. */
  | { readonly kind: "seeds"; readonly from: number; readonly seeds: number }
  /** A file of tests: the first that fails, of those that have `named` in their names. */
  | { readonly kind: "tests"; readonly file: string; readonly named?: string };

export interface Caught {
  /** Id of the promise, or name of the test. */
  readonly breaks: string;
  readonly detail: string;
  /** Which seed, plan or file it was. */
  readonly by: string;
}

export interface Work {
  /** Name of a removal; null: nothing is taken out. */
  readonly without: string | null;
  readonly task: Task;
}

/** What was broken first; null: nothing was. */
export function inThread(work: Work): Promise<Caught | null> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread-worker.ts", import.meta.url), { workerData: work });
    worker.on("message", (caught: Caught | null) => resolve(caught));
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`the thread ended with ${code} and said nothing`)));
  });
}
