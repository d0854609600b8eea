// What ports return in a simulation: a PromiseLike that the event queue settles, synchronously, so that no order depends
// on the microtask queue and no promise is made on the hot path.
//
// It differs from a promise in one way on purpose: an exception in a listener is not swallowed into a derived promise.
// It travels through the event queue to whoever runs the simulation, because in a voter it is a bug.

import type { EventQueue } from "./event-queue.ts";

type State = "pending" | "fulfilled" | "rejected";

interface Listener {
  readonly fulfilled: (value: unknown) => void;
  readonly rejected: (error: unknown) => void;
}

export class Eventual<T> implements PromiseLike<T> {
  readonly #queue: EventQueue;
  #state: State = "pending";
  #result: unknown;
  #listeners: Listener[] = [];

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  get settled(): boolean {
    return this.#state !== "pending";
  }

  /** Called from an event, never from inside the call that returned this object: a port never answers re-entrantly. */
  settle(value: T): void {
    if (this.#state !== "pending") return;
    this.#state = "fulfilled";
    this.#result = value;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener.fulfilled(value);
  }

  fail(error: unknown): void {
    if (this.#state !== "pending") return;
    if (this.#listeners.length === 0) throw error;
    this.#state = "rejected";
    this.#result = error;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener.rejected(error);
  }

  // biome-ignore lint/suspicious/noThenProperty: being a thenable is this class's whole purpose.
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    const derived = new Eventual<A | B>(this.#queue);
    this.#listen({
      fulfilled: (value) => {
        if (onFulfilled) adopt(derived, onFulfilled(value as T));
        else derived.settle(value as A);
      },
      rejected: (error) => {
        if (onRejected) adopt(derived, onRejected(error));
        else derived.fail(error);
      },
    });
    return derived;
  }

  #listen(listener: Listener): void {
    if (this.#state === "pending") {
      this.#listeners.push(listener);
      return;
    }
    const notify = this.#state === "fulfilled" ? listener.fulfilled : listener.rejected;
    this.#queue.after(0, () => notify(this.#result));
  }
}

function adopt<T>(derived: Eventual<T>, result: T | PromiseLike<T>): void {
  if (isThenable(result)) {
    result.then(
      (value) => derived.settle(value),
      (error: unknown) => derived.fail(error),
    );
  } else {
    derived.settle(result);
  }
}

const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
