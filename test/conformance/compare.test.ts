// The comparison itself: two simulated trios that draw differently are the same, and one whose nodes do anything else than
// a server would is found.

import { describe, expect, it } from "vitest";
import type { NodeReading } from "../../lib/core/types.ts";
import type { NodeClient, NodeUnderTest, NodeWorld } from "../contract/valkey-node-world.ts";
import { parseSequence, textOf } from "./command.ts";
import { runSequence, type Sides } from "./compare.ts";
import { drawSequence } from "./draw.ts";
import { search } from "./search.ts";
import { makeSimulated } from "./sides.ts";

interface Lie {
  readonly reading?: (reading: NodeReading) => NodeReading;
  readonly node?: (node: NodeUnderTest) => NodeUnderTest;
}

const seeds = (count: number): string[] => Array.from({ length: count }, (_, index) => `lie-${index}`);

const sidesWith = (lie: Lie): Sides => ({
  left: { name: "one", make: (options) => makeSimulated({ ...options, seed: "one" }) },
  right: { name: "other", make: async (options) => lying(await makeSimulated({ ...options, seed: "other" }), lie) },
});

/** The nodes do what they do, and somebody else is told. */
function lying(world: NodeWorld, { reading = (each) => each, node = (each) => each }: Lie): NodeWorld {
  return {
    ...world,
    nodes: world.nodes.map(node),
    openVoter: () => {
      const voter = world.openVoter();
      return {
        open: (address) => {
          const port = voter.open(address);
          const { probe } = port;
          port.probe = (request) =>
            probe
              .call(port, request)
              .then((seen) => (seen.kind === "answered" ? { ...seen, reading: reading(seen.reading) } : seen));
          return port;
        },
      };
    },
  };
}

/** With some of its members replaced. */
const altered = <T extends object>(whole: T, changes: Partial<T>): T =>
  new Proxy(whole, {
    get: (target, name) => {
      if (name in changes) return changes[name as keyof T];
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

const LIES: Readonly<Record<string, Lie>> = {
  "a promoted node that keeps its history": {
    reading: (reading) =>
      reading.role === "primary" && reading.secondReplicationId !== null
        ? {
            ...reading,
            replicationId: reading.secondReplicationId,
            secondReplicationId: null,
            secondReplicationOffset: null,
          }
        : reading,
  },
  "a frozen node whose offset goes on": {
    reading: (reading) => (reading.follows?.port === 1 ? { ...reading, offset: reading.offset + 1 } : reading),
  },
  "a frozen node that is told as a primary": {
    reading: (reading) => (reading.follows?.port === 1 ? { ...reading, role: "primary", follows: null } : reading),
  },
  "a token of another epoch": {
    reading: (reading) =>
      reading.follows?.port === 1 ? { ...reading, follows: { ...reading.follows, host: "127.0.0.66" } } : reading,
  },
  "a restart under the same run id": {
    reading: (reading) => ({ ...reading, runId: "5".repeat(40) as NodeReading["runId"] }),
  },
  "a follower that is not listed": { reading: (reading) => ({ ...reading, replicas: reading.replicas.slice(1) }) },
  "a write that is not there": {
    node: (node) => altered(node, { holds: (writes) => node.holds(writes).then((held) => held.slice(1)) }),
  },
  "a replica that accepts a write": {
    node: (node) =>
      altered(node, {
        openClient: () =>
          node.openClient().then((client) => {
            const set: NodeClient["set"] = (write) => client.set(write).then(() => "OK");
            return altered(client, { set });
          }),
      }),
  },
};

describe("the comparison", () => {
  it("finds no difference between two simulated trios that draw differently", async () => {
    const found = await search({ seeds: seeds(150), length: 12, sides: sidesWith({}), shrinkWithinMs: 10_000 });
    expect(found).toMatchObject({ finding: null, unrepeated: 0, restless: 0 });
  });

  it.each(Object.entries(LIES))("finds %s, in few commands", async (_, lie) => {
    const found = await search({ seeds: seeds(40), length: 12, sides: sidesWith(lie), shrinkWithinMs: 10_000 });
    expect(found.finding).not.toBeNull();
    const [, commands = ""] = /--commands "([^"]*)"/.exec(found.finding ?? "") ?? [];
    expect(parseSequence(commands).commands.length).toBeLessThanOrEqual(3);
  });

  it("draws every command, and reads each sequence back from its words", () => {
    const drawn = seeds(300).map((seed) => drawSequence(seed, 12));
    for (const sequence of drawn) expect(parseSequence(textOf(sequence))).toEqual(sequence);
    const kinds = new Set(drawn.flatMap(({ commands }) => commands.map(({ kind }) => kind)));
    expect(kinds.size).toBe(10);
  });

  it("compares what a command answered as well as what there is afterwards", async () => {
    const refused = await runSequence(parseSequence("none; write n2; a seen promote n1 as-seen"), sidesWith({}));
    expect(refused.views.flat()).toEqual(expect.arrayContaining(["answer: READONLY"]));
    expect(refused.views.flat().join("\n")).toContain("answer: refused: it is a primary already");
  });
});
