import { describe, expect, it } from "vitest";
import { LEASE_MARGIN_MS } from "../../lib/core/config.ts";
import { actsUntil, lapsesAt, leaseSighted, yields } from "../../lib/core/lease.ts";
import { attemptId, instant } from "../../lib/core/types.ts";
import { ballot, lease, ofEpoch, operation, primary } from "./builders.ts";

const standing = ballot({ lease: lease({ durationMs: 5_000 }) });

describe("a lease", () => {
  it("lapses when the same version was seen for the whole duration, from the arrival of the first look", () => {
    const first = leaseSighted(null, standing, instant(100));
    const again = leaseSighted(first, standing, instant(4_000));
    expect(again).toBe(first);
    expect(lapsesAt(standing, again)).toBe(5_100);
  });

  it.each([
    ["version", lease({ version: 2 })],
    ["attempt", lease({ attempt: attemptId("another") })],
  ])("does not lapse while its %s changes", (_, renewed) => {
    const first = leaseSighted(null, standing, instant(100));
    const later = leaseSighted(first, ballot({ lease: renewed }), instant(4_000));
    expect(lapsesAt(ballot({ lease: renewed }), later)).toBe(9_000);
  });

  it("is forgotten when it was released", () => {
    const first = leaseSighted(null, standing, instant(100));
    expect(leaseSighted(first, ballot(), instant(200))).toBe(null);
    expect(lapsesAt(ballot(), null)).toBe(null);
    expect(lapsesAt(ballot(), first)).toBe(null);
  });

  it("that nobody has seen yet is not called lapsed", () => {
    expect(lapsesAt(standing, null)).toBe(null);
  });

  it("is acted on by its holder for less than anybody can take it for lapsed", () => {
    // Sent at 100, seen by somebody at 100 at the earliest.
    expect(actsUntil(instant(100), 5_000)).toBe(5_100 - LEASE_MARGIN_MS);
    expect(actsUntil(instant(100), 5_000)).toBeLessThan(
      lapsesAt(standing, leaseSighted(null, standing, instant(100))) ?? 0,
    );
  });

  it("yields to what restores writes when it is a repair's", () => {
    const kinds = ["failover", "switchover", "cold-start", "recover", "initialise", "repair"] as const;
    expect(kinds.filter((kind) => yields(ballot({ operation: operation({ kind }) })))).toEqual(["repair"]);
    expect(yields(ballot())).toBe(false);
  });

  it("yields once the operation has made its new primary, and only then", () => {
    const decided = (step: "intended" | "committed", madeIn: number | null) =>
      yields(
        ballot({
          operation: operation({ kind: "failover", step, began: ofEpoch(5) }),
          primary: madeIn === null ? null : primary({ epoch: ofEpoch(madeIn) }),
        }),
      );
    expect([decided("committed", 5), decided("committed", 6)]).toEqual([true, true]);
    expect([decided("committed", 4), decided("committed", null)]).toEqual([false, false]);
    expect([decided("intended", 5), decided("intended", null)]).toEqual([false, false]);
  });
});
