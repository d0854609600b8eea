// Stops before harm is done: called before a command is handed out and after a record is decoded.

import { InvariantViolation } from "./errors.ts";

/** Throws `InvariantViolation` with the id of the promise (S1.., R1..) when `condition` is false. */
export function invariant(condition: boolean, id: string, detail: string): asserts condition {
  if (!condition) throw new InvariantViolation(id, detail);
}
