// `valkeeper groups recover NAME --node N --accept-data-loss`: a person decides whose data counts, where no record can.
// What each node holds is shown first, because that is what is being decided.

import type { Command } from "commander";
import { latestView, nodesOf } from "./assessment.ts";
import type { Call } from "./environment.ts";
import type { ExitCode } from "./exit-code.ts";
import { usage } from "./failure.ts";
import { grid } from "./grid.ts";
import type { Host } from "./host.ts";
import { freshSnapshots } from "./look.ts";
import { addOrderOptions, type OrderOptions, orderedBy } from "./order-options.ts";
import { carryOut, concluded, targetOf } from "./request.ts";
import { type GroupSnapshot, specOf } from "./snapshot.ts";
import { addressText } from "./status-text.ts";
import { duration } from "./units.ts";

interface Options extends OrderOptions {
  readonly node?: string;
  readonly acceptDataLoss?: boolean;
}

export function addGroupsRecover(groups: Command, host: Host): void {
  const command = groups
    .command("recover")
    .argument("<group>")
    .option("--node <id>", "the node whose data counts")
    .option("--accept-data-loss", "what the other nodes hold beyond it is lost")
    .description("makes a node the primary by a person's decision; without options it shows what each node holds");
  addOrderOptions(command).action((name: string, options: Options, self: Command) =>
    host.run(self, (call) => recover(call, name, options)),
  );
}

async function recover(call: Call, name: string, options: Options): Promise<ExitCode> {
  const spec = await specOf(call.store, name);
  const [snapshot] = await freshSnapshots(call, [spec]);
  if (snapshot === undefined) throw new RangeError(`no snapshot of ${spec.group}`);
  if (!call.json) call.environment.screen.out(holdingsText(snapshot).join("\n"));
  if (options.node === undefined) throw usage("say whose data counts: --node ID");
  const known = nodesOf(snapshot).map((node) => node.id);
  const target = targetOf(spec, known, options.node);
  if (options.acceptDataLoss !== true) {
    throw usage(`what the other nodes hold beyond ${options.node} would be lost: repeat with --accept-data-loss`);
  }
  const followed = await carryOut(call, spec, { kind: "recover", target, acceptDataLoss: true, ...orderedBy(options) });
  return concluded(call, [followed]);
}

/** What each node holds, as a voter last read it. */
export function holdingsText(snapshot: GroupSnapshot): readonly string[] {
  const rows = nodesOf(snapshot).map((node) => {
    const view = latestView(snapshot, node.id);
    const state =
      view === null ? "unknown" : view.class === "serving" ? "answers" : `${view.class} ${duration(view.sinceMs)}`;
    return [
      node.id,
      addressText(node.address),
      state,
      view?.role ?? "-",
      view?.follows == null ? "-" : addressText(view.follows),
      view?.offset == null ? "-" : String(view.offset),
      view?.detail ?? "",
    ];
  });
  return grid([["NODE", "ADDRESS", "STATE", "ROLE", "FOLLOWS", "OFFSET", ""], ...rows]);
}
