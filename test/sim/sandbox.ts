// One execution environment of a function: everything a voter's invocation hears (a timer, an answer) enters through it,
// so that it can be frozen, stalled or killed between any two of its callbacks, which is at every await.

import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";

type Callback = () => void;

export class Sandbox {
  readonly name: string;
  /** Callbacks that it has run: the places at which a plan may kill or freeze it. */
  steps = 0;
  /** Called before each callback; may freeze or kill. */
  onStep: ((steps: number) => void) | null = null;
  readonly #queue: EventQueue;
  readonly #dice: Dice;
  #state: "running" | "frozen" | "dead" = "running";
  #timersDue: Callback[] = [];
  #answersDue: Callback[] = [];
  readonly #onDeath: Callback[] = [];

  constructor(name: string, queue: EventQueue, dice: Dice) {
    this.name = name;
    this.#queue = queue;
    this.#dice = dice;
  }

  get alive(): boolean {
    return this.#state !== "dead";
  }

  get frozen(): boolean {
    return this.#state === "frozen";
  }

  /** An answer arrived. */
  deliver(callback: Callback): void {
    if (this.#state === "running") this.#run(callback);
    else if (this.#state === "frozen") this.#answersDue.push(callback);
  }

  /** A timer is due. */
  ring(callback: Callback): void {
    if (this.#state === "running") this.#run(callback);
    else if (this.#state === "frozen") this.#timersDue.push(callback);
  }

  /** Nothing runs, sockets stay open, the monotonic clock goes on: SIGSTOP, a paused host, a blocked event loop. */
  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  /** What fell due meanwhile runs now: timers before answers or after them, as an event loop may find them. */
  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    const timersFirst = this.#dice.chance(0.5);
    const due = timersFirst ? [...this.#timersDue, ...this.#answersDue] : [...this.#answersDue, ...this.#timersDue];
    this.#timersDue = [];
    this.#answersDue = [];
    this.#queue.after(0, () => this.#drain(due));
  }

  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#timersDue = [];
    this.#answersDue = [];
    for (const callback of this.#onDeath.splice(0)) callback();
  }

  /** Its sockets are closed by the kernel. */
  onDeath(callback: Callback): void {
    this.#onDeath.push(callback);
  }

  #drain(due: readonly Callback[]): void {
    for (const callback of due) this.deliver(callback);
  }

  #run(callback: Callback): void {
    this.steps += 1;
    this.onStep?.(this.steps);
    if (this.#state === "running") callback();
    else if (this.#state === "frozen") this.#answersDue.push(callback);
  }
}
