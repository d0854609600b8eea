// One run: fresh servers, one side that watches them, clients that write, and what is asked of a node from outside. All
// of it goes when the run ends.

import { ProcessGroup } from "../../lib/local/process-group.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { type Place, samePlace } from "./lookup.ts";
import { monotonicMs, pause } from "./monotonic.ts";
import { startNodes } from "./nodes.ts";
import { startSentinels } from "./sentinel-side.ts";
import { PASSWORD, type Side, type TimedEvent, type ZonePlace } from "./side.ts";
import { startValkeeper } from "./valkeeper-side.ts";
import { WriterProcess } from "./writer-process.ts";
import type { CheckResult, WriterKind } from "./writer-protocol.ts";

/** What one column of a row runs with. */
export interface Variant {
  readonly id: string;
  /** As the document calls it. */
  readonly label: string;
  readonly side: "sentinel" | "valkeeper";
  readonly boot: "plain" | "fenced";
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface SceneOptions {
  readonly group: ProcessGroup;
  readonly variant: Variant;
  readonly downAfterMs: number;
  /** So many are watched; what happens happens to the first. @default 1 */
  readonly groups?: number;
  readonly zones?: readonly ZonePlace[];
  readonly hostAddress?: string;
  readonly endpoint?: string;
  readonly voterEndpoint?: string;
}

export interface WriterPlace {
  readonly exec?: readonly string[];
  readonly prefix?: string;
}

/** Writes before the fault, long enough that what is lost can be seen. */
const SETTLED_MS = 1_500;
/** Faults meet every phase of periodic timers, those of both sides. */
const PHASE_MS = 1_000;

export class Scene {
  readonly side: Side;
  readonly nodes: readonly ValkeyProcess[];
  readonly primary: ValkeyProcess;
  readonly #group: ProcessGroup;

  private constructor(group: ProcessGroup, side: Side, nodes: readonly ValkeyProcess[], primary: ValkeyProcess) {
    this.#group = group;
    this.side = side;
    this.nodes = nodes;
    this.primary = primary;
  }

  static async open({ group, variant, groups = 1, ...options }: SceneOptions): Promise<Scene> {
    const nodes = await startNodes({ group, boot: variant.boot, ...(options.zones ? { zones: options.zones } : {}) });
    const others: (readonly ValkeyProcess[])[] = [];
    while (others.length < groups - 1) others.push(await startNodes({ group, boot: variant.boot }));
    const settings = variant.settings === undefined ? {} : { settings: variant.settings };
    const start = variant.side === "sentinel" ? startSentinels : startValkeeper;
    const side = await start({ group, nodes, others, ...options, ...settings });
    const [primary] = nodes;
    if (primary === undefined) throw new Error("a scene needs nodes");
    return new Scene(group, side, nodes, primary);
  }

  get oldPlace(): Place {
    return { host: this.primary.host, port: this.primary.port };
  }

  writer(kind: WriterKind, place: WriterPlace = {}): Promise<WriterProcess> {
    return WriterProcess.start({
      group: this.#group,
      kind,
      lookup: kind === "stay" ? null : this.side.lookup,
      first: this.oldPlace,
      password: PASSWORD,
      prefix: place.prefix ?? kind,
      ...(place.exec === undefined ? {} : { exec: place.exec }),
    });
  }

  async settle(): Promise<void> {
    await pause(SETTLED_MS + Math.random() * PHASE_MS);
  }

  /** Until the node answers that it follows this primary; null when it does not in time. */
  async followsAt(node: ValkeyProcess, primary: Place, withinMs: number): Promise<number | null> {
    const until = monotonicMs() + withinMs;
    while (monotonicMs() < until) {
      const info = await node.info("replication").catch(() => null);
      const follows = { host: info?.get("master_host") ?? "", port: Number(info?.get("master_port")) };
      if (info?.get("role") === "slave" && samePlace(follows, primary)) return monotonicMs();
      await pause(10);
    }
    return null;
  }

  event(name: string, sinceMs: number): TimedEvent | null {
    return this.side.events.find(({ event, at }) => event === name && at >= sinceMs) ?? null;
  }
}

/** A process group for one run, also ended when everything ends. */
export async function withGroup<Result>(
  parent: ProcessGroup,
  run: (group: ProcessGroup) => Promise<Result>,
): Promise<Result> {
  const group = new ProcessGroup();
  parent.onClose(() => group.close());
  try {
    return await run(group);
  } finally {
    await group.close();
  }
}

/** Stops the writers and asks each what of its acknowledged writes is missing there. */
export async function checkAll(writers: readonly WriterProcess[], place: Place): Promise<readonly CheckResult[]> {
  await Promise.all(writers.map((writer) => writer.stop()));
  const results: CheckResult[] = [];
  for (const writer of writers) results.push(await writer.check(place));
  return results;
}
