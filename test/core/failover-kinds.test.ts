// S12, L4: which operation a quorum of votes begins, and the reason that is recorded with it.

import { describe, expect, it } from "vitest";
import type { Operation } from "../../lib/core/ballot.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import { decide } from "../../lib/core/decision.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import { instant } from "../../lib/core/types.ts";
import type { Verdict } from "../../lib/core/verdict.ts";
import {
  A,
  B,
  ballot,
  C,
  context,
  lease,
  N1,
  N2,
  N3,
  ofEpoch,
  operation,
  reading,
  request,
  run,
  turnAt,
  vote,
  watching,
  withNode,
} from "./builders.ts";

const of = ballot({ votes: { [A]: vote(), [B]: vote() } });
const all = { down: [A, B, C], suspectOrDown: [A, B, C], unreachable: [] };

function begun(state: GroupState, cause: Verdict["cause"], settings: Partial<DeclaredConfig> = {}) {
  const turn = turnAt(state, 10, context(settings));
  const rejection = decide(turn, of, { level: "down", cause, silentMs: 5_000, withheld: null }, all);
  const changes = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? each.write.changes : []));
  const operation = changes.find(({ path }) => path[0] === "operation")?.value as Operation | undefined;
  return { operation, reason: rejection?.reason ?? null };
}

describe("what is begun", () => {
  it("L4: is a failover where the primary stands frozen, although too few count: it may have its place back", () => {
    const stands = { role: "replica", follows: tokenAddress(ofEpoch(1)), linkUp: false } as const;
    const silent = { heard: "silent", class: "silent" } as const;
    const frozen = (values: object = {}) =>
      [N2, N3].reduce(
        (state, id) => withNode(state, id, silent),
        withNode(watching(of), N1, { class: "wrong-role", reading: reading({ runId: run(1), ...stands, ...values }) }),
      );
    const refuse = { onPossibleLoss: "refuse", waitK: 1 } as const;
    expect(begun(frozen(), "wrong-role", refuse)).toMatchObject({
      operation: { kind: "failover", reason: "wrong-role" },
      reason: null,
    });
    expect(begun(frozen(), "wrong-role", refuse).operation).not.toHaveProperty("target");
    expect(begun(frozen({ runId: run(11) }), "reborn", refuse)).toMatchObject({
      operation: undefined,
      reason: "too-few-nodes",
    });
  });

  it("R13: is a cold start for which both are said, what is wrong and why nobody counts", () => {
    const restarted = [N1, N2, N3].reduce((state, id, index) => {
      const said = reading({ runId: run(21 + index), follows: { host: "127.0.0.1", port: 1 }, linkUp: false });
      return withNode(state, id, { reading: said, class: id === N1 ? "reborn" : "serving" });
    }, watching(of));
    const why = [N2, N3].map((id) => `${id}: it restarted since it was last in sync`).join("; ");
    expect(begun(restarted, "reborn").operation).toMatchObject({
      kind: "cold-start",
      reason: `reborn; no node that answered counts (${why})`,
    });
  });
});

describe("a repair", () => {
  const astray = withNode(watching(), N2, { reading: reading({ follows: { host: "10.9.9.9", port: 6379 } }) });
  const none = { down: [], suspectOrDown: [], unreachable: [] };
  const considered = (state: GroupState) => {
    const turn = turnAt(state, 10, context());
    const up = { level: "up", cause: "serving", silentMs: 0, withheld: null } as const;
    const rejection = decide(turn, ballot(), up, none);
    return [turn.commands.length, rejection?.detail ?? null];
  };

  it("waits for an order that cannot be begun yet, and for a primary that nobody has heard yet", () => {
    expect(considered(astray)).toEqual([1, null]);
    const asked = { request: request({ target: N3 }), requestSince: instant(0) };
    const why = "switchover asked by alice: n3 does not answer: no answer";
    expect(considered({ ...withNode(astray, N3, { heard: "silent", detail: "no answer" }), ...asked })).toEqual([
      0,
      why,
    ]);
    expect(considered(withNode(astray, N1, { class: "unknown", heard: null, reading: null }))).toEqual([0, null]);
  });
});

describe("S11: this voter's own lapsed lease", () => {
  it("is left alone for as long as it was never seen", () => {
    const standing = ballot({ epoch: ofEpoch(2), lease: lease({ holder: A }), operation: operation() });
    const state = withNode(watching(standing, { leaseSighting: null }), N2, { readAt: instant(20_000) });
    const turn = turnAt(state, 20_000, context());
    const rejection = decide(
      turn,
      standing,
      { level: "up", cause: "serving", silentMs: 0, withheld: null },
      { down: [], suspectOrDown: [], unreachable: [] },
    );
    expect([rejection?.reason, turn.commands]).toEqual(["operation-going-on", []]);
  });
});
