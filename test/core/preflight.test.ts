import { describe, expect, it } from "vitest";
import { foreseen } from "../../lib/core/preflight.ts";
import type { NodeId } from "../../lib/core/types.ts";
import { ballot, context, member, N1, N2, N3, turnAt, watching, withNode } from "./builders.ts";

const record = ballot();
const of = context();
const options = { coldStart: false, insists: false };
const at = 1_000;

/** Foreseen from one record throughout: whatever differs is in the arguments. */
const foresee = (state = watching(record), changes: Partial<typeof options> = {}, over = of) =>
  foreseen(turnAt(state, at, over), record, { ...options, ...changes });

const whereAhead = (id: NodeId, bytes: number) => {
  const state = watching(record);
  const said = state.nodes[id]?.reading;
  if (said == null) throw new Error(`${id} was not read`);
  return withNode(state, id, { reading: { ...said, offset: said.offset + bytes } });
};

describe("what is foreseen of one record", () => {
  it("is the same selection for the same readings, also at another time", () => {
    const state = watching(record);
    expect(foresee(state)).toMatchObject({ kind: "selected", node: N2 });
    expect(foreseen(turnAt(state, at + 1, of), record, options)).toBe(foresee(state));
  });

  it("follows a reading that changed, and back", () => {
    const state = watching(record);
    expect(foresee(state)).toMatchObject({ node: N2 });
    expect(foresee(whereAhead(N3, 1))).toMatchObject({ node: N3 });
    expect(foresee(state)).toMatchObject({ node: N2 });
  });

  it("leaves out who does not answer any more", () => {
    const state = watching(record);
    foresee(state);
    expect(foresee(withNode(state, N2, { heard: "silent" }))).toMatchObject({ node: N3 });
    expect(foreseen(turnAt(state, at + 60_000, of), record, options)).toMatchObject({ kind: "none" });
  });

  it("is another for a cold start, for a primary to be replaced, for another configuration and another record", () => {
    const state = whereAhead(N1, 1_000);
    const barred = context({
      nodes: of.config.nodes.map((each) => (each.id === N2 ? { ...each, priority: 0 } : each)),
    });
    expect(foresee(state)).toMatchObject({ node: N2 });
    expect(foresee(state, { coldStart: true })).toMatchObject({ node: N1 });
    const lost = withNode(state, N1, { heard: "silent" });
    expect(foresee(lost, { coldStart: true })).not.toBe(foresee(lost));
    expect(foresee(state, { coldStart: true, insists: true })).not.toBe(foresee(state, { coldStart: true }));
    expect(foresee(state, {}, barred)).toMatchObject({ node: N3 });
    const { members } = record;
    const reborn = ballot({ members: { ...members, nodes: { ...members.nodes, [N2]: member(9) } } });
    expect(foreseen(turnAt(state, at, of), reborn, options)).toMatchObject({ node: N3 });
  });
});
