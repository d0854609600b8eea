import { describe, expect, it } from "vitest";
import { answerTo, type Routine, run, together } from "../../lib/runtime/routine.ts";

const ended = <T>(routine: Routine<T>): Promise<T> => new Promise((resolve, reject) => run(routine, resolve, reject));

describe("a routine", () => {
  it("goes on with each answer, and ends with what it returns", async () => {
    function* sum(): Routine<number> {
      const one = yield* answerTo(Promise.resolve(1));
      return one + (yield* answerTo(Promise.resolve(2)));
    }
    expect(await ended(sum())).toBe(3);
  });

  it("may catch what a call was rejected with, and ends with what it does not catch", async () => {
    function* caught(): Routine<string> {
      try {
        return yield* answerTo(Promise.reject(new Error("away")));
      } catch (error) {
        return (error as Error).message;
      }
    }
    expect(await ended(caught())).toBe("away");
    await expect(ended(answerTo(Promise.reject(new Error("away"))))).rejects.toThrow("away");
  });
});

describe("routines side by side", () => {
  it("are all begun at once, and answered in their order", async () => {
    const begun: number[] = [];
    function* one(number: number, ms: number): Routine<number> {
      begun.push(number);
      yield* answerTo(new Promise((resolve) => setTimeout(resolve, ms)));
      return number;
    }
    const all = ended(together([one(1, 20), one(2, 1), one(3, 5)]));
    expect(begun).toEqual([1, 2, 3]);
    expect(await all).toEqual([1, 2, 3]);
    expect(await ended(together([]))).toEqual([]);
  });

  it("end with the first failure, once", async () => {
    const failing = (text: string, ms: number): Routine<never> =>
      answerTo(new Promise<never>((_, reject) => setTimeout(() => reject(new Error(text)), ms)));
    const ends: string[] = [];
    run(
      together([failing("late", 10), failing("first", 1)]),
      () => ends.push("done"),
      (error) => ends.push((error as Error).message),
    );
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(ends).toEqual(["first"]);
  });
});
