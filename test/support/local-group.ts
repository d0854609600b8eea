import { existsSync, readFileSync } from "node:fs";
import { afterAll } from "vitest";
import { PortError } from "../../lib/core/errors.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";

/** A group for the programs of one test file, closed when the file is done, whatever became of its tests. */
export function useProcessGroup(): ProcessGroup {
  const group = new ProcessGroup();
  afterAll(() => group.close());
  return group;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const POLLED_EVERY_MS = 20;

/**
 * Polls until the condition holds; fails with the given words otherwise. A port that gave no answer, as on a machine that is busy
 * with something else, is asked again, and asking takes a quarter of the time at most.
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const until = performance.now() + withinMs;
  let unanswered: unknown;
  for (let at = performance.now(); at < until; at = performance.now()) {
    try {
      if (await holds()) return;
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      unanswered = error;
    }
    await sleep(Math.max(POLLED_EVERY_MS, 3 * (performance.now() - at)));
  }
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause: unanswered });
}

/** A process that has ended but was not yet waited for by its parent counts as gone: on some machines that takes seconds. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  } catch {
    return !existsSync("/proc/self") && answersSignals(pid);
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
