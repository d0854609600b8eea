// R4 over what the nodes went through: the record calls a process in sync, and so lets it count (R2, S6, S9), only if it was
// linked to the committed primary under that primary's epoch.

import type { Member } from "../../lib/core/ballot.ts";
import type { NodeId } from "../../lib/core/types.ts";
import { numberAt, textAt } from "./item.ts";
import type { Findings, NodeTruth, OracleView } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

type Members = Readonly<Record<NodeId, Member>>;

interface Primary {
  readonly node: NodeId;
  readonly runId: string;
  readonly epoch: number;
}

export class MembersOracle {
  readonly #view: Pick<OracleView, "ballot" | "nodes">;
  readonly #findings: Findings;
  /** `<run id> <epoch of the primary>`, and `<run id> <run id of the primary>`. */
  readonly #wasInSync = new Set<string>();
  /** By the last write: a record that was damaged since names nobody. */
  #primary: Primary | null = null;

  constructor(view: Pick<OracleView, "ballot" | "nodes">, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  /** Whether this process was ever in sync with the primary of this epoch. */
  wasInSync(runId: string, epoch: number): boolean {
    return this.#wasInSync.has(`${runId} ${epoch}`);
  }

  onNode(fact: NodeFact): void {
    if (fact.kind !== "link-up") return;
    const primary = this.#primary ?? this.#view.ballot()?.primary ?? null;
    if (primary !== null) this.#note(primary);
    // Nobody is named yet: whoever is adopted may have been looked at by now.
    else for (const { runId, linkedTo } of this.#view.nodes()) this.#wasInSync.add(`${runId} ${linkedTo}`);
  }

  onReplaced(): void {
    this.#primary = null;
  }

  onBallot({ before, after, by, write }: BallotChange): void {
    const epoch = numberAt(after, "primary", "epoch");
    const node = textAt(after, "primary", "node") as NodeId | null;
    if (node === null) return;
    const runId = `${textAt(after, "primary", "runId")}`;
    this.#primary = { node, epoch, runId };
    if (epoch !== numberAt(before, "primary", "epoch")) this.#note(this.#primary);
    const [was, is] = [membersOf(before), membersOf(after)];
    for (const [id, { runId, inSyncEpoch }] of Object.entries(is) as [NodeId, Member][]) {
      const isClaimed = runId !== was[id]?.runId || inSyncEpoch !== was[id]?.inSyncEpoch;
      if (!isClaimed || id === node || runId === null || inSyncEpoch !== epoch) continue;
      // A primary that is adopted anew is the process that it was, and may have died since it was looked at.
      if (this.wasInSync(runId, epoch) || this.#wasInSync.has(`${runId} ${this.#primary.runId}`)) continue;
      this.#findings.report("R4", `${write.name} of ${by} calls ${id} in sync under epoch ${epoch}, and it never was`);
    }
  }

  /** Everybody who follows the primary now, or follows somebody who does; it may have died since, and they not know it yet. */
  #note(primary: Primary): void {
    const nodes = this.#view.nodes();
    for (const node of nodes)
      if (node.runId !== null && leadsTo(nodes, node, primary.runId))
        for (const whose of [primary.epoch, primary.runId]) this.#wasInSync.add(`${node.runId} ${whose}`);
  }
}

function leadsTo(nodes: readonly NodeTruth[], from: NodeTruth, primary: string): boolean {
  let at: NodeTruth | undefined = from;
  for (let steps = 0; steps < nodes.length && at !== undefined; steps += 1) {
    const { linkedTo }: NodeTruth = at;
    if (linkedTo === primary) return true;
    if (linkedTo === null) return false;
    at = nodes.find(({ runId }) => runId === linkedTo);
  }
  return false;
}

const membersOf = (item: BallotChange["before"]): Members =>
  ((item?.["members"] ?? {}) as { readonly nodes?: Members }).nodes ?? {};
