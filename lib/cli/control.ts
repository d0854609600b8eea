// How is a group's control mode changed? By one conditional write of the ballot: what another operator set in between is
// told, never overwritten unseen. It takes effect with the next grant; an operation going on is finished first.

import type { Ballot, Control } from "../core/ballot.ts";
import { attemptId, type GroupName } from "../core/types.ts";
import { setControl } from "../core/writes.ts";
import type { Call } from "./environment.ts";
import { EXIT } from "./exit-code.ts";
import { CommandFailed, refused } from "./failure.ts";

/** What to set, decided on the ballot as it stands; null: nothing to do. */
export type Decide = (ballot: Ballot) => Omit<Control, "attempt"> | null;

/** The ballot before and after; equal when there was nothing to do. */
export async function changeControl(
  call: Call,
  group: GroupName,
  decide: Decide,
): Promise<{ readonly before: Ballot; readonly after: Ballot }> {
  const before = await call.store.readBallot(group);
  if (before === null) {
    throw refused(`no voter has taken ${group} up yet, so there is nothing to control: \`valkeeper why ${group}\``);
  }
  const decided = decide(before);
  if (decided === null) return { before, after: before };
  const control: Control = { ...decided, attempt: attemptId(call.environment.newId()) };
  const outcome = await call.store.writeBallot(setControl(before, control));
  switch (outcome.kind) {
    case "applied":
      return { before, after: outcome.ballot };
    case "refused":
      throw refused(overtaken(group, outcome.ballot));
    case "unknown":
      return { before, after: await settled(call, group, control, outcome.detail) };
  }
}

function overtaken(group: GroupName, ballot: Ballot | null): string {
  if (ballot === null) return `the record of ${group} was removed meanwhile`;
  const { mode, by, reason } = ballot.control;
  return `${by} has set ${group} to ${mode} meanwhile (${reason}): look at \`valkeeper status ${group}\` and try again`;
}

/** A lost answer is resolved by a consistent read. */
async function settled(call: Call, group: GroupName, control: Control, detail: string): Promise<Ballot> {
  const now = await call.store.readBallot(group);
  if (now?.control.attempt === control.attempt) return now;
  throw new CommandFailed(
    EXIT.storeUnreachable,
    `whether ${group} was set to ${control.mode} is not known (${detail}): look at \`valkeeper status ${group}\``,
  );
}
