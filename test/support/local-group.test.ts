import { describe, expect, it } from "vitest";
import { PortError } from "../../lib/core/errors.ts";
import { eventually } from "./local-group.ts";

const unanswered = new PortError("group-store", "readBallot", "no answer");

describe("eventually", () => {
  it("asks a port again that gave no answer", async () => {
    const answers = [() => Promise.reject(unanswered), () => Promise.resolve(false), () => Promise.resolve(true)];
    let asked = 0;
    await eventually("it holds", () => answers[asked++]?.() ?? Promise.reject(new Error("asked too often")));
    expect(asked).toBe(3);
  });

  it("says what was waited for, and the last port that gave no answer", async () => {
    const waiting = eventually("the primary has moved", () => Promise.reject(unanswered), 50);
    await expect(waiting).rejects.toMatchObject({
      message: "not within 50 ms: the primary has moved",
      cause: unanswered,
    });
  });

  it("passes on everything else at once", async () => {
    const wrong = new Error("no node n4");
    await expect(eventually("it holds", () => Promise.reject(wrong))).rejects.toBe(wrong);
  });

  it("leaves most of the time to what it asks", async () => {
    let asked = 0;
    const slow = async (): Promise<boolean> => {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return false;
    };
    await expect(eventually("it holds", slow, 700)).rejects.toThrow();
    expect(asked).toBeLessThanOrEqual(2);
  });
});
