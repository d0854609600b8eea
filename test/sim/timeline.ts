// Everything that happened, one readable line each: what a failing seed prints. The same seed writes the same bytes.

import { type BallotWrite, type Json, valueAt } from "../../lib/core/ballot-write.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

export class Timeline {
  readonly lines: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  write(who: string, what: string): void {
    this.lines.push(`${(this.#now() / 1_000).toFixed(4).padStart(9)}  ${who.padEnd(12)} ${what}`);
  }

  node(fact: NodeFact): void {
    const { kind, node, ...rest } = fact;
    this.write(node, `${kind}${facts(rest)}`);
  }

  journal(entry: JournalEntry): void {
    const { event, epoch, node, detail, voter, generation } = entry;
    const subject = node === null ? "" : ` ${node}`;
    this.write(`${voter}/${generation}`, `${event}${subject} epoch ${epoch}${facts(detail)}`);
  }

  /** Votes that only re-affirm, and renewals, are left out. */
  ballot(change: BallotChange): void {
    if (change.write.name === "renew" || isReaffirmation(change)) return;
    this.write("table", `${change.write.name} by ${change.by}: ${describeChanges(change.write)}`);
  }
}

function facts(values: object): string {
  const shown = Object.entries(values).filter(([, value]) => value !== null);
  return shown.map(([name, value]) => ` ${name}=${typeof value === "object" ? JSON.stringify(value) : value}`).join("");
}

function isReaffirmation({ write, before }: BallotChange): boolean {
  if (write.name !== "cast-vote" || before === null) return false;
  const [attribute] = write.attempt.path;
  const levels = [before, null].map((item) => (item === null ? null : valueAt(item, [attribute, "level"])));
  const vote = write.changes.find(({ path }) => path[0] === attribute)?.value;
  return typeof vote === "object" && vote !== null && !Array.isArray(vote) && (vote as Vote)["level"] === levels[0];
}

type Vote = { readonly [key: string]: Json };

function describeChanges(write: BallotWrite): string {
  if (write.name === "create") return "new";
  return write.changes
    .filter(({ path }) => path[0] !== "attempt" && path[0] !== "members")
    .map(({ path, value }) => `${path.join(".")}=${describeValue(path[0], value)}`)
    .join(" ");
}

function describeValue(name: string, value: Json): string {
  if (name === "lineage") return "...";
  return JSON.stringify(value);
}
