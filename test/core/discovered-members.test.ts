// Schedules that a review of discovered nodes found: one process is one member, under whatever names it is known (R18).

import { describe, expect, it } from "vitest";
import type { Json } from "../../lib/core/ballot-write.ts";
import type { GroupState } from "../../lib/core/state.ts";
import type { ListedReplica } from "../../lib/core/types.ts";
import { nodeId } from "../../lib/core/types.ts";
import { maintain } from "../../lib/core/upkeep.ts";
import {
  ballot,
  context,
  member,
  N1,
  N2,
  N3,
  node,
  nodeState,
  primaryReading,
  reading,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

const FOUND = nodeId("found-172-16-0-3-6379");
const ADDRESS = { host: "172.16.0.3", port: 6379 };
const listed = (host: string, state = "online"): ListedReplica => ({
  address: { host, port: 6379 },
  state,
  offset: 100,
  lagSeconds: 0,
});

/** Members that the record would have after this state's upkeep; null: nothing is written. */
function membersAfter(state: GroupState, declared = [node("n1"), node("n2"), node("n3")]): readonly string[] | null {
  const look = state.look?.ballot ?? ballot();
  const turn = turnAt(state, 10, context({ nodes: declared }));
  maintain(turn, look);
  const written = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? each.write.changes : []));
  const members = written.find((change) => change.path[0] === "members")?.value as { readonly nodes: Json } | undefined;
  return members === undefined ? null : Object.keys(members.nodes as object);
}

const listing = (...replicas: readonly ListedReplica[]): GroupState =>
  withNode(watching(), N1, { reading: primaryReading({ replicas }) });

/** n3 is known by its declared name and, since an earlier look, by the address that the primary lists. */
function knownTwice(): GroupState {
  const nodes = { ...ballot().members.nodes, [FOUND]: member(0, { runId: null, address: ADDRESS }) };
  const state = watching(ballot({ members: { version: 2, nodes } }));
  const found = { ...nodeState(FOUND, reading({ runId: run(3) })), address: ADDRESS };
  return { ...state, nodes: { ...state.nodes, [FOUND]: found } };
}

describe("R18: replicas that are listed at addresses which nobody declared", () => {
  it("are the declared ones while these are all linked", () => {
    expect(membersAfter(listing(listed("172.16.0.2"), listed("172.16.0.3")))).toBe(null);
  });

  it("are not counted while they are being synchronized: what they acknowledge is nothing", () => {
    const state = withNode(listing(listed("172.16.0.2"), listed("172.16.0.3", "send_bulk")), N3, {
      reading: reading({ runId: run(3), linkUp: false, syncInProgress: true }),
    });
    expect(membersAfter(state)).toBe(null);
  });

  it("make N larger at once when there are more of them than are known to be linked", () => {
    const state = listing(listed("172.16.0.2"), listed("172.16.0.3"), listed("172.16.0.4"));
    expect(membersAfter(state)).toHaveLength(6);
  });

  it("are forgotten when they turn out to be declared ones", () => {
    expect(membersAfter(knownTwice())).toEqual([N1, N2, N3]);
  });

  it("are forgotten when they are declared, so that an operator can remove them", () => {
    const state = withNode(knownTwice(), FOUND, { heard: "silent", class: "silent" });
    expect(membersAfter(state)).toBe(null);
    const declared = [node("n1"), node("n2"), node("n3"), node("n4", ADDRESS)];
    const added = {
      ...state,
      nodes: {
        ...state.nodes,
        [nodeId("n4")]: { ...nodeState(nodeId("n4"), reading()), address: ADDRESS, heard: null },
      },
    };
    expect(membersAfter(added, declared)).toEqual([N1, N2, N3, "n4"]);
  });
});
