// S5 over what nodes accept: a process that was primary and is no longer is silenced soon by any voter that reaches it, be
// it published or not.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { NodeId } from "../../lib/core/types.ts";
import type { Findings, NodeTruth, OracleView } from "./oracle-view.ts";
import type { NodeFact } from "./valkey-words.ts";

/** S5's window for an old primary that a living voter reaches: a tick, a freeze, and a retry of each. */
export const REACHED_LIMIT_MS = 5_000;

export class FenceOracle {
  /** How often an old primary was found that accepts writes and is reached. */
  asked = 0;
  readonly #view: OracleView;
  readonly #findings: Findings;
  /** Processes that were the committed primary of this record. */
  readonly #committed = new Set<string>();
  /** Since when each invocation reaches each of those that go on. */
  #reachedSince: ReadonlyMap<string, number> = new Map();

  constructor(view: OracleView, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  onNode(fact: NodeFact): void {
    // What a person made a primary is a person's, and what another record knew as one may be newer than this one.
    if (fact.kind === "promoted" && fact.by === "hand") this.#forget(fact.node);
  }

  onReplaced(): void {
    this.#committed.clear();
    this.#reachedSince = new Map();
  }

  /** Called now and then. */
  check(): void {
    const ballot = this.#view.ballot();
    const { primary = null } = ballot ?? {};
    const before = this.#reachedSince;
    const reached = new Map<string, number>();
    this.#reachedSince = reached;
    if (ballot === null || primary === null || this.#isForeign(ballot)) return;
    this.#committed.add(primary.runId);
    // A person's pause leaves it as it is, but for what had begun (S8).
    if (ballot.control.mode !== "act" && ballot.operation === null) return;
    const now = this.#view.now();
    for (const node of this.#view.nodes()) {
      if (!this.#isOld(node, primary) || !isExplained(node, ballot)) continue;
      for (const invocation of node.reachedBy()) {
        const key = `${node.runId} ${invocation}`;
        const since = before.get(key) ?? now;
        reached.set(key, since);
        this.asked += 1;
        if (now - since <= REACHED_LIMIT_MS) continue;
        this.#findings.report("S5", `${node.id} goes on beside ${primary.node}, though ${invocation} reaches it`);
        this.#committed.delete(`${node.runId}`);
        break;
      }
    }
  }

  #isOld({ id, runId, acceptsWrites }: NodeTruth, primary: NonNullable<Ballot["primary"]>): boolean {
    return acceptsWrites && runId !== null && id !== primary.node && this.#committed.has(runId);
  }

  /** Without a record of this table nobody may fence anybody. */
  #isForeign({ table }: Ballot): boolean {
    return table !== undefined && table !== this.#view.tableId();
  }

  #forget(id: NodeId): void {
    const runId = this.#view.nodes().find((node) => node.id === id)?.runId;
    if (runId != null) this.#committed.delete(runId);
  }
}

/** A history that no record explains is a person's, also one that the process took by itself while nobody saw it (R22). */
const isExplained = ({ position }: NodeTruth, { lineage }: Ballot): boolean =>
  lineage.histories.some(({ replicationId }) => replicationId === position?.stream.id);
