// Findings as files: the case that replays one, its timeline and its picture. A case says everything that its run depends on,
// so that it stays the same when seeds draw otherwise.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Case } from "./swarm.ts";

const FOLDER = fileURLToPath(new URL("../../.cache/sim", import.meta.url));

export interface KeptFinding {
  readonly case: string;
  readonly picture: string;
}

/** Paths as seen from the working folder. */
export function keepFinding(told: Case, text: string, picture: string): KeptFinding {
  mkdirSync(FOLDER, { recursive: true });
  const file = (suffix: string) => join(FOLDER, `seed-${told.seed}.${suffix}`);
  writeFileSync(file("json"), `${JSON.stringify(told, null, 2)}\n`);
  writeFileSync(file("txt"), `${text}\n`);
  return { case: relative(process.cwd(), file("json")), picture: writePicture(file("svg"), picture) };
}

export function writePicture(path: string, picture: string): string {
  writeFileSync(path, picture);
  return relative(process.cwd(), path);
}

export function readCase(path: string): Case {
  const read = JSON.parse(readFileSync(path, "utf8")) as Partial<Case>;
  const { seed, world, plan, healAtMs } = read;
  if (typeof seed !== "string" || world === undefined || !Array.isArray(plan) || typeof healAtMs !== "number") {
    throw new Error("it needs seed, world, plan and healAtMs");
  }
  return { seed, world, plan, healAtMs };
}
