// One voter decides: what it knows, what the quorum says, and which write comes of it.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { BallotWrite } from "../../lib/core/ballot-write.ts";
import { decide } from "../../lib/core/decision.ts";
import type { Count } from "../../lib/core/quorum.ts";
import type { Context, GroupState } from "../../lib/core/state.ts";
import { instant } from "../../lib/core/types.ts";
import type { Verdict } from "../../lib/core/verdict.ts";
import { A, B, context, N1, turnAt, vote, watching, withNode } from "./builders.ts";

export const down: Verdict = { level: "down", cause: "silent", silentMs: 5_000, withheld: null };
export const up: Verdict = { level: "up", cause: "serving", silentMs: 0, withheld: null };
export const quorum: Count = { down: [A, B], suspectOrDown: [A, B], unreachable: [] };
export const votes = { [A]: vote(), [B]: vote() };

/** n1 is silent, n2 and n3 answered at 0. */
export const lost = (of: Ballot): GroupState =>
  withNode(watching(of), N1, { class: "silent", heard: "silent", connection: null, lostAt: instant(-5_000) });

export function decided(
  of: Ballot,
  options: { state?: GroupState; verdict?: Verdict; count?: Count; at?: number; context?: Context } = {},
) {
  const turn = turnAt(options.state ?? lost(of), options.at ?? 10, options.context ?? context());
  const rejection = decide(turn, of, options.verdict ?? down, options.count ?? quorum);
  const writes = turn.commands.flatMap((each): BallotWrite[] => (each.kind === "write-ballot" ? [each.write] : []));
  return { turn, rejection, writes, reason: rejection?.reason ?? null };
}

export const valueAt = (write: BallotWrite | undefined, name: string): unknown =>
  write?.changes.find((each) => each.path[0] === name)?.value;
