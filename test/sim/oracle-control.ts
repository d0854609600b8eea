// S8 over what begins and what is sent: while a group is paused or observed nothing is begun, and a voter that knows of it
// sends nothing but probes to a node, beyond what belongs to an operation that had begun before; paused, it does not vote.

import type { Item } from "../../lib/core/ballot-write.ts";
import type { NodeCommand, NodeId } from "../../lib/core/types.ts";
import { fieldAt, numberAt, textAt } from "./item.ts";
import type { Findings, OracleView } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";

/** The record, as the table has just answered an invocation. */
export interface Shown {
  readonly invocation: string;
  readonly item: Item | null;
}

/** A command on its way to a node. */
export interface Sent {
  readonly invocation: string;
  /** The voter's place. */
  readonly by: string;
  readonly node: NodeId;
  readonly command: NodeCommand;
}

/** What the rates of two clocks make of a vote's window. */
const WINDOW_TOLERANCE = 1.001;

type View = Pick<OracleView, "now" | "config" | "wallOf" | "tableId">;

export class ControlOracle {
  readonly #view: View;
  readonly #findings: Findings;
  /** What each invocation knows of the record. */
  readonly #shown = new Map<string, Item>();
  #record: Item | null = null;
  /** Since when nothing goes on and the record says that nothing may begin. */
  #heldBackSince: number | null = null;

  constructor(view: View, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  onBallot(change: BallotChange): void {
    this.#nothingBegins(change);
    this.#nothingOfAnotherTable(change);
    this.#record = change.after;
    const isHeldBack = textAt(change.after, "control", "mode") !== "act" && !hasOperation(change.after);
    this.#heldBackSince = isHeldBack ? (this.#heldBackSince ?? this.#view.now()) : null;
  }

  onReplaced(): void {
    this.#record = null;
    this.#heldBackSince = null;
  }

  onShown({ invocation, item }: Shown): void {
    if (item !== null) this.#shown.set(invocation, item);
  }

  /** By what the voter was shown; whoever reaches no table may not know better, but holds no writes on votes that are old. */
  onSent(sent: Sent): void {
    const item = this.#shown.get(sent.invocation);
    const what = `${sent.by} sent ${sent.node} a ${sent.command.kind}`;
    if (item === undefined) return this.#findings.report("S10", `${what} before it was shown any record`);
    if (textAt(item, "table") !== this.#view.tableId())
      return this.#findings.report("S8", `${what} by a record that was written for another table`);
    const mode = this.#modeFor(item, sent.by);
    if (mode !== "act" && !belongsToOperation(sent, item))
      return this.#findings.report("S8", `${what} and knew that the group is ${mode}`);
    const heldBackMs = this.#heldBackSince === null ? 0 : this.#view.now() - this.#heldBackSince;
    const isLate = heldBackMs > this.#view.config().voteWindowMs * WINDOW_TOLERANCE;
    if (sent.command.kind === "pause" && isLate && this.#modeFor(this.#record, sent.by) !== "act")
      this.#findings.report("S8", `${what} ${heldBackMs} ms after the group was told to wait, without asking`);
  }

  /** Who was shown a pause votes no more, and retracts nothing (protocol.md, section 10); who only observes votes. */
  onVote(by: string, invocation: string): void {
    const item = this.#shown.get(invocation) ?? null;
    if (this.#modeFor(item, by) === "paused")
      this.#findings.report("S8", `${by} cast a vote and knew that the group is paused`);
  }

  /** Nothing is granted, adopted or initialised while the mode that stood was not `act`, over whatever stood beside it. */
  #nothingBegins({ before, after, by, write }: BallotChange): void {
    if (before === null || numberAt(after, "epoch") <= numberAt(before, "epoch")) return;
    const mode = this.#modeFor(before, by);
    const continues = hasOperation(before) && began(before) === began(after);
    if (mode === "act" || continues) return;
    this.#findings.report("S8", `${write.name} of ${by} began something while ${mode}`);
  }

  /** A copy of another table's record is only looked at, until a person orders to recover; an operator may pause it. */
  #nothingOfAnotherTable({ before, after, by, write }: BallotChange): void {
    const table = textAt(before, "table");
    if (table === null || table === this.#view.tableId() || write.name === "set-control") return;
    if (textAt(after, "operation", "kind") === "recover" && textAt(after, "table") === this.#view.tableId()) return;
    this.#findings.report("S8", `${write.name} of ${by} changed a record that was written for ${table}`);
  }

  /** A pause is over when it is by the clock of who asks. */
  #modeFor(item: Item | null, by: string): string {
    const mode = textAt(item, "control", "mode") ?? "act";
    const until = numberAt(item, "control", "until");
    const isOver = mode === "paused" && until !== 0 && this.#view.wallOf(by) >= until;
    return isOver ? (textAt(item, "control", "returnsTo") ?? "act") : mode;
  }
}

const hasOperation = (item: Item): boolean => fieldAt(item, "operation") !== undefined;

const began = (item: Item): number => numberAt(item, "operation", "began");

/** What its holder does, and the fences of the others. */
const belongsToOperation = ({ by, command }: Sent, item: Item): boolean =>
  hasOperation(item) && (command.kind === "freeze" || `voter:${textAt(item, "lease", "holder")}` === by);
