// Schedules that a review of requests and control modes found.

import { describe, expect, it } from "vitest";
import { epoch, wallTime } from "../../lib/core/types.ts";
import {
  B,
  ballot,
  connection,
  control,
  intent,
  lease,
  N1,
  operation,
  request,
  stepAt,
  timePassed,
  WALL_START,
  watching,
  withNode,
} from "./builders.ts";

describe("an answer that the table does not take", () => {
  it("is given again, and not in a busy loop", () => {
    const expired = request({ expiresAt: wallTime(WALL_START - 1) });
    const first = stepAt(watching(ballot(), { request: expired }), 10, timePassed);
    const answer = first.commands.find((each) => each.kind === "resolve-request");
    if (answer?.kind !== "resolve-request") throw new Error("it was not answered");
    const { id, result } = answer;
    const failed = stepAt(first.state, 11, { kind: "request-resolved", id, result, applied: null });
    expect(failed.commands.filter((each) => each.kind === "resolve-request")).toEqual([]);
    expect(failed.wakeAt).toBeLessThanOrEqual(511);
    const later = stepAt(failed.state, 511, timePassed);
    expect(later.commands.filter((each) => each.kind === "resolve-request")).toHaveLength(1);
  });
});

describe("S5, S8: a pause in the middle of a failover", () => {
  const contended = ballot({
    epoch: epoch(2),
    lease: lease({ holder: B }),
    operation: operation({ step: "intended" }),
    lineage: { histories: [], intents: [intent()] },
    control: control({ mode: "paused", until: wallTime(WALL_START + 60_000) }),
  });
  const hanging = withNode(watching(contended), N1, {
    heard: "silent",
    class: "silent",
    connection: null,
    parkable: connection(1),
  });

  it("does not stop those who silence the old primary: the operation is finished first", () => {
    const { commands } = stepAt(hanging, 10, timePassed);
    expect(commands.flatMap((each) => (each.kind === "command-node" ? [each.command] : []))).toEqual([
      { kind: "freeze", epoch: 2, connection: 1, parked: true },
    ]);
  });
});
