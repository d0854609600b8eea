// The words in which conditional writes are said, shared by `writes.ts` and `holder-writes.ts`.

import type { Ballot } from "./ballot.ts";
import { withoutNulls } from "./ballot-format.ts";
import type { BallotWrite, Change, Condition, Json, Path } from "./ballot-write.ts";
import type { AttemptId, VoterId } from "./types.ts";

export const equals = (path: Path, value: string | number | boolean): Condition => ({ kind: "equals", path, value });
export const absent = (...path: Path): Condition => ({ kind: "absent", path });
export const all = (...of: Condition[]): Condition => ({ kind: "all", of });
export const any = (...of: Condition[]): Condition => ({ kind: "any", of });
export const not = (of: Condition): Condition => ({ kind: "not", of });
export const set = (path: Path, value: unknown): Change => ({ path, value: withoutNulls(value as Json) });

/** Who writes: one invocation of one voter. */
export interface Writer {
  readonly voter: VoterId;
  readonly generation: number;
}

export const write = (
  name: string,
  ballot: Ballot,
  attempt: AttemptId,
  condition: Condition,
  changes: readonly Change[],
): BallotWrite => ({
  name,
  group: ballot.group,
  attempt: { path: ["attempt"], id: attempt },
  condition,
  changes: [...changes, set(["attempt"], attempt)],
});

export function sameLease(ballot: Ballot): Condition {
  const { lease } = ballot;
  if (lease === null) return absent("lease");
  return all(equals(["lease", "attempt"], lease.attempt), equals(["lease", "version"], lease.version));
}

export function samePrimary(ballot: Ballot): Condition {
  const { primary } = ballot;
  if (primary === null) return absent("primary");
  return all(equals(["primary", "node"], primary.node), equals(["primary", "epoch"], primary.epoch));
}
