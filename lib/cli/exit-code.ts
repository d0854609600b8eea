// How does a command tell a script how it ended? Stable numbers; docs/cli.md and `--help` list them from here.

export const EXIT = {
  ok: 0,
  usage: 1,
  degraded: 2,
  noPrimary: 3,
  storeUnreachable: 4,
  refused: 5,
  timedOut: 6,
  bug: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANING: Readonly<Record<ExitCode, string>> = {
  0: "ok",
  1: "usage or configuration error",
  2: "degraded: a primary serves, and something needs a look",
  3: "no primary",
  4: "the table cannot be read: unreachable, missing, or not allowed",
  5: "refused or failed",
  6: "timed out or interrupted while waiting; what was asked goes on",
  70: "a bug of the command line: please report what it printed",
};

/** The one a person should know of first: no primary before degraded before ok. */
export const worst = (codes: readonly ExitCode[]): ExitCode => codes.reduce((a, b) => (b > a ? b : a), EXIT.ok);
