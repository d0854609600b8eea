import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SystemClock } from "../../../lib/adapters/clock/system-clock.ts";
import { instant } from "../../../lib/core/types.ts";

const clock = new SystemClock();
const wokenAt = (at: ReturnType<typeof instant>) =>
  new Promise<number>((resolve) => clock.wakeAt(at, () => resolve(clock.now())));

describe("the system's clock", () => {
  it("never wakes anybody before the time", async () => {
    const due = Array.from({ length: 40 }, (_, index) => instant(clock.now() + index / 3));
    const woken = await Promise.all(due.map(wokenAt));
    expect(woken.filter((at, index) => at < (due[index] ?? 0))).toEqual([]);
  });

  it("wakes at once for what is past", async () => {
    const asked = clock.now();
    expect((await wokenAt(instant(0))) - asked).toBeLessThan(1_000);
  });

  it("does not wake whoever has cancelled, also when far ahead", async () => {
    let woken = 0;
    const count = (): void => {
      woken += 1;
    };
    const cancels = [5, 3_000_000_000].map((ms) => clock.wakeAt(instant(clock.now() + ms), count));
    for (const cancel of cancels) cancel();
    await sleep(20);
    expect(woken).toBe(0);
  });

  it("says the time that people read", () => {
    expect(Math.abs(clock.wallTime() - Date.now())).toBeLessThan(1_000);
  });
});
