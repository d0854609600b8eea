// The primary's zone is cut off from the others for half a minute, with a client inside that goes on writing. Network
// namespaces on a bridge stand for zones. The client inside Sentinel's zone follows (it asks the one sentinel that it
// reaches every 10 ms); Valkeeper's asks only when it is turned away: it would reach the table's publication from inside, and would
// not show what the fence is worth.

import { whyNoZones, Zones } from "../../lib/local/netns.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { notMoved, since } from "./failover-rows.ts";
import { monotonicMs, pause } from "./monotonic.ts";
import { type Measured, type Row, type RowContext, recordOf, SENTINEL, VALKEEPER } from "./row.ts";
import { checkAll, Scene, type Variant, withGroup } from "./scene.ts";
import type { ZonePlace } from "./side.ts";

const ZONES = ["zone-a", "zone-b", "zone-c"];
const PATIENCE_MS = 30_000;
const AFTERWARDS_MS = 1_000;
const CUT_MS = 30_000;
const QUICK_CUT_MS = 15_000;

export const partitionRow: Row = {
  id: "partition",
  title: "the primary's zone cut off, down-after 5000, with a client inside and one outside",
  variants: [SENTINEL, VALKEEPER],
  lines: [
    {
      figure: "lostInside",
      label: "acknowledged writes lost, client inside",
      unit: "writes",
      variants: [VALKEEPER.id],
      goal: { most: 0.05, ofSentinel: true },
      drawn: "zone cut off, client inside",
    },
    {
      figure: "lostOutside",
      label: "acknowledged writes lost, client outside",
      unit: "writes",
      variants: [VALKEEPER.id],
      goal: { most: 0 },
    },
    {
      figure: "acceptedUntil",
      label: "cut to the last write accepted inside",
      unit: "ms",
      variants: [VALKEEPER.id],
      drawn: "zone cut off, last write inside",
    },
    {
      figure: "writable",
      label: "cut to first write outside",
      unit: "ms",
      variants: [VALKEEPER.id],
      storeWrites: 5,
      drawn: "zone cut off, first write outside",
    },
    {
      figure: "fenced",
      label: "cut to fenced by the voter beside it, as recorded",
      unit: "ms",
      variants: [VALKEEPER.id],
      hasSentinel: false,
    },
    { figure: "demoted", label: "healed to a replica of the new primary", unit: "ms", variants: [VALKEEPER.id] },
  ],
  whyNot: whyNoZones,
  measure: measurePartition,
};

function measurePartition({ group: parent, isQuick }: RowContext, variant: Variant): Promise<Measured> {
  return withGroup(parent, async (outer) => {
    const zones = await Zones.create({ group: outer, zones: ZONES });
    // Programs must have left a namespace before it is removed.
    return withGroup(outer, (group) => measureInside(group, zones, variant, isQuick ? QUICK_CUT_MS : CUT_MS));
  });
}

async function measureInside(group: ProcessGroup, zones: Zones, variant: Variant, cutMs: number): Promise<Measured> {
  const places = ZONES.map((name): ZonePlace => ({ name, host: zones.address(name), exec: zones.exec(name) }));
  const { hostAddress } = zones;
  const scene = await Scene.open({ group, variant, downAfterMs: 5_000, zones: places, hostAddress });
  const [inside, outside] = await Promise.all([
    scene.writer(variant.side === "sentinel" ? "follow" : "sticky", { exec: zones.exec("zone-a"), prefix: "inside" }),
    scene.writer("follow", { exec: zones.exec("zone-b"), prefix: "outside" }),
  ]);
  const storeWriteMs = await scene.side.storeWriteMs();
  await scene.settle();
  const faultAt = monotonicMs();
  await zones.isolate("zone-a");
  const moved = await outside.movedFrom(scene.oldPlace, cutMs);
  if (moved === null) throw notMoved(scene, faultAt);
  await pause(faultAt + cutMs - monotonicMs());
  const healedAt = monotonicMs();
  await zones.heal();
  const demotedAt = await scene.followsAt(scene.primary, moved.place, PATIENCE_MS);
  await inside.movedFrom(scene.oldPlace, PATIENCE_MS);
  await pause(AFTERWARDS_MS);
  const [within, without] = await checkAll([inside, outside], moved.place);
  const there = inside.stints.filter(({ place }) => place.host === scene.primary.host);
  const fenced = scene.side.events.find(
    ({ event, node, at }) => event === "node.fenced" && node === scene.primary.id && at > faultAt,
  );
  return {
    figures: {
      writable: moved.at - faultAt,
      lostInside: within?.lost ?? null,
      lostOutside: without?.lost ?? null,
      acceptedUntil: Math.max(0, ...there.map(({ lastAt }) => lastAt - faultAt)),
      fenced: since(fenced?.at, faultAt),
      demoted: since(demotedAt, healedAt),
      storeWriteMs,
    },
    ...recordOf(scene.side, faultAt),
    ...(fenced === undefined ? {} : { notes: [`fenced by the voter ${fenced.by}, rung ${fenced.detail?.["rung"]}`] }),
  };
}
