import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { newRun, type OperationRun } from "../../lib/core/operation.ts";
import type { RequestRecord } from "../../lib/core/records.ts";
import { answerBegun, answerEnded, answered, isAsBefore, isFulfilled } from "../../lib/core/request-answers.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { instant, wallTime } from "../../lib/core/types.ts";
import {
  ballot,
  N1,
  N2,
  newborn,
  ofEpoch,
  operation,
  primary,
  recorded,
  request,
  turnAt,
  WALL_START,
  watching,
} from "./builders.ts";

const done = { kind: "done", detail: "", epoch: ofEpoch(1), at: wallTime(0) } as const;
const begun = (values: Partial<OperationRun> = {}): OperationRun => ({
  ...newRun({ ballot: ballot(), takenOver: false, at: instant(0), leaseUntil: instant(1), renewDueAt: instant(1) }),
  ...values,
});
const ended = (values: Partial<Ballot> = {}): Ballot =>
  ballot({ lastRequest: "request-1", epoch: ofEpoch(3), primary: primary({ node: N2, epoch: ofEpoch(3) }), ...values });

describe("whoever asked for an operation", () => {
  const told = (of: Ballot, asked: Partial<RequestRecord> | null, run = begun(), values: Partial<GroupState> = {}) => {
    const turn = turnAt(watching(of, { request: asked === null ? null : request(asked), ...values }), 10);
    answerBegun(turn, run, of);
    return { result: turn.commands.map((each) => (each.kind === "resolve-request" ? each.result : each)), turn };
  };

  it("is told who is primary, once", () => {
    const { result, turn } = told(ended(), { target: N2 });
    const detail = "n2 is primary since epoch 3";
    expect(result).toEqual([{ kind: "done", detail, epoch: 3, at: WALL_START + 10 }]);
    expect(turn.state.resolved).toBe("request-1");
    expect(told(ended(), { target: N2 }, begun(), { resolved: "request-1" }).result).toEqual([]);
    expect(told(ended(), { result: done }).result).toEqual([]);
  });

  it("is told nothing of another's, or when nobody asked", () => {
    expect(told(ended({ lastRequest: "request-0" }), {}).result).toEqual([]);
    expect(told(ended(), null).result).toEqual([]);
  });

  it("is told what it failed on, also where the primary is the one that was asked for", () => {
    expect(told(ended(), { target: N2 }, begun({ failure: "it lags" })).result).toMatchObject([
      { kind: "failed", detail: "it lags" },
    ]);
    expect(told(ended(), { target: N1 }).result).toMatchObject([
      { kind: "failed", detail: "n2 is primary since epoch 3" },
    ]);
    expect(told(ended({ primary: null }), { target: N1 }).result).toMatchObject([
      { kind: "failed", detail: "nobody is primary since epoch 0" },
    ]);
    const back = ended({
      operation: operation({ kind: "switchover" }),
      lineage: { histories: [recorded({ node: N2 })], intents: [] },
    });
    expect(told(back, { target: N2 }).result).toMatchObject([{ kind: "failed" }]);
  });
});

describe("whoever asked for an operation whose holder is gone", () => {
  const told = (of: Ballot) => {
    const turn = turnAt(watching(of), 10);
    answerEnded(turn, of, request({ target: N2 }));
    return turn.commands.map((each) => (each.kind === "resolve-request" ? each.result.kind : each));
  };

  it("is told by the record, and that it failed where the primary is the one of before", () => {
    const before = { lineage: { histories: [recorded({ epoch: ofEpoch(0), node: N2 })], intents: [] } };
    expect(told(ended({ lastRequestBegan: ofEpoch(3), ...before }))).toEqual(["failed"]);
    expect(told(ended({ lastRequestBegan: ofEpoch(3) }))).toEqual(["done"]);
    // By a version that did not write when it began: where the primary is says all that is known.
    expect(told(ended({ lastRequestBegan: null, ...before }))).toEqual(["done"]);
  });
});

describe("a request is fulfilled", () => {
  it("by the record: where the primary is, or is no more", () => {
    const by = (values: Partial<RequestRecord>, of = ended()) => isFulfilled(of, request(values));
    expect([by({ target: N2 }), by({ target: N1 }), by({ target: null })]).toEqual([true, false, true]);
    expect([by({ kind: "drain", target: N1 }), by({ kind: "drain", target: N2 })]).toEqual([true, false]);
    expect(by({ target: N2 }, newborn())).toBe(false);
  });
});

describe("an operation left the primary where it was", () => {
  const histories = [recorded({ node: N1 }), recorded({ epoch: ofEpoch(2), node: N2 })];
  const left = (values: Parameters<typeof operation>[0], node = N2, of: Partial<Ballot> = {}) =>
    isAsBefore(
      ballot({
        operation: operation({ began: ofEpoch(3), ...values }),
        primary: primary({ node, epoch: ofEpoch(3) }),
        lineage: { histories, intents: [] },
        ...of,
      }),
    );

  it("when the last history before it is of the same node", () => {
    expect([left({}), left({ kind: "switchover" }), left({}, N1)]).toEqual([true, true, false]);
    expect([left({ began: ofEpoch(2) }), left({ began: ofEpoch(2) }, N1)]).toEqual([false, true]);
  });

  it("never by an operation of another kind, nor without one or a primary", () => {
    expect([left({ kind: "repair" }), left({ kind: "recover" })]).toEqual([false, false]);
    expect(left({}, N2, { operation: null })).toBe(false);
    expect(left({}, N2, { primary: null })).toBe(false);
    expect(left({}, N2, { lineage: { histories: [], intents: [] } })).toBe(false);
  });
});

describe("an answer", () => {
  const left = (
    applied: boolean | null,
    kind: "done" | "refused",
    values: Partial<GroupState> = {},
    id = "request-1",
  ) => {
    const turn = turnAt(watching(ballot(), { request: request(), resolved: "request-1", ...values }), 10);
    answered(turn, { kind: "request-resolved", id, applied, result: { ...done, kind, detail: "because" } });
    return turn;
  };

  it("that the table took is told, as done or as refused", () => {
    const detail = { request: "switchover", by: "alice", reason: "because" };
    expect(left(true, "done").events).toEqual([
      { event: "request.done", epoch: 1, node: null, detail: { ...detail, result: "done" } },
    ]);
    expect(left(true, "refused").events).toEqual([
      { event: "request.refused", epoch: 1, node: null, detail: { ...detail, result: "refused" } },
    ]);
    expect(left(true, "done").state).toMatchObject({ resolved: "request-1", answerAgainAt: null });
  });

  it("that another voter had given is told by that one", () => {
    const turn = left(false, "done");
    expect([turn.events, turn.state.resolved]).toEqual([[], "request-1"]);
  });

  it("that did not arrive is given again half a second later", () => {
    expect(left(null, "done").state).toMatchObject({ resolved: null, answerAgainAt: 510 });
    expect(left(null, "done").events).toEqual([]);
    expect(left(null, "done", {}, "request-0").state).toMatchObject({ resolved: "request-1", answerAgainAt: null });
  });

  it("to a request that stands no longer is told by nobody", () => {
    expect(left(true, "done", { request: null }).events).toEqual([]);
    expect(left(true, "done", {}, "request-0").events).toEqual([]);
  });
});
