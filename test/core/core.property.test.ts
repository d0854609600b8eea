// What holds of any run: facts drawn at random, repeated, and out of order, over worlds that are cut, cut off and restarted
// at random. The world answers truthfully; everything else is the dice's.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { voteAttribute } from "../../lib/core/ballot-write.ts";
import { select } from "../../lib/core/candidate.ts";
import type { Command, Fact } from "../../lib/core/commands.ts";
import { countVotes, sighted } from "../../lib/core/quorum.ts";
import type { Context, GroupState } from "../../lib/core/state.ts";
import { step } from "../../lib/core/step.ts";
import { instant, wallTime } from "../../lib/core/types.ts";
import {
  ballot,
  config,
  control,
  N1,
  N2,
  NODES,
  primary,
  reading,
  request,
  run,
  VOTERS,
  vote,
  WALL_START,
} from "./builders.ts";
import { awaiting, factOf, type InputKind, PHASES, type Phase } from "./phases.ts";
import { QUICK, World } from "./scripted-world.ts";

const KINDS: readonly InputKind[] = [
  "time-passed",
  "probe-ended",
  "connection-cut",
  "ballot-read",
  "store-failed",
  "glanced",
  "write-ended",
  "command-ended",
  "publish-ended",
  "request-resolved",
  "standing-read",
];

/** What a person or bad luck does to the world, by number, so that a run shrinks. */
const MISFORTUNES: readonly ((world: World, which: number) => void)[] = [
  (world, which) => world.node(NODES[which % 3]).kill(),
  (world, which) => world.node(NODES[which % 3]).restart({ keepsData: true, fenced: true }),
  (world, which) => {
    world.node(NODES[which % 3]).isHung = true;
  },
  (world, which) => world.wake(NODES[which % 3] ?? N1),
  (world, which) => void world.partitions.add(`${VOTERS[which % 3]}>${NODES[(which >> 2) % 3]}`),
  (world) => world.partitions.clear(),
  (world, which) => void world.kill(VOTERS[which % 3] ?? ("" as never)),
  (world, which) => world.start(VOTERS[which % 3] ?? ("" as never)),
  (world, which) => world.stall(VOTERS[which % 3] ?? ("" as never), 50 * (which % 64)),
  (world) => {
    world.isStoreUp = !world.isStoreUp;
  },
  (world, which) => {
    world.request = request({ id: `request-${which}`, target: NODES[which % 3] ?? N1 });
  },
  (world) => world.write(),
];

const misfortune = fc.record({
  afterMs: fc.nat({ max: 400 }),
  what: fc.nat({ max: MISFORTUNES.length - 1 }),
  which: fc.nat({ max: 1_000 }),
});

/** R9, S8: looks at every step of every voter. */
function watchSteps(world: World): { readonly faults: string[] } {
  const faults: string[] = [];
  world.onStep = (before, after, commands) => {
    const look = after.look;
    const writes = commands.filter(
      (command) => command.kind === "write-ballot" || command.kind === "read-ballot",
    ).length;
    if (writes > 1) faults.push("two calls of the table in one step");
    if (
      writes > 0 &&
      before.storeBusy !== null &&
      after.storeBusy?.sentAt === before.storeBusy.sentAt &&
      before.storeBusy !== after.storeBusy
    )
      faults.push("a call of the table while one is under way");
    if (before.look !== null && look !== null && look.ballot.epoch < before.look.ballot.epoch)
      faults.push("S2: an epoch fell");
    for (const command of commands) {
      if (command.kind !== "command-node" || !("epoch" in command.command)) continue;
      if (look === null || command.command.epoch !== look.ballot.epoch)
        faults.push("S4: a command of another epoch than the look's");
      const known = after.nodes[command.node];
      const over = [known?.connection, known?.parkable, after.operation?.facts[command.node]?.frozen?.connection].find(
        (each) => each?.id === command.command.connection,
      );
      if (over == null || look === null || over.authenticatedAt > look.sentAt)
        faults.push(`R9: ${command.command.kind} over a younger connection`);
    }
  };
  return { faults };
}

describe("any world", () => {
  it("S1, S2, S4, R9, R12, R21, R24: keeps what is promised, whatever happens, and comes to rest afterwards", () => {
    fc.assert(
      fc.property(fc.array(misfortune, { maxLength: 12 }), (misfortunes) => {
        // The budget would hold it for ten minutes after three failovers: that is another test's.
        const world = new World({ ...QUICK, failoverBudget: 100 }).watched();
        const { faults } = watchSteps(world);
        for (const { afterMs, what, which } of misfortunes) {
          world.wait(afterMs);
          MISFORTUNES[what]?.(world, which);
        }
        world.partitions.clear();
        world.isStoreUp = true;
        for (const node of world.nodes.values()) {
          if (!node.isUp) node.restart({ keepsData: true, fenced: true });
          world.wake(node.id);
        }
        for (const voter of VOTERS) world.start(voter);
        const isSettled = world.run((each) => each.isSettled(), 180_000);
        expect({ faults, violations: world.violations, isSettled, story: world.done.join("; ") }).toEqual({
          faults: [],
          violations: [],
          isSettled: true,
          story: world.done.join("; "),
        });
      }),
      { numRuns: 40 },
    );
  });
});

/** One fact after another, with the answers of the table awaited or not, as the dice say. */
interface Draw {
  readonly kind: InputKind;
  readonly afterMs: number;
  readonly isAwaited: boolean;
}
const draws = fc.array(
  fc.record({ kind: fc.constantFrom(...KINDS), afterMs: fc.nat({ max: 300 }), isAwaited: fc.boolean() }),
  { maxLength: 30 },
);
const phase = fc.constantFrom(...(Object.keys(PHASES) as Phase[]));
const moments = new Map<Phase, ReturnType<(typeof PHASES)[Phase]>>();
const momentOf = (name: Phase) => {
  const known = moments.get(name) ?? PHASES[name]();
  moments.set(name, known);
  return known;
};

function fed(state: GroupState, of: Context, at: number, facts: readonly Draw[], copies: 1 | 2 = 1) {
  const commands: Command[] = [];
  let now = at;
  let known = state;
  for (const [index, { kind, afterMs, isAwaited }] of facts.entries()) {
    now += afterMs;
    const fact: Fact = factOf({ state: known, at: now, context: of, facts: {} }, kind);
    if (isAwaited && known.storeBusy === null) known = awaiting(known, fact);
    for (let copy = 0; copy < copies; copy += 1) {
      const moment = { at: instant(now), wall: wallTime(WALL_START + now), entropy: `${index}` };
      const result = step(known, { ...fact, ...moment }, of);
      known = result.state;
      commands.push(...result.commands);
    }
  }
  return { state: known, commands };
}

describe("any facts in any order, in any phase", () => {
  it("never break an invariant, and are the same for the same facts", () => {
    fc.assert(
      fc.property(phase, draws, (name, facts) => {
        const { state, context, at } = momentOf(name);
        expect(fed(state, context, at, facts)).toEqual(fed(state, context, at, facts));
      }),
      { numRuns: 150 },
    );
  });

  it("do no harm twice: a copy of each leads to no command of a node that one alone would not have led to", () => {
    fc.assert(
      fc.property(phase, draws, (name, facts) => {
        const { state, context, at } = momentOf(name);
        const nodeCommands = (commands: readonly Command[]) =>
          commands.flatMap((each) => (each.kind === "command-node" ? [`${each.command.kind} ${each.node}`] : []));
        const once = nodeCommands(fed(state, context, at, facts).commands);
        const twice = nodeCommands(fed(state, context, at, facts, 2).commands);
        expect(new Set(twice)).toEqual(new Set(once));
      }),
      { numRuns: 150 },
    );
  });

  it("never start a call of the table while one is under way", () => {
    fc.assert(
      fc.property(phase, draws, (name, facts) => {
        const { state, context, at } = momentOf(name);
        let known = state;
        let now = at;
        for (const { kind, afterMs } of facts) {
          now += afterMs;
          const fact = factOf({ state: known, at: now, context, facts: {} }, kind);
          const isAnswer = kind === "ballot-read" || kind === "store-failed" || kind === "write-ended";
          const moment = { at: instant(now), wall: wallTime(WALL_START + now), entropy: "x" };
          const before = known.storeBusy;
          const result = step(known, { ...fact, ...moment }, context);
          const calls = result.commands.filter((each) => each.kind === "read-ballot" || each.kind === "write-ballot");
          if (before !== null && !isAnswer) expect(calls).toEqual([]);
          expect(calls.length).toBeLessThan(2);
          known = result.state;
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each(["observe", "paused"] as const)("S8: in %s no command goes to a node and nothing is granted", (mode) => {
    fc.assert(
      fc.property(phase, draws, fc.boolean(), (name, facts, isDown) => {
        const { state, context, at } = momentOf(name);
        // What goes on already is finished first: nothing of that kind here.
        const quiet = { ...(state.look?.ballot ?? ballot()), lease: null, operation: null, control: control({ mode }) };
        const look = { ballot: quiet, sentAt: instant(at - 1), at: instant(at) };
        const begun: GroupState = { ...state, look, operation: null, assistance: {}, hold: null, missing: false };
        const asked = isDown ? { ...begun, request: request({ kind: "failover", acceptDataLoss: true }) } : begun;
        const declared = { ...context.config, mode: mode === "observe" ? mode : context.config.mode };
        const { commands } = fed(asked, { ...context, config: declared }, at, facts);
        const acts = commands.filter(
          (each) =>
            each.kind === "command-node" ||
            each.kind === "publish" ||
            (each.kind === "write-ballot" &&
              !(mode === "observe" && each.write.name === "cast-vote") &&
              each.write.name !== "create"),
        );
        expect(acts).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

const anyVote = fc.record({
  level: fc.constantFrom("clear", "suspect", "down"),
  node: fc.constantFrom(N1, N2),
  epoch: fc.constantFrom(1, 2),
  generation: fc.nat({ max: 2 }),
  seq: fc.nat({ max: 3 }),
  silentMs: fc.nat({ max: 20_000 }),
});

describe("counting", () => {
  it("S7: is the same in whatever order votes stand, and never more than one vote for each voter", () => {
    fc.assert(
      fc.property(fc.tuple(anyVote, anyVote, anyVote), fc.nat({ max: 3_000 }), (values, at) => {
        const votes = VOTERS.map((voter, index) => [voter, vote(values[index] as never)] as const);
        const count = (ordered: typeof votes) => {
          const of = ballot({ votes: Object.fromEntries(ordered) });
          const sightings = sighted({}, of, instant(0));
          return countVotes({
            ballot: of,
            primary: primary(),
            sightings,
            at: instant(at),
            voteWindowMs: 1_500,
            unreachableAfterMs: 15_000,
          });
        };
        const counted = count(votes);
        expect(count(votes.toReversed())).toEqual(counted);
        expect(new Set(counted.down).size).toBe(counted.down.length);
        expect(counted.suspectOrDown).toEqual(expect.arrayContaining([...counted.down]));
        expect(VOTERS.map(voteAttribute)).toEqual(expect.arrayContaining(counted.down.map(voteAttribute)));
      }),
    );
  });
});

describe("selecting", () => {
  const anyNode = fc.record({
    offset: fc.nat({ max: 20 }),
    priority: fc.nat({ max: 3 }),
    syncInProgress: fc.boolean(),
  });
  it("S6: is the same in whatever order nodes answered, and nobody who counts and may win has more", () => {
    fc.assert(
      fc.property(fc.tuple(anyNode, anyNode, anyNode), (values) => {
        const frozen = NODES.map((node, index) => {
          const said = reading({ ...values[index], runId: run(index + 1) });
          return { node, before: said, after: said };
        });
        const options = { ballot: ballot(), config: config(), coldStart: false, insists: false, only: null };
        const chosen = select({ ...options, frozen });
        expect(select({ ...options, frozen: frozen.toReversed() })).toMatchObject(
          chosen.kind === "selected" ? { node: chosen.node, lossBytes: chosen.lossBytes } : { kind: "none" },
        );
        const able = frozen.filter((each) => each.after.priority !== 0 && !each.before.syncInProgress);
        const most = Math.max(-1, ...able.map((each) => each.after.offset));
        const best = able.find((each) => chosen.kind === "selected" && each.node === chosen.node);
        expect(best?.after.offset ?? -1).toBe(most);
      }),
    );
  });
});
