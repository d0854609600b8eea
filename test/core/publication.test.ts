import { describe, expect, it } from "vitest";
import { type Ballot, emptyBallot } from "../../lib/core/ballot.ts";
import type { GroupConfig } from "../../lib/core/config.ts";
import { completeConfig } from "../../lib/core/config-defaults.ts";
import { comparePublications, isOfAnother, publicationOf, readersOf, saysTheSame } from "../../lib/core/publication.ts";
import { attemptId, epoch, groupName, nodeId, replicationId, runId, wallTime } from "../../lib/core/types.ts";

const group = groupName("mymaster");
const at = wallTime(1_000);
const [n1, n2, n3, n4] = ["n1", "n2", "n3", "n4"].map(nodeId) as [never, never, never, never];

const config: GroupConfig = completeConfig({
  name: group,
  nodes: [
    { id: n3, host: "10.0.0.3", port: 6379, zone: "c", priority: null, announce: null },
    { id: n1, host: "10.0.0.1", port: 6379, zone: "a", priority: null, announce: null },
    { id: n2, host: "10.0.0.2", port: 6379, zone: "b", priority: null, announce: { host: "cache-2", port: 7000 } },
  ],
});

function ballotOf(changes: Partial<Ballot> = {}): Ballot {
  const attempt = attemptId("a");
  const control = { mode: "act", by: "cdk", reason: "", until: null, attempt } as const;
  const member = (inSync: number) => ({ runId: null, inSyncEpoch: epoch(inSync), address: null, goneAt: null });
  return {
    ...emptyBallot({ group, table: "t", control, attempt }),
    epoch: epoch(9),
    primary: { node: n2, epoch: epoch(7), runId: runId("r"), replicationId: replicationId("i") },
    revision: 3,
    members: {
      version: 4,
      nodes: {
        [n3]: member(7),
        [n2]: member(7),
        [n1]: member(7),
        [n4]: { ...member(7), address: { host: "10.0.0.4", port: 6380 } },
      },
    },
    ...changes,
  };
}

describe("the publication of a ballot", () => {
  it("S1: names the committed primary at the epoch of its commit, where clients reach it, and the replicas by id", () => {
    expect(publicationOf(ballotOf(), config, at)).toEqual({
      schema: 1,
      group,
      table: "t",
      epoch: 7,
      revision: 3,
      primary: { node: "n2", address: { host: "cache-2", port: 7000 } },
      replicas: [
        { node: "n1", address: { host: "10.0.0.1", port: 6379 } },
        { node: "n3", address: { host: "10.0.0.3", port: 6379 } },
        { node: "n4", address: { host: "10.0.0.4", port: 6380 } },
      ],
      at,
    });
  });

  it("leaves out replicas that are not in sync under this primary", () => {
    const ballot = ballotOf();
    const nodes = {
      ...ballot.members.nodes,
      [n1]: { runId: null, inSyncEpoch: epoch(6), address: null, goneAt: null },
    };
    const publication = publicationOf({ ...ballot, members: { version: 5, nodes } }, config, at);
    expect(publication?.replicas.map((each) => each.node)).toEqual(["n3", "n4"]);
  });

  it("leaves out one that was lost since", () => {
    const ballot = ballotOf();
    const gone = { runId: null, inSyncEpoch: epoch(7), address: null, goneAt: 512 };
    const members = { version: 5, nodes: { ...ballot.members.nodes, [n3]: gone } };
    const publication = publicationOf({ ...ballot, members }, config, at);
    expect(publication?.replicas.map((each) => each.node)).toEqual(["n1", "n4"]);
  });

  it("leaves out a member whose address nobody knows", () => {
    const ballot = ballotOf();
    const nodes = {
      ...ballot.members.nodes,
      [n4]: { runId: null, inSyncEpoch: epoch(7), address: null, goneAt: null },
    };
    const publication = publicationOf({ ...ballot, members: { version: 5, nodes } }, config, at);
    expect(publication?.replicas.map((each) => each.node)).toEqual(["n1", "n3"]);
  });

  it("is none before a primary is committed, or when its address is not known", () => {
    expect(publicationOf(ballotOf({ primary: null }), config, at)).toBeNull();
    const removed = { ...config, nodes: config.nodes.filter((node) => node.id !== n2) };
    expect(publicationOf(ballotOf(), removed, at)).toBeNull();
  });

  it("S2: is ordered by epoch, then revision", () => {
    const order = (e: number, revision: number) => ({ epoch: epoch(e), revision });
    expect(comparePublications(order(7, 9), order(8, 0))).toBeLessThan(0);
    expect(comparePublications(order(8, 1), order(8, 0))).toBeGreaterThan(0);
    expect(comparePublications(order(8, 1), order(8, 1))).toBe(0);
  });

  it("says the same whenever it is said, and something else with another primary or replica", () => {
    const one = publicationOf(ballotOf(), config, at);
    const later = publicationOf(ballotOf(), config, wallTime(2_000));
    if (one === null || later === null) throw new Error("no publication");
    expect(saysTheSame(one, later)).toBe(true);
    expect(saysTheSame(one, { ...one, revision: 4 })).toBe(false);
    expect(saysTheSame(one, { ...one, primary: { ...one.primary, node: n1 } })).toBe(false);
    expect(saysTheSame(one, { ...one, replicas: one.replicas.slice(1) })).toBe(false);
    const [first, ...rest] = one.replicas;
    const moved = { node: first?.node ?? n1, address: { host: "10.0.0.9", port: 1 } };
    expect(saysTheSame(one, { ...one, replicas: [moved, ...rest] })).toBe(false);
  });

  it("says something else by another table, at another host or port, or with fewer or other replicas", () => {
    const one = publicationOf(ballotOf(), config, at);
    if (one === null) throw new Error("no publication");
    const { node, address } = one.primary;
    const placed = (changes: object) => ({ ...one, primary: { node, address: { ...address, ...changes } } });
    expect(saysTheSame(one, { ...one, table: "t2" })).toBe(false);
    expect(saysTheSame(one, placed({ host: "cache-3" }))).toBe(false);
    expect(saysTheSame(one, placed({ port: 7001 }))).toBe(false);
    expect(saysTheSame({ ...one, replicas: [] }, one)).toBe(false);
    expect(saysTheSame({ ...one, replicas: one.replicas.slice(0, 2) }, one)).toBe(false);
  });

  it("is of another deployment when it names another table, and nobody's when it names none", () => {
    expect(isOfAnother({ table: "t2" }, "t")).toBe(true);
    expect(isOfAnother({ table: "t" }, "t")).toBe(false);
    expect(isOfAnother({ table: null }, "t")).toBe(false);
    expect(isOfAnother({ table: "t" }, null)).toBe(true);
  });
});

describe("where applications read", () => {
  it("is from the replicas, and from the primary where there is none", () => {
    const publication = publicationOf(ballotOf(), config, at);
    if (publication === null) throw new Error("the example is published");
    const { primary, replicas } = publication;
    expect(replicas).not.toEqual([]);
    expect(readersOf(publication)).toEqual(replicas);
    expect(readersOf({ ...publication, replicas: [] })).toEqual([primary]);
  });
});
