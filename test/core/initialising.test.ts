// One step of initialising a new group, under the lease.

import { describe, expect, it } from "vitest";
import type { Ballot, Intent } from "../../lib/core/ballot.ts";
import { initialise } from "../../lib/core/beginning.ts";
import type { NodeState } from "../../lib/core/state.ts";
import { BOOT_FENCE } from "../../lib/core/token.ts";
import { instant, type NodeId, nodeId } from "../../lib/core/types.ts";
import {
  history,
  intent,
  lease,
  N1,
  N2,
  N3,
  newborn,
  node,
  ofEpoch,
  operation,
  reading,
  run,
  withNode,
} from "./builders.ts";
import { both, type Change, holding, outcomeOf, type Situation } from "./holding.ts";

const began = (...intents: readonly Intent[]): Ballot =>
  newborn({
    epoch: ofEpoch(2),
    lease: lease(),
    operation: operation({ kind: "initialise", began: ofEpoch(1) }),
    lineage: { histories: [], intents },
  });

const now =
  (id: NodeId, at: number, values: Partial<NodeState> = {}): Change =>
  (state) =>
    withNode(state, id, {
      reading: reading({
        runId: run(Number(id.slice(1))),
        replicationId: history(10),
        follows: BOOT_FENCE,
        linkUp: false,
        offset: 0,
        keyCount: 0,
      }),
      readAt: instant(at),
      ...values,
    });
const blank = both(now(N1, 0), now(N2, 0), now(N3, 0));

function stepped({ of = began(), change = blank, ...rest }: Partial<Situation>) {
  const turn = holding({ of, change, ...rest });
  initialise(turn);
  const write = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write] : []))[0];
  const meant = turn.state.storeBusy?.pending?.events.find(({ event }) => event === "intent.recorded");
  return { ...outcomeOf(turn), write, meant: meant?.node ?? null, step: meant?.detail["step"] };
}

describe("the first primary", () => {
  const ranked = (declared: object = {}, change: Change = blank) => stepped({ settings: declared, change }).meant;
  const priorities = (...of: readonly (number | null)[]) => ({
    nodes: of.map((priority, index) => node(`n${index + 1}`, { priority })),
  });

  it("is meant to be the first by name, the best by priority, or the declared one", () => {
    expect(stepped({})).toMatchObject({ meant: N1, step: "intended", written: ["record-intent"] });
    expect(ranked(priorities(null, 99, 99))).toBe(N2);
    expect(ranked(priorities(101, null, 101))).toBe(N2);
    expect(ranked({ ...priorities(10, null, 20), primary: N2 })).toBe(N2);
    expect(ranked({ ...priorities(null, 0, null), primary: N2 })).toBe(N1);
  });

  it("is the first by name however they are listed", () => {
    const reversed: Change = (state) => ({
      ...blank(state),
      nodes: Object.fromEntries(Object.entries(blank(state).nodes).reverse()),
    });
    expect(ranked({}, reversed)).toBe(N1);
  });

  it("is one that answers and is empty", () => {
    expect(ranked({}, both(blank, now(N1, 0, { heard: "silent" })))).toBe(N2);
    const full = reading({ follows: BOOT_FENCE, keyCount: 1 });
    expect(ranked({}, both(blank, now(N1, 0, { reading: full })))).toBe(N2);
  });

  it("is nobody where none is left, and that is the end of it", () => {
    const silent = both(...[N1, N2, N3].map((id) => now(id, 0, { heard: "silent" })));
    expect(stepped({ change: silent })).toMatchObject({
      written: ["finish"],
      reasons: ["no node is left that may be the first primary"],
    });
  });
});

describe("one that a predecessor meant", () => {
  const earlier = intent({ epoch: ofEpoch(1), node: N2, runId: run(2), replicationId: history(10), offset: 0 });

  it("is meant anew, and no other", () => {
    expect(stepped({ of: began(earlier) })).toMatchObject({
      meant: N2,
      step: "intended",
      written: ["record-intent"],
    });
  });

  const given = (values: Partial<Situation>) => stepped({ of: began(earlier), at: 60_000, ...values });
  const others = both(now(N1, 60_000), now(N3, 60_000));
  it.each<[string, Partial<Situation>]>([
    [
      "holds a key",
      { change: both(others, now(N2, 60_000, { reading: reading({ follows: BOOT_FENCE, keyCount: 1 }) })) },
    ],
    ["does not answer", { change: both(others, now(N2, 60_000, { heard: "silent" })) }],
    ["was never read", { change: both(others, now(N2, 60_000, { reading: null })) }],
    ["refuses to be promoted", { change: both(others, now(N2, 60_000)), facts: { [N2]: { promotionsFailed: 3 } } }],
    ["is none of the nodes", { of: began({ ...earlier, node: nodeId("n9") }), change: others }],
  ])("is not meant anew when it %s, and neither is another", (_, values) => {
    const node = values.of?.lineage.intents[0]?.node ?? N2;
    const reasons = [`${node} may have been promoted and cannot be read`];
    expect(given(values)).toMatchObject({ meant: null, written: [], told: ["group.held"], reasons });
  });

  it("ends it where nothing was sent to it and it does not answer any more", () => {
    const own = began({ ...earlier, epoch: ofEpoch(2) });
    const change = both(others, now(N2, 60_000, { heard: "silent" }));
    expect(given({ of: own, change })).toMatchObject({
      written: ["finish"],
      reasons: ["n2 does not answer as a new node"],
    });
  });
});
