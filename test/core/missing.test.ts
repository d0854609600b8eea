import { describe, expect, it } from "vitest";
import { allAnswer, describeMissing, missingNodes } from "../../lib/core/missing.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { ballot, member, N1, N2, N3, reading, turnAt, watching, withNode } from "./builders.ts";

const silent = { heard: "silent" } as const;
const loading = { reading: reading({ loading: true }) };
const listing = (...ids: readonly (typeof N1)[]): GroupState => ({
  ...watching(),
  nodes: Object.fromEntries(ids.map((id) => [id, watching().nodes[id]!])),
});

describe("a member is missing", () => {
  it.each<[string, GroupState, ends: string]>([
    ["n3 does not answer", withNode(watching(), N3, silent), "n3 answers"],
    ["n3 does not answer", withNode(watching(), N3, { reading: null }), "n3 answers"],
    ["n3 loads its data", withNode(watching(), N3, loading), "n3 has loaded"],
    ["n3 is not declared any more", listing(N1, N2), "n3 is declared again"],
  ])("%s", (detail, state, ends) => {
    expect(missingNodes(turnAt(state, 10), ballot())).toEqual([N3]);
    expect(allAnswer(turnAt(state, 10), ballot())).toBe(false);
    expect(describeMissing(turnAt(state, 10), ballot())).toEqual({ detail, ends, check: "n3" });
  });

  it("of the record alone: what is none is not missed", () => {
    const two = ballot({ members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2) } } });
    expect(missingNodes(turnAt(withNode(watching(), N3, silent), 10), two)).toEqual([]);
    expect(allAnswer(turnAt(watching(), 10), ballot())).toBe(true);
  });

  it("each for a reason of its own", () => {
    const state = withNode(listing(N1, N2), N1, loading);
    expect(describeMissing(turnAt(withNode(state, N2, silent), 10), ballot())).toEqual({
      detail: "n2 does not answer; n1 loads its data; n3 is not declared any more",
      ends: "n2 answers, n1 has loaded, n3 is declared again",
      check: "n1, n2, n3",
    });
  });

  it.each<[string, GroupState, ends: string]>([
    ["n1, n2 and n3 do not answer", [N1, N2, N3].reduce((all, id) => withNode(all, id, silent), watching()), "answer"],
    [
      "n1, n2 and n3 load their data",
      [N1, N2, N3].reduce((all, id) => withNode(all, id, loading), watching()),
      "have loaded",
    ],
    ["n1, n2 and n3 are not declared any more", listing(), "are declared again"],
  ])("%s", (detail, state, ends) => {
    const said = { detail, ends: `n1, n2 and n3 ${ends}`, check: "n1, n2, n3" };
    expect(describeMissing(turnAt(state, 10), ballot())).toEqual(said);
  });
});
