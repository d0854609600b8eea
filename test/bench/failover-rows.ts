// The primary is killed, or stops without a word and wakes up when another one serves.

import { monotonicMs, pause } from "./monotonic.ts";
import {
  type FigureLine,
  type Figures,
  type Measured,
  type Row,
  type RowContext,
  recordOf,
  SENTINEL,
  STEP,
  VALKEEPER,
  WITHOUT_FAST_PATH,
} from "./row.ts";
import { checkAll, Scene, type Variant, withGroup } from "./scene.ts";

const PATIENCE_MS = 30_000;
/** Vote, lease, intent, commit and publication, each waiting for the one before. */
const STORE_WRITES = 5;
const AWAKE_AFTER_MS = 2_000;
const AFTERWARDS_MS = 500;
const FAILOVER_STEPS = {
  down: "primary.subjectively-down",
  granted: "lease.acquired",
  frozen: "node.frozen",
  intent: "intent.recorded",
  promoted: "promotion.applied",
  committed: "primary.committed",
  published: "publication.committed",
} as const;

export function killRow(downAfterMs: number, goals: { readonly fast?: number; readonly slow?: number }): Row {
  const goal = (most: number | undefined) => (most === undefined ? {} : { goal: { most } });
  const common = { figure: "writable", unit: "ms", storeWrites: STORE_WRITES } as const;
  return {
    id: `kill-${downAfterMs}`,
    title: `primary killed (SIGKILL), down-after ${downAfterMs}`,
    variants: [SENTINEL, VALKEEPER, WITHOUT_FAST_PATH],
    lines: [
      {
        ...common,
        label: "fault to first write on the new primary",
        variants: [VALKEEPER.id],
        drawn: `killed, down-after ${downAfterMs}`,
        ...goal(goals.fast),
      },
      {
        ...common,
        label: "the same, fast path off",
        variants: [WITHOUT_FAST_PATH.id],
        drawn: `killed, ${downAfterMs}, fast path off`,
        ...goal(goals.slow),
      },
      lostLine("acknowledged writes lost, both clients", [VALKEEPER.id, WITHOUT_FAST_PATH.id]),
      retriesLine([VALKEEPER.id, WITHOUT_FAST_PATH.id]),
    ],
    measure: (context, variant) => measureKill(context, variant, downAfterMs),
  };
}

const lostLine = (label: string, variants: readonly string[]): FigureLine => ({
  figure: "lost",
  label,
  unit: "writes",
  variants,
});

const retriesLine = (variants: readonly string[]): FigureLine => ({
  figure: "retries",
  label: "attempts that came to nothing",
  unit: "count",
  variants,
  goal: { most: 0 },
});

function measureKill({ group: parent }: RowContext, variant: Variant, downAfterMs: number): Promise<Measured> {
  return withGroup(parent, async (group) => {
    const scene = await Scene.open({ group, variant, downAfterMs });
    const [follow, sticky] = await Promise.all([scene.writer("follow"), scene.writer("sticky")]);
    const storeWriteMs = await scene.side.storeWriteMs();
    await scene.settle();
    const faultAt = monotonicMs();
    await scene.primary.kill();
    const moved = await follow.movedFrom(scene.oldPlace, downAfterMs + PATIENCE_MS);
    if (moved === null) throw notMoved(scene, faultAt);
    const stuck = await sticky.movedFrom(scene.oldPlace, PATIENCE_MS);
    await pause(AFTERWARDS_MS);
    const checks = await checkAll([follow, sticky], moved.place);
    return {
      figures: {
        writable: moved.at - faultAt,
        answered: since(follow.answeredOtherThan(scene.oldPlace)?.at, faultAt),
        stickyWritable: since(stuck?.at, faultAt),
        lost: checks.reduce((sum, { lost }) => sum + lost, 0),
        retries: scene.side.retries(),
        storeWriteMs,
        ...stepsOf(scene, faultAt, FAILOVER_STEPS),
      },
      ...recordOf(scene.side, faultAt),
    };
  });
}

export function hangRow(downAfterMs: number, mostMs: number): Row {
  return {
    id: `hang-${downAfterMs}`,
    title: `primary stopped (SIGSTOP), down-after ${downAfterMs}; woken 2 s after the failover`,
    variants: [SENTINEL, VALKEEPER],
    lines: [
      {
        figure: "writable",
        label: "fault to first write on the new primary",
        unit: "ms",
        variants: [VALKEEPER.id],
        goal: { most: mostMs },
        storeWrites: STORE_WRITES,
        drawn: `stopped, down-after ${downAfterMs}`,
      },
      {
        figure: "lostSticky",
        label: "acknowledged writes lost by a client that stays (one connection)",
        unit: "writes",
        variants: [VALKEEPER.id],
        goal: { most: 1 },
        drawn: `woken again, down-after ${downAfterMs}`,
      },
      { figure: "lostFollow", label: "the same, client that follows", unit: "writes", variants: [VALKEEPER.id] },
      {
        figure: "demoted",
        label: "woken to a replica of the new primary",
        unit: "ms",
        variants: [VALKEEPER.id],
      },
      retriesLine([VALKEEPER.id]),
    ],
    measure: (context, variant) => measureHang(context, variant, downAfterMs),
  };
}

function measureHang({ group: parent }: RowContext, variant: Variant, downAfterMs: number): Promise<Measured> {
  return withGroup(parent, async (group) => {
    const scene = await Scene.open({ group, variant, downAfterMs });
    const [follow, sticky] = await Promise.all([scene.writer("follow"), scene.writer("sticky")]);
    const storeWriteMs = await scene.side.storeWriteMs();
    await scene.settle();
    const faultAt = monotonicMs();
    scene.primary.hang();
    const moved = await follow.movedFrom(scene.oldPlace, downAfterMs + PATIENCE_MS);
    if (moved === null) throw notMoved(scene, faultAt);
    await pause(AWAKE_AFTER_MS);
    const awakeAt = monotonicMs();
    scene.primary.wake();
    const demotedAt = await scene.followsAt(scene.primary, moved.place, PATIENCE_MS);
    await sticky.movedFrom(scene.oldPlace, PATIENCE_MS);
    await pause(AFTERWARDS_MS);
    const [following, staying] = await checkAll([follow, sticky], moved.place);
    return {
      figures: {
        writable: moved.at - faultAt,
        answered: since(follow.answeredOtherThan(scene.oldPlace)?.at, faultAt),
        demoted: since(demotedAt, awakeAt),
        lostFollow: following?.lost ?? null,
        lostSticky: staying?.lost ?? null,
        lostUntil: since(staying?.lastLostAt, awakeAt),
        retries: scene.side.retries(),
        storeWriteMs,
        ...stepsOf(scene, faultAt, FAILOVER_STEPS),
      },
      ...recordOf(scene.side, faultAt),
    };
  });
}

/** Where Valkeeper's time went: the first of each event after the fault. */
export function stepsOf(scene: Scene, faultAt: number, events: Readonly<Record<string, string>>): Figures {
  if (scene.side.kind === "sentinel") return {};
  const entries = Object.entries(events).map(([step, event]): [string, number | null] => [
    `${STEP}${step}`,
    since(scene.event(event, faultAt)?.at, faultAt),
  ]);
  return Object.fromEntries(entries);
}

export const since = (at: number | null | undefined, fromMs: number): number | null =>
  at === null || at === undefined ? null : at - fromMs;

export function notMoved(scene: Scene, faultAt: number): Error {
  const record = recordOf(scene.side, faultAt);
  const events = record.timeline.map(({ ms, event, by }) => `${ms} ${by} ${event}`);
  return new Error(`no write on another primary; last events: ${events.slice(-12).join("; ")}`, { cause: record });
}
