// The rest that is owed after attempts in a row that promoted nobody (protocol.md, section 7), as the oracle counts it.

const FIRST_REST_MS = 2_000;
export const REST_LIMIT_MS = 30_000;

export const restMs = (failed: number): number =>
  failed === 0 ? 0 : Math.min(REST_LIMIT_MS, FIRST_REST_MS * 2 ** (failed - 1));
