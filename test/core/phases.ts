// The phases of a voter's life with one group, each as a state in which a fact may find it. Those of an operation are
// taken from a world that was driven there, so that they are states that really occur.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { Fact } from "../../lib/core/commands.ts";
import type { Context, GroupState } from "../../lib/core/state.ts";
import { BOOT_FENCE } from "../../lib/core/token.ts";
import { epoch, instant, type VoterId } from "../../lib/core/types.ts";
import {
  A,
  answered,
  B,
  ballot,
  C,
  connection,
  context,
  control,
  lease,
  N1,
  N2,
  N3,
  newborn,
  operation,
  primaryReading,
  reading,
  request,
  run,
  silent,
  VOTERS,
  vote,
  watching,
  withNode,
} from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

export type InputKind = Fact["kind"];

/** A state, when the fact comes, and the facts that are not the usual ones there. */
export interface Moment {
  readonly state: GroupState;
  readonly at: number;
  readonly context: Context;
  readonly facts: Partial<Record<InputKind, Fact>>;
}

const still = (state: GroupState, facts: Moment["facts"] = {}, at = 10): Moment => ({
  state,
  at,
  context: context(),
  facts,
});

/** The declared mode is the one that the record is brought in line with. */
const observing = (moment: Moment): Moment => ({
  ...moment,
  context: { ...moment.context, config: { ...moment.context.config, mode: "observe" } },
});

const sighting = { generation: 1, seq: 1, absentAt: instant(0) };
const freshly = { [A]: sighting, [B]: sighting, [C]: sighting };

/** n1 is silent for longer than the bound, two others have just voted, and so has this voter. */
const voted = (values: Partial<Ballot> = {}): GroupState => ({
  ...lost({ votes: { [A]: vote(), [B]: vote(), [C]: vote() }, ...values }),
  ownVote: { seq: 1, writtenAt: instant(5) },
});

/** n1 is silent for longer than the bound, and two others have just voted. */
function lost(values: Partial<Ballot> = {}): GroupState {
  const state = watching(ballot({ votes: { [B]: vote(), [C]: vote() }, ...values }), { sightings: freshly });
  return withNode(state, N1, {
    class: "silent",
    heard: "silent",
    connection: null,
    answeredAt: instant(-6_000),
    lostAt: instant(-5_500),
  });
}

/** The holder's state as soon as `isThere`, with the facts that are on their way to it. */
function driven(world: World, isThere: (world: World, state: GroupState) => boolean): Moment {
  const holder = (): VoterId | undefined => world.ballot.lease?.holder;
  const stateOf = (): GroupState | null => {
    const known = holder();
    const state = known === undefined ? undefined : world.voters.get(known)?.state;
    return state?.operation == null ? null : state;
  };
  const isReached = world.run(() => {
    const state = world.item === null ? null : stateOf();
    return state !== null && isThere(world, state);
  }, 5_000);
  const voter = world.voters.get(holder() as VoterId);
  if (!isReached || voter === undefined) throw new Error(`never there: ${world.done.join("; ")}`);
  const facts: Partial<Record<InputKind, Fact>> = {};
  for (const kind of ["command-ended", "write-ended", "publish-ended"] as const) {
    const fact = world.coming(voter.context.self.voter, kind);
    if (fact !== null) facts[kind] = fact;
  }
  return { state: voter.state, at: world.now, context: voter.context, facts };
}

const dead = (): World => {
  const world = new World().watched();
  world.node(N1).kill();
  return world;
};

const ordered = (): World => {
  const world = new World().watched();
  world.request = request({ target: N3 });
  return world;
};

const done = (name: string) => (world: World) => world.done.includes(name);

export const PHASES = {
  "no record": () => still({ ...watching(null), missing: true }),
  "unreadable record": () =>
    still(watching(null, { unreadable: "newer schema", storeFailedSince: instant(0), storeRetryAt: instant(100) })),
  "another table's record": () => still(watching(ballot({ table: "table-2" }))),
  suspended: () => still({ ...lost(), suspendedUntil: instant(500) }),
  "not adopted": () => still(watching(newborn(), { standingEpoch: epoch(0) })),
  watching: () => still(watching()),
  "primary lost": () =>
    still(lost(), { "probe-ended": { kind: "probe-ended", node: N1, sentAt: instant(5), observation: silent() } }),
  "quorum of votes": () => still(voted()),
  "quorum of votes, observed": () => observing(still(voted({ control: control({ mode: "observe" }) }))),
  "quorum of votes, paused": () => still(voted({ control: control({ mode: "paused" }) })),
  "beside a primary that others lost": () =>
    still(
      [N2, N3].reduce(
        (state, id) => withNode(state, id, { class: "silent", heard: "silent", lostAt: instant(0) }),
        watching(ballot({ votes: { [B]: vote(), [C]: vote() } }), { sightings: freshly }),
      ),
    ),
  "request standing": () => still(watching(ballot(), { request: request({ target: N3 }), requestSince: instant(0) })),
  "primary reborn": () =>
    still(withNode(watching(), N1, { class: "reborn", reading: reading({ runId: run(11), follows: BOOT_FENCE }) }), {
      "probe-ended": {
        kind: "probe-ended",
        node: N1,
        sentAt: instant(5),
        observation: answered(reading({ runId: run(11), follows: BOOT_FENCE, linkUp: false }), connection(1)),
      },
    }),
  "lease of another": () =>
    still(watching(ballot({ epoch: epoch(2), lease: lease({ holder: B }), operation: operation({ kind: "repair" }) }))),
  "lease of another, lapsed": () =>
    still(
      withNode(
        watching(ballot({ epoch: epoch(2), lease: lease({ holder: B }), operation: operation() }), {
          lastAt: instant(4_990),
        }),
        N1,
        {
          reading: primaryReading(),
          readAt: instant(5_000),
          answeredAt: instant(5_000),
        },
      ),
      {},
      5_000,
    ),
  gathering: () => driven(dead(), done("freeze n3@2")),
  "stop awaited": () => {
    const world = new World({ ...QUICK, stopInstance: "required" }).watched();
    world.node(N1).isHung = true;
    return driven(world, (_, state) => state.operation?.stopAwaitedSince != null);
  },
  intended: () => driven(dead(), (_, state) => state.look?.ballot.operation?.step === "intended"),
  promoting: () => driven(dead(), done("promote n2@2")),
  committing: () => driven(dead(), done("commit@2")),
  committed: () => driven(dead(), (_, state) => state.look?.ballot.operation?.step === "committed"),
  "switchover before its freeze": () => driven(ordered(), done("pause n1")),
  "switchover after its freeze": () => driven(ordered(), done("freeze n1@2")),
  restoring: () => {
    const world = ordered();
    world.on("pause n1", () => {
      world.node(N3).isLagging = true;
      world.node(N1).log = [...world.node(N1).log, "heartbeat"];
    });
    return driven(world, (_, state) => state.look?.ballot.operation?.step === "restoring");
  },
  initialising: () => {
    const world = new World();
    for (const voter of VOTERS) world.start(voter);
    return driven(world, () => true);
  },
  repairing: () => {
    const world = new World().watched();
    world.node(N2).restart({ keepsData: true, fenced: true });
    return driven(world, () => true);
  },
} as const satisfies Readonly<Record<string, () => Moment>>;

export type Phase = keyof typeof PHASES;

/** The fact of `kind` for that moment: what is on its way there, or one that changes nothing. */
export function factOf(moment: Moment, kind: InputKind): Fact {
  const { state, at } = moment;
  const usual = moment.facts[kind];
  if (usual !== undefined) return usual;
  const look = state.look?.ballot ?? null;
  switch (kind) {
    case "time-passed":
      return { kind };
    case "probe-ended": {
      const known = state.nodes[N2];
      const said = known?.reading ?? reading();
      return {
        kind,
        node: N2,
        sentAt: instant(at - 1),
        observation: answered(said, known?.connection ?? connection(1)),
      };
    }
    case "connection-cut":
      return { kind, node: N2 };
    case "ballot-read":
      return { kind, sentAt: instant(at), ballot: look };
    case "store-failed":
      return { kind, detail: "reset", unreadable: false };
    case "glanced":
      return { kind, ballot: look, request: state.request, readBehind: null };
    case "write-ended": {
      const write = {
        name: "renew",
        group: "g",
        attempt: { path: ["attempt"], id: "w" },
        condition: { kind: "all", of: [] },
        changes: [],
      };
      return { kind, sentAt: instant(at), write: write as never, outcome: { kind: "unknown", detail: "time-out" } };
    }
    case "command-ended": {
      const command = { kind: "settle", epoch: epoch(1), connection: 1 } as const;
      return { kind, node: N3, command, outcome: { kind: "unknown", detail: "time-out" }, late: false };
    }
    case "publish-ended": {
      const publication = { schema: 1, group: "g", epoch: 1, revision: 0, primary: { node: N1 }, replicas: [], at: 0 };
      return { kind, target: "table", publication: publication as never, result: "skipped", detail: "" };
    }
    case "request-resolved":
      return {
        kind,
        id: "request-0",
        result: { kind: "done", detail: "", epoch: epoch(1), at: 0 as never },
        applied: false,
      };
    case "standing-read":
      return { kind, epoch: epoch(0), table: null };
  }
}

/** The call that an answer of the table is awaited by. */
export function awaiting(state: GroupState, fact: Fact): GroupState {
  switch (fact.kind) {
    case "ballot-read":
    case "store-failed":
      return { ...state, storeBusy: { sentAt: instant(0), pending: null } };
    case "write-ended":
      return {
        ...state,
        storeBusy: { sentAt: instant(0), pending: { write: fact.write, sentAt: fact.sentAt, events: [] } },
      };
    default:
      return state;
  }
}
