// One step of an operation that this voter holds, taken by itself: what it sends, writes and tells.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import { factsOf, type NodeFacts, newRun, type OperationRun } from "../../lib/core/operation.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import type { Turn } from "../../lib/core/turn.ts";
import { instant, type NodeId, type NodeReading } from "../../lib/core/types.ts";
import { connection, context, ofEpoch, reading, run, turnAt, watching, withNode } from "./builders.ts";

export interface Situation {
  readonly of: Ballot;
  readonly run?: Partial<OperationRun>;
  readonly facts?: Readonly<Record<NodeId, Partial<NodeFacts>>>;
  readonly change?: (state: GroupState) => GroupState;
  readonly at?: number;
  readonly settings?: Partial<DeclaredConfig>;
}

/** The work sheet of a holder whose run began at 0 and whose lease runs for a long time. */
export function holding({
  of,
  run = {},
  facts = {},
  change = (state) => state,
  at = 10,
  settings = {},
}: Situation): Turn {
  const lease = { leaseUntil: instant(90_000), renewDueAt: instant(90_000) };
  const begun = newRun({ ballot: of, takenOver: false, at: instant(0), ...lease });
  const all = Object.entries(facts).map(([id, each]) => [id, { ...factsOf(begun, id as NodeId), ...each }]);
  const operation = { ...begun, facts: Object.fromEntries(all) as OperationRun["facts"], ...run };
  return turnAt(change(watching(of, { operation })), at, context(settings));
}

export type Change = (state: GroupState) => GroupState;

/** The node showed this when it was last read. */
export const said =
  (id: NodeId, values: Partial<NodeReading>, rest: object = {}): Change =>
  (state) =>
    withNode(state, id, { reading: { ...state.nodes[id]!.reading!, ...values }, ...rest });

export const both =
  (...changes: readonly Change[]): Change =>
  (state) =>
    changes.reduce((all, each) => each(all), state);

/** What the freeze of epoch 2 brought back from the node. */
export const frozen = (id: NodeId, values: Partial<NodeReading> = {}): Partial<NodeFacts> => ({
  frozen: {
    node: id,
    before: reading({ runId: run(Number(id.slice(1))) }),
    after: reading({ runId: run(Number(id.slice(1))), follows: tokenAddress(ofEpoch(2)), ...values }),
    connection: connection(7),
  },
});

/** What the step came to: `kind node` of each command, and the name of each write with the step or kind that it sets. */
export function outcomeOf(turn: Turn) {
  const sent = turn.commands.flatMap((each) =>
    each.kind === "command-node" ? [`${each.command.kind} ${each.node}`] : [],
  );
  const written = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write.name] : []));
  const told = [...turn.events, ...(turn.state.storeBusy?.pending?.events ?? [])].map(({ event }) => event);
  const reasons = [...turn.events, ...(turn.state.storeBusy?.pending?.events ?? [])].flatMap(({ detail }) =>
    typeof detail["reason"] === "string" ? [detail["reason"]] : [],
  );
  return { sent, written, told, reasons, wakeAt: turn.wakeAt, run: turn.state.operation };
}
