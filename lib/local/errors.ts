import { ValkeeperError } from "../core/errors.ts";

export type LocalProblem =
  /** Set-up has not run, or the machine lacks the program: the message says what to do. */
  "program-missing" | "port-in-use" | "ended-early" | "not-ready" | "command-failed";

/** A program on this machine could not be started or used. Matched by `problem`, never by message. */
export class LocalError extends ValkeeperError {
  readonly code = "LocalError";
  readonly problem: LocalProblem;
  constructor(problem: LocalProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.problem = problem;
  }
}
