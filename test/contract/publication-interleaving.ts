// Two publishers at the same time, in every order of their requests. Each one's client waits for its turn before a request
// is sent; the schedule says whose turn it is. Answers come before the next turn, as from a service that serves one
// request at a time.

/** What the SDK's clients have in common. */
interface Client {
  send(command: never, options?: never): Promise<unknown>;
}

interface Waiting {
  readonly go: () => void;
}

/** Whose turn it is, by request: `a` or `b`; after the last one the first that waits goes on. */
export type Schedule = readonly ("a" | "b")[];

/** Every schedule of that many requests: 2^length of them. */
export function schedules(length: number): readonly Schedule[] {
  return Array.from({ length: 2 ** length }, (_, bits) =>
    Array.from({ length }, (_each, at) => (((bits >> at) & 1) === 0 ? "a" : "b")),
  );
}

export class Interleaving {
  readonly #schedule: ("a" | "b")[];
  readonly #afterEach: () => Promise<void>;
  readonly #waiting: { a: Waiting[]; b: Waiting[] } = { a: [], b: [] };
  readonly #running = new Set<"a" | "b">();
  #isBusy = false;

  /** `afterEach` is called after each answer, before the next request: what everybody can see then. */
  constructor(schedule: Schedule, afterEach: () => Promise<void>) {
    this.#schedule = [...schedule];
    this.#afterEach = afterEach;
  }

  /** `client`, whose requests wait for the turns of `name`. */
  client<T extends Client>(name: "a" | "b", client: T): T {
    const send = async (command: never, options?: never): Promise<unknown> => {
      await new Promise<void>((go) => {
        this.#waiting[name].push({ go });
        this.#next();
      });
      try {
        return await client.send(command, options);
      } finally {
        await this.#afterEach();
        this.#isBusy = false;
        this.#next();
      }
    };
    return new Proxy(client, { get: (target, key) => (key === "send" ? send : Reflect.get(target, key)) });
  }

  /** Runs both to their end. */
  async run<A, B>(a: () => PromiseLike<A>, b: () => PromiseLike<B>): Promise<readonly [A, B]> {
    return Promise.all([this.#track("a", a), this.#track("b", b)]);
  }

  async #track<T>(name: "a" | "b", work: () => PromiseLike<T>): Promise<T> {
    this.#running.add(name);
    try {
      return await work();
    } finally {
      this.#running.delete(name);
      this.#next();
    }
  }

  #next(): void {
    if (this.#isBusy) return;
    const name = this.#turn();
    const waiting = name === null ? undefined : this.#waiting[name].shift();
    if (waiting === undefined) return;
    this.#isBusy = true;
    waiting.go();
  }

  /** The scheduled one, once it asks; one that has ended, or does something else meanwhile, is passed over. */
  #turn(): "a" | "b" | null {
    const [scheduled] = this.#schedule;
    if (scheduled === undefined) return this.#waiting.a.length > 0 ? "a" : this.#waiting.b.length > 0 ? "b" : null;
    if (this.#waiting[scheduled].length > 0) {
      this.#schedule.shift();
      return scheduled;
    }
    // It has not sent its next request yet, but will.
    if (this.#running.has(scheduled)) return null;
    this.#schedule.shift();
    return this.#turn();
  }
}
