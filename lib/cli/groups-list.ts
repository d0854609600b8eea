// `valkeeper groups list`: what is registered, by whom, and what was overridden.

import type { Command } from "commander";
import type { SpecRecord } from "../core/records.ts";
import { effectiveConfig } from "../core/spec.ts";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { grid } from "./grid.ts";
import type { Host } from "./host.ts";
import type { Paint } from "./paint.ts";
import { specsOf } from "./snapshot.ts";
import { addressText } from "./status-text.ts";

export function addGroupsList(groups: Command, host: Host): void {
  groups
    .command("list")
    .description("every registered group with its nodes, its owner, its shard and its overrides")
    .action((_options: object, command: Command) => host.run(command, list));
}

async function list(call: Call): Promise<ExitCode> {
  const specs = await specsOf(call.store, undefined);
  const document = {
    schema: 1,
    groups: specs.map((spec) => ({
      group: spec.group,
      owner: spec.owner,
      declaredBy: declarerOf(spec),
      version: spec.version,
      shard: spec.shard,
      config: effectiveConfig(spec),
      overrides: spec.overrides,
    })),
  };
  say(call, document, () => (specs.length === 0 ? ["no group is registered"] : listText(specs, call.paint)));
  return EXIT.ok;
}

const declarerOf = ({ declaredBy }: SpecRecord) =>
  declaredBy === undefined
    ? null
    : { stack: declaredBy.stack, resource: declaredBy.resource, isReleased: declaredBy.isReleased ?? false };

export function listText(specs: readonly SpecRecord[], paint: Paint): readonly string[] {
  const isSharded = specs.some(({ shard }) => shard !== 0);
  const inShard = (text: string): readonly string[] => (isSharded ? [text] : []);
  const head = ["GROUP", "OWNER", "VERSION", ...inShard("SHARD"), "QUORUM", "NODES", "OVERRIDES"].map(paint.faint);
  const rows = specs.map((spec) => {
    const { nodes, quorum } = effectiveConfig(spec);
    const named = nodes.map((node) => `${node.id} ${addressText(node)}`).join(", ");
    const overrides = Object.keys(spec.overrides).join(", ") || "-";
    const { group, owner, version, shard } = spec;
    return [group, owner, String(version), ...inShard(String(shard)), String(quorum), named, overrides];
  });
  return grid([head, ...rows]);
}
