// A sequence of calls written as a generator: it yields what it waits for, and goes on with the answer. Like an `async` function,
// but driven by nothing except `.then` of the calls themselves, so that the simulator can answer each of them from its own
// queue of events and the same text runs there and in Lambda.

/** Begins to wait; one of the two is called once. */
export type Wait = (answered: (value: unknown) => void, failed: (error: unknown) => void) => void;
export type Routine<T> = Generator<Wait, T, unknown>;

/** The answer of one call; throws what it was rejected with. */
export function* answerTo<T>(call: PromiseLike<T>): Routine<T> {
  return (yield (answered, failed) => void call.then(answered, failed)) as T;
}

/** All of them side by side, ended with the last; throws the first failure, and the others go on unheard. */
export function* together<T>(routines: readonly Routine<T>[]): Routine<readonly T[]> {
  if (routines.length === 0) return [];
  return (yield (answered, failed) => {
    const values: T[] = [];
    let open = routines.length;
    let hasFailed = false;
    for (const [index, routine] of routines.entries()) {
      const done = (value: T) => {
        values[index] = value;
        open -= 1;
        if (open === 0) answered(values);
      };
      run(routine, done, (error) => {
        if (!hasFailed) failed(error);
        hasFailed = true;
      });
    }
  }) as readonly T[];
}

/** Runs it to its end, and calls one of the two then. */
export function run<T>(routine: Routine<T>, done: (value: T) => void, failed: (error: unknown) => void): void {
  const go = (resume: () => IteratorResult<Wait, T>): void => {
    let result: IteratorResult<Wait, T>;
    try {
      result = resume();
    } catch (error) {
      return failed(error);
    }
    if (result.done === true) return done(result.value);
    result.value(
      (value) => go(() => routine.next(value)),
      (error) => go(() => routine.throw(error)),
    );
  };
  go(() => routine.next());
}
