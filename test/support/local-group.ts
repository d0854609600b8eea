import { existsSync, readFileSync } from "node:fs";
import { afterAll } from "vitest";
import { ProcessGroup } from "../../lib/local/process-group.ts";

/** A group for the programs of one test file, closed when the file is done, whatever became of its tests. */
export function useProcessGroup(): ProcessGroup {
  const group = new ProcessGroup();
  afterAll(() => group.close());
  return group;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until the condition holds; fails with the given words otherwise. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (await holds()) {
      return;
    }
    await sleep(20);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
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
