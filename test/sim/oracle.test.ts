// Each promise of the oracle with a made-up world that breaks it, and one beside it that does not.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { BallotWrite, Json } from "../../lib/core/ballot-write.ts";
import type { RequestKind } from "../../lib/core/records.ts";
import {
  epoch,
  groupName,
  instant,
  type NodeCommand,
  type NodeId,
  type NodeReading,
  runId,
  wallTime,
} from "../../lib/core/types.ts";
import {
  begins,
  type Made,
  type MadeView,
  made,
  n1,
  n2,
  n3,
  position,
  primary,
  stream,
  truth,
  vote,
} from "./made-world.ts";
import type { NodeTruth } from "./oracle-view.ts";
import { type Position, Stream } from "./stream.ts";

describe("the host of the old primary", () => {
  const at = stream("c");
  const meant = { operation: begins("failover", 2), lineage: { intents: [{ node: n2, epoch: 2 }] } };
  const old = (changes: Partial<NodeTruth> = {}) =>
    truth(n1, position(at, 5), { runId: "r", isPrimary: true, ...changes });
  const world = (required: boolean, truths: NodeTruth[]): Made => {
    const of = made();
    of.view.settings = { ...of.view.settings, stopInstance: required ? "required" : "off" };
    of.view.truths = truths;
    of.write("voter:az-a", "adopt", { epoch: 1, primary: { node: n1, epoch: 1, runId: "r", replicationId: at.id } });
    return of;
  };

  it("S5: another is meant, or committed, while it may accept writes", () => {
    for (const [name, changes] of [
      ["record-intent", meant],
      ["commit", { ...meant, primary: primary(n2, 2) }],
    ] as const) {
      const required = world(true, [old()]);
      required.write("voter:az-a", name, changes);
      expect(required.ids()).toContain("S5");
      const off = world(false, [old()]);
      off.write("voter:az-a", name, changes);
      expect(off.ids()).not.toContain("S5");
    }
  });

  it("is no matter when it is another process, follows, was promoted by hand, or a person chose", () => {
    for (const changes of [{ runId: "another" }, { isPrimary: false }, { position: position(stream("d"), 5) }]) {
      const of = world(true, [old(changes)]);
      of.write("voter:az-a", "record-intent", meant);
      expect(of.ids()).toEqual([]);
    }
    const chosen = world(true, [old()]);
    chosen.write("voter:az-a", "record-intent", { ...meant, operation: begins("recover", 2) });
    expect(chosen.ids()).toEqual([]);
  });
});

describe("the record", () => {
  it("S1: one epoch with two primaries", () => {
    const world = made();
    world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
    world.write("voter:az-b", "enter-replication-id", { primary: primary(n1, 1) });
    expect(world.ids()).toEqual([]);
    world.write("voter:az-b", "commit", { primary: primary(n2, 1) });
    expect(world.ids()).toEqual(["S1"]);
  });

  it("S1: a publication that names another than was committed", () => {
    const world = made();
    world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
    const publication = {
      schema: 1,
      table: "table-1",
      group: groupName("main"),
      revision: 0,
      replicas: [],
      at: wallTime(0),
    } as const;
    const address = { host: "h", port: 1 };
    world.oracle.onPublication({ ...publication, epoch: epoch(1), primary: { node: n1, address } });
    expect(world.ids()).toEqual([]);
    world.oracle.onPublication({ ...publication, epoch: epoch(1), revision: 1, primary: { node: n2, address } });
    expect(world.ids()).toEqual(["S1"]);
  });

  it.each([
    [{ epoch: 3 }, "epoch fell from 4 to 3 by renew of voter:az-a"],
    [{ primary: primary(n2, 1) }, "primary.epoch fell from 2 to 1 by renew of voter:az-a"],
    [{ primary: primary(n2, 5) }, "the primary's epoch is above the ballot's"],
    [{ epoch: 5, primary: primary(n2, 5) }, null],
  ])("S2: an epoch that falls, or is above what was given: %j", (changes, detail) => {
    const world = made();
    world.write("voter:az-a", "adopt", { epoch: 4, primary: primary(n2, 2) });
    world.write("voter:az-a", "renew", changes);
    const found = detail === null ? [] : [{ id: "S2", at: 0, detail }];
    expect(world.oracle.violations.filter(({ id }) => id === "S2")).toEqual(found);
  });

  it("S2: what is published is put over what is as new", () => {
    const other = made();
    other.write("voter:az-a", "adopt", { epoch: 3, primary: primary(n1, 3) });
    const publication = {
      schema: 1,
      table: "table-1",
      group: groupName("main"),
      replicas: [],
      at: wallTime(0),
    } as const;
    const named = { node: n1, address: { host: "h", port: 1 } };
    other.oracle.onPublication({ ...publication, epoch: epoch(3), revision: 1, primary: named });
    other.oracle.onPublication({ ...publication, epoch: epoch(3), revision: 1, primary: named });
    expect(other.ids()).toEqual(["S2"]);
  });

  it("S2: the TXT twin goes back; SSM may, and what a person wrote is not ours", () => {
    const world = made();
    world.oracle.onCopy("dns", 3, "voter:az-a");
    world.oracle.onCopy("dns", 3, "publisher");
    world.oracle.onCopy("ssm", 3, "voter:az-a");
    world.oracle.onCopy("ssm", 2, "voter:az-b");
    world.oracle.onCopy("dns", 2, "hand");
    world.oracle.onCopy("dns", 3, "publisher");
    expect(world.ids()).toEqual([]);
    world.oracle.onCopy("dns", 2, "voter:az-b");
    expect(world.ids()).toEqual(["S2"]);
  });

  it("S3: an election on too few votes, on suspicions, on votes against somebody else", () => {
    const insufficient: readonly Readonly<Record<string, Json>>[] = [
      { "vote_az-a": vote("down") },
      { "vote_az-a": vote("down"), "vote_az-b": vote("suspect") },
      { "vote_az-a": vote("down"), "vote_az-b": vote("down", { node: n2 }) },
      { "vote_az-a": vote("down"), "vote_az-b": vote("down", { epoch: 0 }) },
    ];
    for (const votes of insufficient) {
      const world = made();
      world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
      for (const [name, value] of Object.entries(votes)) {
        world.write(`voter:${name.slice(5)}`, "cast-vote", { [name]: value });
      }
      world.write("voter:az-a", "grant", { epoch: 2, operation: begins("failover", 2) });
      expect(world.ids()).toEqual(["S3"]);
    }
    const world = made();
    world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
    world.write("voter:az-a", "cast-vote", { "vote_az-a": vote("down") });
    world.write("voter:az-b", "cast-vote", { "vote_az-b": vote("down") });
    world.write("voter:az-a", "grant", { epoch: 2, operation: begins("failover", 2) });
    expect(world.ids()).toEqual([]);
  });

  it("S3: a switchover that nobody ordered and nobody voted for", () => {
    const world = made();
    world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
    world.write("voter:az-a", "grant", { epoch: 2, operation: begins("switchover", 2) });
    expect(world.ids()).toEqual(["S3"]);
  });

  it("S3: an election by an order that nobody gave, or that was another", () => {
    const begun = (kind: string, order: MadeView["lastOrder"]) => {
      const world = made();
      world.view.lastOrder = order;
      world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
      const operation = { ...(begins(kind, 2) as object), by: "operator", request: "request-1" };
      world.write("voter:az-a", "grant", { epoch: 2, operation });
      return world.ids();
    };
    const order = (kind: RequestKind, id = "request-1") => ({ id, kind, result: null });
    for (const kind of ["failover", "switchover"]) {
      expect(begun(kind, null)).toEqual(["S3"]);
      expect(begun(kind, order("failover", "request-2"))).toEqual(["S3"]);
      expect(begun(kind, order("failover"))).toEqual([]);
      expect(begun(kind, order("switchover"))).toEqual(kind === "switchover" ? [] : ["S3"]);
      expect(begun(kind, order("drain"))).toEqual(kind === "switchover" ? [] : ["S3"]);
    }
    expect(begun("cold-start", order("failover"))).toEqual(["S3"]);
  });

  it("S3: an election on votes that the voters have not cast, or that came back with an earlier record", () => {
    const votes = { "vote_az-a": vote("down"), "vote_az-b": vote("down") };
    const elected = (before: (world: Made) => void) => {
      const world = made();
      world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
      before(world);
      world.write("voter:az-a", "grant", { epoch: 2, operation: begins("failover", 2) });
      return world.ids();
    };
    const cast = (world: Made) => {
      for (const zone of ["az-a", "az-b"])
        world.write(`voter:${zone}`, "cast-vote", { [`vote_${zone}`]: vote("down") });
    };
    expect(elected(cast)).toEqual([]);
    expect(elected((world) => world.write("voter:az-a", "cast-vote", votes))).toEqual(["S7", "S3"]);
    expect(
      elected((world) => {
        cast(world);
        world.oracle.onSetBack();
      }),
    ).toEqual(["S3"]);
  });

  it("R4: a process is called in sync that never followed this primary", () => {
    const claimed = (happens: (world: Made) => void, changes: Readonly<Record<string, Json>> = {}) => {
      const world = made();
      world.view.truths = [truth(n1, null, { runId: "r" }), truth(n2, null), truth(n3, null)];
      world.view.record = { primary: primary(n1, 1) } as unknown as Ballot;
      world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
      happens(world);
      const member = { runId: `run of ${n3}`, inSyncEpoch: 1, ...changes };
      world.write("voter:az-a", "update-members", { members: { version: 1, nodes: { [n3]: member } } });
      return world.ids();
    };
    /** n3 is linked with this process, and n2 with that one. */
    const link =
      (to: string, of2: string | null = null) =>
      (world: Made) => {
        world.view.truths = [truth(n1, null, { runId: "r" }), truth(n2, null, { linkedTo: of2 }), linked(to)];
        world.oracle.onNode({ kind: "link-up", node: n3, from: n1, how: "full" });
      };
    const linked = (to: string) => truth(n3, null, { linkedTo: to });
    expect(claimed(() => {})).toEqual(["R4"]);
    expect(claimed(link("r"))).toEqual([]);
    // A record that was damaged meanwhile names nobody, and the nodes go on.
    expect(
      claimed((world) => {
        world.view.record = null;
        link("r")(world);
      }),
    ).toEqual([]);
    expect(claimed(link(`run of ${n2}`, "r"))).toEqual([]);
    expect(claimed(link(`run of ${n2}`))).toEqual(["R4"]);
    expect(claimed(link(`run of ${n2}`, `run of ${n3}`))).toEqual(["R4"]);
    expect(claimed(link("another process of n1"))).toEqual(["R4"]);
    // What it loaded came from a primary that has ended since.
    expect(
      claimed((world) => {
        world.view.truths = [truth(n1, null, { runId: "another process of n1" }), linked("r")];
        world.oracle.onNode({ kind: "link-up", node: n3, from: n1, how: "full" });
      }),
    ).toEqual([]);
    expect(claimed(link("r"), { runId: "another process" })).toEqual(["R4"]);
    expect(claimed(() => {}, { inSyncEpoch: 0 })).toEqual([]);
    expect(claimed(() => {}, { runId: null })).toEqual([]);
  });

  it("R4: a link that was up, and down again, before its primary was adopted", () => {
    const world = made();
    world.view.record = null;
    for (const linkedTo of ["r", null]) {
      world.view.truths = [truth(n1, null, { runId: "r" }), truth(n3, null, { linkedTo })];
      world.oracle.onNode({ kind: "link-up", node: n3, from: n1, how: "full" });
    }
    world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
    const member = { runId: `run of ${n3}`, inSyncEpoch: 1 };
    world.write("voter:az-a", "update-members", { members: { version: 1, nodes: { [n3]: member } } });
    expect(world.ids()).toEqual([]);
  });

  it("S7: a vote that goes back, that another cast, or that a successor weakened", () => {
    const standing = { "vote_az-a": vote("down", { generation: 2, seq: 5 }) };
    const broken: readonly (readonly [string, Json])[] = [
      ["voter:az-a", vote("down", { generation: 2, seq: 4 })],
      ["voter:az-a", vote("down", { generation: 1, seq: 9 })],
      ["voter:az-b", vote("down", { generation: 2, seq: 6 })],
      ["voter:az-a", vote("suspect", { generation: 3, seq: 1 })],
    ];
    for (const [by, value] of broken) {
      const world = made();
      world.write("voter:az-a", "cast-vote", standing);
      world.write(by, "cast-vote", { "vote_az-a": value });
      expect(world.ids()).toEqual(["S7"]);
    }
    const world = made();
    world.write("voter:az-a", "cast-vote", standing);
    world.write("voter:az-b", "finish", { "vote_az-a": vote("clear", { generation: 2, seq: 5 }) });
    expect(world.ids()).toEqual([]);
  });
});

describe("the nodes", () => {
  const executed = (node: NodeId, at: number, effective: boolean) =>
    ({ kind: "executed", node, by: "voter:az-a", epoch: epoch(at), label: "freeze", effective }) as const;

  it("S4: an older epoch's command that takes effect after a newer one's", () => {
    const world = made();
    for (const given of [4, 5]) world.write("voter:az-a", "grant", { epoch: given });
    world.oracle.onNode(executed(n1, 5, true));
    world.oracle.onNode(executed(n1, 4, false));
    world.oracle.onNode(executed(n2, 4, true));
    expect(world.ids()).toEqual([]);
    world.oracle.onNode(executed(n1, 4, true));
    expect(world.ids()).toEqual(["S4"]);
  });

  it("S4: a command that was given by a record which was replaced, after one that the new record gave", () => {
    const world = made();
    world.write("voter:az-a", "grant", { epoch: 9 });
    world.restore({ epoch: 3 });
    world.write("voter:az-b", "grant", { epoch: 4 });
    world.oracle.onNode({ ...executed(n2, 9, true), label: "repoint" });
    world.oracle.onNode({ ...executed(n1, 4, true), by: "voter:az-b" });
    expect(world.ids()).toEqual([]);
    world.oracle.onNode({ ...executed(n1, 9, true), label: "repoint" });
    expect(world.ids()).toEqual(["S4"]);
  });

  it("S10: a command under an epoch that the table gave to nobody, or to another", () => {
    const world = made();
    world.write("voter:az-b", "grant", { epoch: 2 });
    world.oracle.onNode({ ...executed(n1, 2, true), by: "voter:az-b", label: "promote" });
    // An assistant's.
    world.oracle.onNode(executed(n2, 2, true));
    expect(world.ids()).toEqual([]);
    world.oracle.onNode({ ...executed(n2, 2, true), label: "promote" });
    world.oracle.onNode(executed(n2, 3, true));
    expect(world.ids()).toEqual(["S10", "S10"]);
  });

  it("S2: a token that falls", () => {
    const world = made();
    const followed = (host: string) =>
      ({ kind: "followed", node: n1, address: { host, port: 1 }, wasPrimary: false, by: "x", epoch: null }) as const;
    world.oracle.onNode(followed("127.0.0.5"));
    world.oracle.onNode(followed("127.0.0.6"));
    expect(world.ids()).toEqual([]);
    world.oracle.onNode(followed("127.0.0.5"));
    expect(world.ids()).toEqual(["S2"]);
  });

  it("S2: two nodes promoted under one epoch", () => {
    const world = made();
    const promoted = (node: NodeId, of: number, by = "voter:az-a") =>
      world.oracle.onNode({ kind: "promoted", node, by, epoch: epoch(of) });
    promoted(n1, 2);
    // Frozen since, and promoted again.
    promoted(n1, 2);
    promoted(n2, 3);
    expect(world.ids()).toEqual([]);
    promoted(n3, 3);
    expect(world.ids()).toEqual(["S2"]);
  });

  /** n3 has more than n2, or less; both were frozen, `happens` what it says, and n2 is meant and promoted. */
  const promotedAfter = (happens: (world: Made, at: Position) => void, [has, of]: readonly [number, number]) => {
    const world = made();
    const history = stream("a");
    history.append(100, 0, 1);
    const positions = { [n2]: position(history, has), [n3]: position(history, of) };
    follow(world, positions[n2] as Position, positions[n3] as Position);
    for (const id of [n2, n3]) world.oracle.onAnswer(freezeAnswer(id, positions[id] as Position));
    happens(world, positions[n3] as Position);
    world.write("voter:az-a", "record-intent", { epoch: 2 });
    world.oracle.onNode({ kind: "promoted", node: n2, by: "voter:az-a", epoch: epoch(2) });
    return world.ids();
  };
  const means = (world: Made) =>
    world.oracle.onWrite("voter:az-a", { name: "record-intent", attempt: { id: "x" } } as BallotWrite, "az-a/1");
  const heard = (world: Made, reading: Partial<NodeReading> | null, by = "voter:az-a") =>
    world.oracle.onHeard({ by, node: n3, reading: reading as NodeReading | null });
  const asFrozen = { runId: runId(`run of ${n3}`), offset: 100 };

  it.each<{
    readonly what: string;
    readonly happens: (world: Made, at: Position) => void;
    readonly ids: readonly string[];
  }>([
    { what: "and nothing else happened", happens: means, ids: ["S6"] },
    {
      what: "and was heard as it was frozen",
      happens: (world) => {
        heard(world, asFrozen);
        means(world);
      },
      ids: ["S6"],
    },
    {
      what: "and was lost to another voter",
      happens: (world) => {
        heard(world, null, "voter:az-b");
        means(world);
      },
      ids: ["S6"],
    },
    {
      what: "and was lost only when the intent was on its way",
      happens: (world) => {
        means(world);
        heard(world, null);
      },
      ids: ["S6"],
    },
    {
      what: "and was lost before",
      happens: (world) => {
        heard(world, null);
        means(world);
      },
      ids: [],
    },
    {
      what: "and was another process by then",
      happens: (world) => {
        heard(world, { ...asFrozen, runId: runId("another") });
        means(world);
      },
      ids: [],
    },
    {
      what: "lost, and frozen again",
      happens: (world, at) => {
        heard(world, null);
        world.oracle.onAnswer(freezeAnswer(n3, at));
        means(world);
      },
      ids: ["S6"],
    },
    {
      what: "lost, and frozen again by an answer that came too late",
      happens: (world, at) => {
        heard(world, null);
        world.oracle.onAnswer({ ...freezeAnswer(n3, at), isLate: true });
        means(world);
      },
      ids: [],
    },
    {
      what: "while somebody is taken out of the declaration",
      happens: (world) => {
        world.oracle.onMembersChanged(1_000);
        means(world);
      },
      ids: [],
    },
    {
      what: "which had refused its promotion",
      happens: (world, at) => {
        const command = { kind: "promote", epoch: epoch(2) } as NodeCommand;
        const outcome = { kind: "refused", detail: "", reading: null } as const;
        world.oracle.onAnswer({ ...freezeAnswer(n3, at), command, outcome });
        world.oracle.onAnswer(freezeAnswer(n3, at));
        means(world);
      },
      ids: [],
    },
  ])("S6: another frozen node had more, $what", ({ happens, ids }) => {
    expect(promotedAfter(happens, [60, 100])).toEqual(ids);
    expect(promotedAfter(happens, [100, 60])).toEqual([]);
  });

  it.each([39, 40])("S6: is behind by 40 bytes, and %i are tolerated", (offsetToleranceBytes) => {
    const world = made();
    world.view.settings = { ...world.view.settings, offsetToleranceBytes };
    const history = stream("a");
    history.append(100, 0, 1);
    const [behind, ahead] = [position(history, 60), position(history, 100)];
    follow(world, behind, ahead);
    world.oracle.onAnswer(freezeAnswer(n2, behind));
    world.oracle.onAnswer(freezeAnswer(n3, ahead));
    means(world);
    world.write("voter:az-a", "record-intent", { epoch: 2 });
    const forked = new Stream(history.id, behind, behind.offset, 1);
    world.view.truths = [truth(n2, position(forked, forked.start)), truth(n3, ahead)];
    world.oracle.onNode({ kind: "promoted", node: n2, by: "voter:az-a", epoch: epoch(2) });
    expect(world.ids()).toEqual(offsetToleranceBytes < 40 ? ["S6"] : []);
  });

  it("S6: one that was never in sync with this primary does not count, whatever the record says of it", () => {
    const never = (world: Made) => {
      world.view.record = { ...recordOf([n2, n3]), primary: { ...(primary(n1, 2) as object) } } as Ballot;
      means(world);
    };
    // Frozen anew under that record.
    expect(
      promotedAfter(
        (world, at) => {
          never(world);
          world.oracle.onAnswer(freezeAnswer(n3, at));
          means(world);
        },
        [60, 100],
      ),
    ).toEqual([]);
  });

  /** n2 and n3 have followed n1, which the record names, and so the record calls them in sync. */
  function follow(world: Made, of2: Position, of3: Position): void {
    world.view.truths = [
      truth(n1, null, { runId: "r" }),
      truth(n2, of2, { linkedTo: "r" }),
      truth(n3, of3, { linkedTo: "r" }),
    ];
    world.view.record = recordOf([n2, n3]);
    world.oracle.onNode({ kind: "link-up", node: n3, from: n1, how: "partial" });
  }

  function recordOf(members: readonly NodeId[]): Ballot {
    const nodes = Object.fromEntries(
      members.map((id) => [id, { runId: `run of ${id}`, inSyncEpoch: 1, address: null }]),
    );
    const lineage = { histories: [{ epoch: 1, node: n1, replicationId: "known", forkOffset: 0 }], intents: [] };
    return { primary: primary(n1, 1), members: { version: 1, nodes }, operation: null, lineage } as unknown as Ballot;
  }

  function freezeAnswer(node: NodeId, { offset }: Position) {
    const reading = {
      runId: `run of ${node}`,
      offset,
      replicationId: "known",
      syncInProgress: false,
      loading: false,
    } as unknown as NodeReading;
    return {
      by: "voter:az-a",
      node,
      isLate: false,
      command: { kind: "freeze", epoch: epoch(2), connection: 1, parked: false },
      outcome: {
        kind: "applied",
        before: reading,
        after: reading,
        rewriteError: null,
        connection: { id: 1, authenticatedAt: instant(0) },
      },
    } as const;
  }
});
