// A list of steps with their times: on a terminal the running one is shown and replaced by its result, elsewhere each is
// a line when it is done.

import { createLogUpdate } from "log-update";
import pico from "picocolors";
import { messageOf } from "../../core/errors.ts";

export interface StepOutput {
  readonly stream: NodeJS.WriteStream;
  readonly isTerminal: boolean;
}

/** Says a line that belongs to the step, below it. */
export type Say = (line: string) => void;

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
const INDENT = "    ";

export class StepPrinter {
  readonly #output: StepOutput;
  readonly #live: ReturnType<typeof createLogUpdate> | null;

  constructor(output: StepOutput) {
    this.#output = output;
    this.#live = output.isTerminal ? createLogUpdate(output.stream) : null;
  }

  say(text: string): void {
    this.#output.stream.write(`${text}\n`);
  }

  /** Runs `work` as one step. What it throws is shown as the step's failure, and thrown on. */
  async step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const lines: string[] = [];
    const stop = this.#animate(title, lines);
    try {
      const result = await work((line) => lines.push(...line.split("\n")));
      stop();
      this.#finish(pico.green("✔"), "ok", title, startedAt, lines);
      return result;
    } catch (error) {
      stop();
      this.#finish(pico.red("✖"), "FAILED", title, startedAt, [...lines, messageOf(error)]);
      throw error;
    }
  }

  /** What stands in the way of a step's animation is cleared: call before leaving in the middle of one. */
  clear(): void {
    this.#live?.clear();
  }

  #animate(title: string, lines: readonly string[]): () => void {
    const live = this.#live;
    if (live === null) return () => undefined;
    let frame = 0;
    const show = (): void => {
      frame = (frame + 1) % FRAMES.length;
      live([`${pico.cyan(FRAMES[frame] ?? "")} ${title}`, ...indented(lines)].join("\n"));
    };
    show();
    const timer = setInterval(show, FRAME_MS);
    return () => {
      clearInterval(timer);
      live.clear();
      live.done();
    };
  }

  #finish(mark: string, word: string, title: string, startedAt: number, lines: readonly string[]): void {
    const seconds = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
    const head = this.#output.isTerminal ? `${mark} ${title} ${pico.dim(seconds)}` : `${word}: ${title} (${seconds})`;
    this.say([head, ...indented(lines)].join("\n"));
  }
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => (line === "" ? "" : `${INDENT}${line}`));
