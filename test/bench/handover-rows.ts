// A planned switchover, the return of a killed primary, and a primary that is back, empty, before anybody called it down.

import { notMoved, since, stepsOf } from "./failover-rows.ts";
import { type Place, samePlace } from "./lookup.ts";
import { monotonicMs, pause } from "./monotonic.ts";
import {
  FENCED,
  type Figures,
  type Measured,
  type Row,
  type RowContext,
  recordOf,
  SENTINEL,
  VALKEEPER,
} from "./row.ts";
import { checkAll, Scene, type Variant, withGroup } from "./scene.ts";
import type { WriterProcess } from "./writer-process.ts";
import type { CheckResult } from "./writer-protocol.ts";

const PATIENCE_MS = 30_000;
const AFTERWARDS_MS = 1_000;
/** Beyond the down-after of that row, so that whoever waits for it has had its time. */
const EMPTY_WATCHED_MS = 7_000;
const SWITCHOVER_STEPS = {
  begun: "operation.begun",
  paused: "switchover.paused",
  "caught up": "switchover.caught-up",
  frozen: "node.fenced",
  intent: "intent.recorded",
  promoted: "promotion.applied",
  committed: "primary.committed",
  published: "publication.committed",
  completed: "switchover.completed",
  answered: "request.done",
} as const;

export const switchoverRow: Row = {
  id: "switchover",
  title: "planned switchover (Sentinel: SENTINEL FAILOVER; COORDINATED is not in 8.0)",
  variants: [SENTINEL, VALKEEPER],
  lines: [
    {
      figure: "gap",
      label: "write gap of a client that follows",
      unit: "ms",
      variants: [VALKEEPER.id],
      goal: { most: 50 },
      storeWrites: 3,
      drawn: "switchover, write gap",
    },
    {
      figure: "storeShare",
      label: "of it waiting for the table",
      unit: "ms",
      variants: [VALKEEPER.id],
      hasSentinel: false,
    },
    {
      figure: "publicationShare",
      label: "of it publishing to the table",
      unit: "ms",
      variants: [VALKEEPER.id],
      hasSentinel: false,
    },
    {
      figure: "confirmed",
      label: "order to confirmed",
      unit: "ms",
      variants: [VALKEEPER.id],
      goal: { most: 150 },
      drawn: "switchover, order to confirmed",
    },
    {
      figure: "lostFollow",
      label: "acknowledged writes lost, client that follows",
      unit: "writes",
      variants: [VALKEEPER.id],
      goal: { most: 0 },
      drawn: "switchover, client that follows",
    },
    {
      figure: "lostSticky",
      label: "acknowledged writes lost, client that stays",
      unit: "writes",
      variants: [VALKEEPER.id],
      goal: { most: 0 },
      drawn: "switchover, client that stays",
    },
  ],
  measure: ({ group: parent }, variant) =>
    withGroup(parent, async (group) => {
      const scene = await Scene.open({ group, variant, downAfterMs: 5_000 });
      const [follow, sticky] = await Promise.all([scene.writer("follow"), scene.writer("sticky")]);
      const storeWriteMs = await scene.side.storeWriteMs();
      await scene.settle();
      const ordered = await scene.side.switchover();
      const moved = await follow.movedFrom(scene.oldPlace, PATIENCE_MS);
      if (moved === null) throw notMoved(scene, ordered.orderedAt);
      await scene.followsAt(scene.primary, moved.place, PATIENCE_MS);
      await sticky.movedFrom(scene.oldPlace, PATIENCE_MS);
      await pause(AFTERWARDS_MS);
      const [following, staying] = await checkAll([follow, sticky], moved.place);
      return {
        figures: {
          gap: gapOf(follow, scene.oldPlace, moved.at),
          confirmed: ordered.confirmedAt - ordered.orderedAt,
          lostFollow: following?.lost ?? null,
          lostSticky: staying?.lost ?? null,
          storeWriteMs,
          ...shares(scene, ordered.orderedAt),
        },
        ...recordOf(scene.side, ordered.orderedAt),
      };
    }),
};

/** From the last acknowledged write on the old primary to the first on the new one. */
function gapOf(writer: WriterProcess, old: Place, movedAt: number): number {
  const lasts = writer.stints.filter(({ place, lastAt }) => samePlace(place, old) && lastAt < movedAt);
  return movedAt - Math.max(...lasts.map(({ lastAt }) => lastAt));
}

function shares(scene: Scene, orderedAt: number): Figures {
  if (scene.side.kind === "sentinel") return {};
  const at = (name: string) => scene.event(name, orderedAt)?.at ?? Number.NaN;
  const between = (from: string, to: string): number | null => {
    const took = at(to) - at(from);
    return Number.isNaN(took) ? null : Math.max(0, took);
  };
  const intent = between("node.fenced", "intent.recorded");
  const commit = between("promotion.applied", "primary.committed");
  return {
    storeShare: intent === null || commit === null ? null : intent + commit,
    publicationShare: between("primary.committed", "publication.committed"),
    ...stepsOf(scene, orderedAt, SWITCHOVER_STEPS),
  };
}

export const returnRow: Row = {
  id: "return",
  title: "a killed primary comes back after the failover, with a client that keeps writing to it",
  variants: [SENTINEL, VALKEEPER, FENCED],
  lines: [
    {
      figure: "demoted",
      label: "serving again to read-only and pointed at the new primary",
      unit: "ms",
      variants: [VALKEEPER.id],
      goal: { most: 1_000 },
      drawn: "old primary back, plain",
    },
    {
      figure: "demoted",
      label: "the same, boot-fenced",
      unit: "ms",
      variants: [FENCED.id],
      goal: { most: 1_000 },
      drawn: "old primary back, boot-fenced",
    },
    {
      figure: "acceptedFor",
      label: "it accepts writes for",
      unit: "ms",
      variants: [VALKEEPER.id],
      goal: { most: 150 },
    },
    {
      figure: "accepted",
      label: "writes it accepted",
      unit: "writes",
      variants: [VALKEEPER.id],
      drawn: "old primary back, plain",
    },
    {
      figure: "accepted",
      label: "writes it accepted, boot-fenced",
      unit: "writes",
      variants: [FENCED.id],
      goal: { most: 0 },
      drawn: "old primary back, boot-fenced",
    },
  ],
  measure: measureReturn,
};

function measureReturn({ group: parent }: RowContext, variant: Variant): Promise<Measured> {
  return withGroup(parent, async (group) => {
    const scene = await Scene.open({ group, variant, downAfterMs: 1_000 });
    const [follow, stay] = await Promise.all([scene.writer("follow"), scene.writer("stay")]);
    await scene.settle();
    const faultAt = monotonicMs();
    await scene.primary.kill();
    const moved = await follow.movedFrom(scene.oldPlace, PATIENCE_MS);
    if (moved === null) throw notMoved(scene, faultAt);
    await pause(2_000 + Math.random() * 500);
    const startedAt = monotonicMs();
    const restarted = scene.primary.restart();
    const servesAt = await answersAt(scene);
    const demotedAt = await scene.followsAt(scene.primary, moved.place, PATIENCE_MS);
    await restarted;
    await pause(AFTERWARDS_MS);
    await Promise.all([follow.stop(), stay.stop()]);
    const after = stay.stints.filter(({ firstAt }) => firstAt >= startedAt);
    return {
      figures: {
        demoted: since(demotedAt, servesAt),
        accepted: after.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
        acceptedFor: after.length === 0 ? 0 : Math.max(...after.map(({ lastAt }) => lastAt)) - (after[0]?.firstAt ?? 0),
      },
      ...recordOf(scene.side, startedAt),
    };
  });
}

/** When the restarted server first answered anything. */
async function answersAt(scene: Scene): Promise<number> {
  const until = monotonicMs() + PATIENCE_MS;
  while (monotonicMs() < until) {
    const answer = await scene.primary.ask("PING").catch(() => null);
    if (answer !== null) return monotonicMs();
    await pause(2);
  }
  throw new Error("the old primary did not come back");
}

export const emptyRow: Row = {
  id: "empty",
  title: "primary killed and back, empty, within down-after 5000",
  variants: [SENTINEL, VALKEEPER, FENCED],
  lines: [
    {
      figure: "lost",
      label: "acknowledged writes lost, boot-fenced nodes",
      unit: "writes",
      variants: [FENCED.id],
      goal: { most: 0 },
      drawn: "restarted empty, boot-fenced",
    },
    {
      figure: "lost",
      label: "acknowledged writes lost, plain nodes adopted as they were",
      unit: "writes",
      variants: [VALKEEPER.id],
      drawn: "restarted empty, plain",
    },
    { figure: "lostShare", label: "of all acknowledged before, boot-fenced", unit: "%", variants: [FENCED.id] },
    { figure: "lostShare", label: "of all acknowledged before, plain", unit: "%", variants: [VALKEEPER.id] },
    { figure: "writableAgain", label: "fault to next write, boot-fenced", unit: "ms", variants: [FENCED.id] },
    { figure: "writableAgain", label: "fault to next write, plain", unit: "ms", variants: [VALKEEPER.id] },
  ],
  measure: ({ group: parent }, variant) =>
    withGroup(parent, async (group) => {
      const scene = await Scene.open({ group, variant, downAfterMs: 5_000 });
      const [follow, sticky] = await Promise.all([scene.writer("follow"), scene.writer("sticky")]);
      await scene.settle();
      const faultAt = monotonicMs();
      await scene.primary.restart({ data: "emptied" });
      await pause(EMPTY_WATCHED_MS);
      const final = follow.answers.at(-1)?.place ?? scene.oldPlace;
      const checks = await checkAll([follow, sticky], final);
      const again = follow.moves.find(({ at }) => at > faultAt);
      return {
        figures: { ...lostBefore([follow, sticky], checks, faultAt), writableAgain: since(again?.at, faultAt) },
        ...recordOf(scene.side, faultAt),
      };
    }),
};

function lostBefore(writers: readonly WriterProcess[], checks: readonly CheckResult[], faultAt: number): Figures {
  const lost = checks.reduce((sum, check) => sum + check.lost, 0);
  const before = writers
    .flatMap(({ stints }) => stints)
    .filter(({ firstAt }) => firstAt < faultAt)
    .reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  return { lost, before, lostShare: before === 0 ? null : (100 * lost) / before };
}
