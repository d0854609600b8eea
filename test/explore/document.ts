// What `npm run explore -- --write` writes between the markers of README.md: a row for each plan that was run, beside the
// rows of the others, each with the day on which it was written.

import { readFileSync, writeFileSync } from "node:fs";
import { type Bounds, FIGURES, IN_TESTS, PLANS, type PlanName } from "./bounds.ts";
import type { Found } from "./search.ts";

const DOCUMENT = new URL("./README.md", import.meta.url);
const BEGIN = "<!-- explored: begin (npm run explore -- --write) -->";
const END = "<!-- explored: end -->";
const HEADS = ["plan", "voters", "bounds", "states", "depth", "followed to rest", "healthy", "written"];
const NOT_RUN = "-";

const ABOUT: Readonly<Record<PlanName, string>> = {
  quiet: "nothing is wrong at first",
  begun: "n1 has died, and nobody knows",
  voted: "n1 died, and two have voted",
  granted: "n1 died, and the lease is granted",
  troubled: "the same",
  lapsed: "the same",
  severed: "the same",
  parted: "the same",
  renewed: "the same",
  rejoined: "the same",
  lost: "the same",
  crashed: "the same",
  promoted: "the commit is under way",
  published: "the publication is under way",
  outdated: "a publication is late, and its primary has died",
  restarted: "a stale holder, a restarted node",
  uneven: "replicas that differ",
  dying: "as `granted`",
  restarting: "as `granted`",
  hanging: "n1 hangs, and the lease is granted",
  isolated: "n1 serves where no voter reaches it",
  apart: "the same, and one replica is out of reach",
  returned: "a promotion under way while its holder is replaced",
  bereft: "an acknowledged write, and n1 died",
  kept: "the same, and the lease is granted",
  cold: "all nodes have restarted",
  ordered: "a switchover is granted",
  handed: "the same",
  paused: "n1 died, and two have voted",
  succeeded: "three holders, one after the other",
  combined: "as `granted`",
};

export interface Row {
  readonly name: string;
  readonly bounds: string;
  readonly line: string;
}

/** `loss 1, delay 1`, and what the group is declared to be. */
export function boundsText(plan: Bounds): string {
  const figures = FIGURES.filter((name) => !["epochs", "states", "restEvery"].includes(name) && plan[name] > 0);
  const settings = Object.entries(plan.settings).map(([name, value]) => `\`${name} ${value}\``);
  return [...figures.map((name) => `\`${name} ${plan[name]}\``), ...settings].join(", ") || "order alone";
}

/** The document, and where what is written begins and ends in it. */
function marked(): readonly [string, number, number] {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`the document has no ${BEGIN} .. ${END}`);
  return [text, begin + BEGIN.length, end];
}

/** The rows that stand in the document. */
export function documented(): readonly Row[] {
  const [document, begin, end] = marked();
  const text = document.slice(begin, end);
  return text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [, name = "", , bounds = ""] = line.split("|").map((cell) => cell.trim());
      return { name: name.replace(/^`(\w+)`.*$/, "$1"), bounds, line };
    });
}

function rowOf(name: PlanName, found: Found, day: string): string {
  const plan: Bounds = PLANS[name];
  const isInTests = IN_TESTS.some((each) => each === name);
  const voters = plan.opening.includes("az-c dies") ? "two" : "three";
  const states = found.isComplete ? `${found.states}, all` : `the first ${found.states}`;
  const figures = [states, found.depth, found.rested, found.healed].map(String);
  return row([
    `\`${name}\`${isInTests ? " (`npm test`)" : ""}: ${ABOUT[name]}`,
    voters,
    boundsText(plan),
    ...figures,
    day,
  ]);
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** A plan that was never written has an empty row. */
function standingRow(name: PlanName): string {
  const standing = documented().find((each) => each.name === name);
  return standing?.line ?? row([`\`${name}\`: ${ABOUT[name]}`, ...Array<string>(HEADS.length - 1).fill(NOT_RUN)]);
}

export function write(name: PlanName, found: Found): void {
  const day = new Date().toISOString().slice(0, 10);
  const names = Object.keys(PLANS) as PlanName[];
  const lines = names.map((each) => (each === name ? rowOf(name, found, day) : standingRow(each)));
  const [document, begin, end] = marked();
  const table = [row(HEADS), row(HEADS.map(() => "---")), ...lines].join("\n");
  writeFileSync(DOCUMENT, `${document.slice(0, begin)}\n${table}\n${document.slice(end)}`);
}
