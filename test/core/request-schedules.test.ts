// Schedules that a review of requests and control modes found.

import { describe, expect, it } from "vitest";
import type { Fact } from "../../lib/core/commands.ts";
import type { RequestRecord } from "../../lib/core/records.ts";
import { attemptId, epoch, instant, wallTime } from "../../lib/core/types.ts";
import {
  B,
  ballot,
  connection,
  control,
  intent,
  lease,
  N1,
  N2,
  N3,
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

describe("a glance that is older than the one before it", () => {
  const glance = (asked: RequestRecord): Fact => ({ kind: "glanced", ballot: ballot(), request: asked });
  const first = request({ id: "first", target: N2 });
  const second = request({ id: "second", target: N3 });

  it("does not bring back a request that was seen answered", () => {
    const result = { kind: "refused", detail: "", epoch: epoch(1), at: wallTime(WALL_START) } as const;
    const answered = stepAt(watching(), 10, glance({ ...first, result }));
    const stale = stepAt(answered.state, 20, glance(first));
    expect(stale.state.request?.result).toEqual(result);
    expect(stale.commands.filter((each) => each.kind === "write-ballot")).toEqual([]);
  });

  it("does not bring back one that another was begun after", () => {
    const begun = ballot({ lastRequest: "first", attempt: attemptId("one") });
    const next = ballot({ lastRequest: "second", attempt: attemptId("two"), epoch: epoch(3) });
    const read = { kind: "ballot-read", sentAt: instant(10), ballot: next } as const;
    const reading = { sentAt: instant(10), pending: null };
    const { state } = stepAt(watching(begun, { request: second, storeBusy: reading }), 11, read);
    const stale = stepAt(state, 20, glance(first));
    expect(stale.state.request?.id).toBe("second");
    expect(stale.commands.filter((each) => each.kind === "write-ballot")).toEqual([]);
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
