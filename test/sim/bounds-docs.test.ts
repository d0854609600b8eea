// The bounds of what has to come are those that docs/verification.md tells.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as fence from "./oracle-fence.ts";
import * as progress from "./oracle-progress.ts";
import * as swarm from "./swarm.ts";

const FILES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "oracle-fence.ts": { ...fence },
  "oracle-progress.ts": { ...progress },
  "swarm.ts": { ...swarm },
};
/** | promise | what | within | `file`: `NAME_MS` |, of whose bound the one time in seconds is the constant. */
const ROW = /^\| [SL]\d+ \| [^|]+ \| ([^|]+) \| `([a-z-]+\.ts)`: `([A-Z_]+_MS)` \|$/gm;

const document = readFileSync(new URL("../../docs/verification.md", import.meta.url), "utf8");
const rows = [...document.matchAll(ROW)].map(([, within = "", file = "", name = ""]) => ({ within, file, name }));

describe("the bounds in docs/verification.md", () => {
  it.each(rows)("$file: $name is $within", ({ within, file, name }) => {
    const [seconds] = [...within.matchAll(/(\d+(?:\.\d+)?) s\b/g)].map(([, figure]) => Number(figure) * 1_000);
    expect(FILES[file]?.[name]).toBe(seconds);
  });

  it("are all that these files export", () => {
    const told = new Set(rows.map(({ name }) => name));
    const known = Object.values(FILES).flatMap((file) => Object.keys(file).filter((name) => name.endsWith("_MS")));
    expect(known.filter((name) => !told.has(name))).toEqual([]);
    expect(told.size).toBe(13);
  });
});
