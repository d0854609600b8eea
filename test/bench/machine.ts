// What ran the bench, without naming it.

import { cpus, loadavg, release, totalmem, type } from "node:os";
import { readTools } from "../../lib/local/tools.ts";
import type { Machine } from "./report.ts";

export const loadNow = (): number => loadavg()[0] ?? 0;

export function describeMachine(loadAtStart: number): Machine {
  return {
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split(/[-+]/)[0]}`,
    node: process.versions.node,
    valkey: readTools().valkey.version,
    load: [loadAtStart, loadNow()],
  };
}
