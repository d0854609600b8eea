import { describe, expect, it } from "vitest";
import { primaryNodeOf } from "../../lib/core/state.ts";
import { mayWrite, patchNode, probeSoon } from "../../lib/core/turn.ts";
import { instant, nodeId } from "../../lib/core/types.ts";
import { ballot, N1, N2, newborn, turnAt, watching, withNode } from "./builders.ts";

const STRANGER = nodeId("n9");

describe("a node that this voter knows nothing of", () => {
  it("is neither changed nor probed nor made up", () => {
    const turn = turnAt(watching(), 10);
    patchNode(turn, STRANGER, { probeDueAt: instant(5) });
    probeSoon(turn, STRANGER);
    expect(turn.state).toEqual(watching());
  });

  it("is not found as the primary, nor is one that a group without a primary has", () => {
    const { primary } = ballot();
    if (primary === null) throw new Error("the example has a primary");
    expect(primaryNodeOf(watching(), ballot())?.id).toBe(N1);
    expect(primaryNodeOf(watching(), ballot({ primary: { ...primary, node: STRANGER } }))).toBe(undefined);
    expect(primaryNodeOf(watching(), newborn())).toBe(undefined);
  });
});

describe("a record", () => {
  it("is written only where it was read, and is this table's", () => {
    const looks = [ballot(), ballot({ table: "another" }), null];
    expect(looks.map((look) => mayWrite(turnAt(watching(look), 10)))).toEqual([true, false, false]);
  });
});

describe("a probe that is wanted soon", () => {
  const dueAt = (ms: number) => {
    const turn = turnAt(withNode(watching(), N2, { probeDueAt: instant(ms) }), 10);
    probeSoon(turn, N2);
    return turn.state.nodes[N2]?.probeDueAt;
  };

  it("is due now, or when it was if that is past", () => {
    expect([dueAt(900), dueAt(11), dueAt(4)]).toEqual([10, 10, 4]);
  });
});
