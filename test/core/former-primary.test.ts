// R22: which node that claims to be primary only came back, and which one a person made.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { isBackByItself } from "../../lib/core/former-primary.ts";
import type { NodeReading } from "../../lib/core/types.ts";
import {
  ballot,
  history,
  member,
  N1,
  N2,
  N3,
  nodeState,
  ofEpoch,
  primary,
  primaryReading,
  recorded,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

/** n2 was primary at epoch 1, n1 is since epoch 2, and n2 came back as a primary with a history of its own. */
const succeeded = (values: Partial<Ballot> = {}): Ballot =>
  ballot({
    epoch: ofEpoch(2),
    primary: primary({ epoch: ofEpoch(2), replicationId: history(2) }),
    lineage: {
      histories: [recorded({ node: N2 }), recorded({ epoch: ofEpoch(2), replicationId: history(2) })],
      intents: [],
    },
    ...values,
  });
const back = (values: Partial<NodeReading> = {}) =>
  nodeState(N2, primaryReading({ runId: run(22), replicationId: history(9), ...values }));
const judged = ({ of = succeeded(), node = back(), isServed = true } = {}) => {
  const state = withNode(watching(succeeded()), N1, { class: isServed ? "serving" : "silent" });
  return isBackByItself(turnAt(state, 10), of, node);
};
const membersWith = (n2: Partial<Ballot["members"]["nodes"][typeof N2]>) => ({
  version: 1,
  nodes: { [N1]: member(1), [N2]: member(2, n2) },
});

describe("a former primary that claims to be one", () => {
  it("came back by itself with data that it began anew, or that its snapshot forked from a recorded history", () => {
    expect(judged()).toBe(true);
    expect(judged({ node: back({ secondReplicationId: history(1), secondReplicationOffset: 50 }) })).toBe(true);
  });

  it.each<[string, Parameters<typeof judged>[0]]>([
    ["nothing was read of it", { node: nodeState(N2, primaryReading(), { reading: null }) }],
    ["the record has no primary", { of: succeeded({ primary: null }) }],
    ["no process of it is on record", { of: succeeded({ members: membersWith({ runId: null }) }) }],
    ["it is no member", { of: succeeded({ members: { version: 1, nodes: { [N1]: member(1) } } }) }],
    ["the primary does not serve: a person may have brought this one back", { isServed: false }],
    ["it is the process on record: who promotes by hand does so in that", { node: back({ runId: run(2) }) }],
    ["somebody follows it", { node: back({ replicas: [{ address: { host: "10.0.0.3", port: 6379 } }] as never }) }],
    ["it forked from a history that is not on record", { node: back({ secondReplicationId: history(8) }) }],
    ["its data is of a recorded history", { node: back({ replicationId: history(1) }) }],
    [
      "it was never primary on record",
      { of: succeeded({ lineage: { histories: [recorded({ node: N3 })], intents: [] } }) },
    ],
    [
      "its time as primary is not over by the record",
      { of: succeeded({ lineage: { histories: [recorded({ node: N2, epoch: ofEpoch(2) })], intents: [] } }) },
    ],
  ])("did not when %s", (_, given) => {
    expect(judged(given)).toBe(false);
  });
});
