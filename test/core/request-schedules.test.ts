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
  const glance = (asked: RequestRecord): Fact => ({
    kind: "glanced",
    ballot: ballot(),
    request: asked,
    readBehind: null,
  });
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

describe("an order that was read before the record named another", () => {
  const first = request({ id: "first", target: N2 });
  const next = ballot({ lastRequest: "second", attempt: attemptId("two"), epoch: epoch(3) });
  const writesOf = ({ commands }: ReturnType<typeof stepAt>) => commands.filter(({ kind }) => kind === "write-ballot");
  const glance = (lastRequest: string | null, asked = first): Fact => ({
    kind: "glanced",
    ballot: next,
    request: asked,
    readBehind: { lastRequest },
  });
  /** Before its next step it learns that another order was begun meanwhile: it never saw what became of the first. */
  const learned = () => {
    const reading = { sentAt: instant(10), pending: null };
    const read = { kind: "ballot-read", sentAt: instant(10), ballot: next } as const;
    return stepAt(watching(ballot(), { request: first, storeBusy: reading }), 20, read);
  };

  it("is not begun, for it may have been begun and answered by then", () => {
    const known = learned();
    expect(writesOf(known)).toEqual([]);
    const glanced = { ...glance(null), readBehind: null } as Fact;
    expect(writesOf(stepAt(known.state, 30, glanced))).toEqual([]);
  });

  it("is begun when it is read again, and still stands", () => {
    const { state } = learned();
    expect(writesOf(stepAt(state, 30, glance("second")))).toHaveLength(1);
    expect(writesOf(stepAt(state, 30, glance("second", request({ id: "third", target: N2 }))))).toHaveLength(1);
  });

  it("is no newer for an answer that was asked for before that look", () => {
    const late = stepAt(learned().state, 30, glance(null));
    expect([late, stepAt(late.state, 40, timePassed)].flatMap(writesOf)).toEqual([]);
  });

  it("is begun where the record has named the same order as the last one since before it was read", () => {
    const known = watching(next);
    expect(writesOf(stepAt(known, 10, glance("second")))).toHaveLength(1);
  });

  it("is not begun by the first look at a record that names another", () => {
    const reading = { sentAt: instant(10), pending: null };
    const asked = stepAt(watching(null, { storeBusy: reading }), 15, glance(null));
    const read = { kind: "ballot-read", sentAt: instant(10), ballot: next } as const;
    expect(writesOf(stepAt(asked.state, 20, read))).toEqual([]);
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
