// `valkeeper drain [GROUP] --node N | --zone Z`: hands over every primary that lives there, before the host goes. A
// replica needs nothing done. Out of a zone that holds several of a group's nodes the target is chosen here, because the
// voters' own choice does not know that the whole zone is to be left.

import { type Command, Option } from "commander";
import { type NodeId, nodeId } from "../core/types.ts";
import { type KnownNode, latestView, nodesOf } from "./assessment.ts";
import type { Call } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { usage } from "./failure.ts";
import type { Host } from "./host.ts";
import { freshSnapshots } from "./look.ts";
import { addOrderOptions, type OrderOptions, orderedBy } from "./order-options.ts";
import { carryOut, concluded, type Order } from "./request.ts";
import { type GroupSnapshot, specsOf } from "./snapshot.ts";

interface Options extends OrderOptions {
  readonly node?: string;
  readonly zone?: string;
}

export function addDrain(program: Command, host: Host): void {
  const command = program
    .command("drain")
    .argument("[group]", "only this group")
    .addOption(new Option("--node <id>", "hand the primary over if this node holds it").conflicts("zone"))
    .addOption(new Option("--zone <zone>", "hand over every primary in this zone"))
    .description("hands over the primaries of a node or a zone, before it goes away");
  addOrderOptions(command).action((group: string | undefined, options: Options, self: Command) =>
    host.run(self, (call) => drain(call, group, options)),
  );
}

async function drain(call: Call, group: string | undefined, options: Options): Promise<ExitCode> {
  if (options.node === undefined && options.zone === undefined)
    throw usage("say what to drain: --node ID or --zone ZONE");
  const snapshots = await freshSnapshots(call, await specsOf(call.store, group));
  const concerned = snapshots.filter((snapshot) => nodesOf(snapshot).some((node) => isLeaving(node, options)));
  if (concerned.length === 0) throw usage(nothingThere(snapshots, options));
  if (options.node !== undefined && concerned.length > 1) {
    throw usage(
      `node ${options.node} is in ${concerned.map(({ spec }) => spec.group).join(", ")}: name one of these groups`,
    );
  }
  const plans = concerned.map((snapshot) => ({ snapshot, order: orderFor(snapshot, options) }));
  for (const { snapshot, order } of plans) {
    if (order === null && !call.json)
      call.environment.screen.out(`${snapshot.spec.group}: no primary there, nothing to do`);
  }
  const orders = plans.flatMap(({ snapshot, order }) => (order === null ? [] : [{ snapshot, order }]));
  const isSeveral = orders.length > 1;
  const followed = await Promise.all(
    orders.map(({ snapshot: { spec }, order }) => carryOut(call, spec, order, isSeveral ? `${spec.group}: ` : "")),
  );
  return orders.length === 0 && !call.json ? EXIT.ok : concluded(call, followed);
}

function nothingThere(snapshots: readonly GroupSnapshot[], { node, zone }: Options): string {
  if (node !== undefined) return `no group has a node ${JSON.stringify(node)}: \`valkeeper status\` lists them`;
  const zones = [...new Set(snapshots.flatMap((snapshot) => nodesOf(snapshot).map((each) => each.zone)))];
  return `no node is in zone ${JSON.stringify(zone)}: there are ${
    zones
      .filter((each) => each !== "")
      .toSorted()
      .join(", ") || "no zones"
  }`;
}

const isLeaving = (node: KnownNode, { node: id, zone }: Pick<Options, "node" | "zone">): boolean =>
  id === undefined ? node.zone === zone : node.id === id;

/** Null when the primary is elsewhere. */
export function orderFor(snapshot: GroupSnapshot, options: Options): Order | null {
  const nodes = nodesOf(snapshot);
  const primary = nodes.find((node) => node.id === snapshot.ballot?.primary?.node);
  if (primary === undefined || !isLeaving(primary, options)) return null;
  const common = { acceptDataLoss: false, ...orderedBy(options) } as const;
  const isAlone = nodes.every((node) => node === primary || !isLeaving(node, options));
  if (isAlone) return { kind: "drain", target: primary.id, ...common };
  const target = bestOutside(
    snapshot,
    nodes.filter((node) => !isLeaving(node, options)),
  );
  if (target === null)
    throw usage(`group ${snapshot.spec.group} has no replica outside zone ${options.zone} that could take over`);
  return { kind: "switchover", target, ...common };
}

/** As a voter would choose: in sync, the lowest priority number, then the least behind. */
function bestOutside(snapshot: GroupSnapshot, nodes: readonly KnownNode[]): NodeId | null {
  const able = nodes.flatMap(({ id }) => {
    const view = latestView(snapshot, id);
    const priority = snapshot.config.nodes.find((node) => node.id === id)?.priority ?? view?.priority ?? 100;
    const isAble = view?.class === "serving" && view.role === "replica" && view.linkUp === true && priority !== 0;
    return isAble ? [{ id, priority, lag: view.lagBytes ?? Number.MAX_SAFE_INTEGER }] : [];
  });
  const best = able.toSorted((a, b) => a.priority - b.priority || a.lag - b.lag || (a.id < b.id ? -1 : 1))[0];
  return best === undefined ? null : nodeId(best.id);
}
