// Core with a rule taken out on purpose, to see that the exploration notices. The sources are copied and one place of
// them is rewritten; a place that is not found any more is an error, so that no test passes because it broke nothing.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Engine } from "./world.ts";

interface Break {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Name of the rule, and how it is taken out. */
export const BREAKS: Readonly<Record<string, Break>> = {
  /** One frozen node is enough, also where loss is refused. */
  R2: {
    file: "candidate.ts",
    from: "return Math.max(1, Object.keys(ballot.members.nodes).length - config.waitK);",
    to: "return 1;",
  },
  /** A process that restarted counts like any other. */
  R4: {
    file: "candidate.ts",
    from: "if (member.runId !== reading.runId) return",
    to: "if (member.runId === null) return",
  },
  /** The target of a switchover is promoted at whatever offset it has. */
  R11: { file: "switchover.ts", from: "reading.offset === offset &&", to: "offset >= 0 &&" },
  /** A command goes over a connection that is younger than the look at the ballot. */
  R9: {
    file: "operation.ts",
    from: "if (known.connection.authenticatedAt <= look.sentAt) return known.connection;",
    to: "return known.connection;",
  },
  /** A node found promoted is committed without a transaction of this epoch. */
  R24: {
    file: "contend.ts",
    from: "const { settled } = factsOf(runOf(turn), node.id);\n  if (settled !== null",
    to: "const settled = node.reading;\n  if (settled !== null",
  },
  /** One voter's verdict is enough. */
  S3: { file: "decision.ts", from: "const missing = config.quorum - count.down.length;", to: "const missing = 0;" },
  /** The one with the least data is the best. */
  S6: {
    file: "candidate.ts",
    from: "b.history - a.history || b.offset - a.offset;",
    to: "b.history - a.history || a.offset - b.offset;",
  },
  /** A lapsed lease is nobody's business. */
  S11: {
    file: "decision.ts",
    from: "  if (!mayWrite(turn)) return null;\n  const { self, config } = turn.context;\n  write(turn, takeOver",
    to: "  if (turn.at > 0) return null;\n  const { self, config } = turn.context;\n  write(turn, takeOver",
  },
};

/** The engine without that rule. */
export async function engineWithout(rule: string): Promise<Engine> {
  const change = BREAKS[rule];
  if (change === undefined) throw new RangeError(`no rule ${rule} to take out: ${Object.keys(BREAKS).join(", ")}`);
  const folder = mkdtempSync(join(tmpdir(), "valkeeper-explore-"));
  try {
    // Without its configuration of types, which names one outside the copy.
    const filter = (path: string) => !path.endsWith("tsconfig.json");
    cpSync(fileURLToPath(new URL("../../lib/core", import.meta.url)), folder, { recursive: true, filter });
    const path = join(folder, change.file);
    const text = readFileSync(path, "utf8");
    if (!text.includes(change.from)) throw new RangeError(`${change.file} does not contain what stands for ${rule}`);
    writeFileSync(path, text.replace(change.from, change.to));
    const module = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "step.ts")).href)) as { step: Engine };
    return module.step;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
