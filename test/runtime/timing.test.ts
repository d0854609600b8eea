import { expect, it } from "vitest";
import { BACK_OFF_LIMIT_MS } from "../../lib/core/config.ts";
import { SCHEDULE_PERIOD_MS } from "../../lib/runtime/timing.ts";

it("L4: an invocation that begins the longest rest anew lives to see its end, and the attempt behind it", () => {
  expect(BACK_OFF_LIMIT_MS).toBeLessThanOrEqual(SCHEDULE_PERIOD_MS / 2);
});
