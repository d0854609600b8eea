// What the cost rests on and no constant of the code says: sizes of records, bytes of a probe, and how long functions run.
// test/cost/traffic.test.ts and test/integ/table-traffic.test.ts hold the measured ones against what voters really do.

/** Bytes of an item as DynamoDB counts them, keys included, of a group with three nodes and names of usual length. */
export const ITEM_BYTES = {
  ballot: 800,
  spec: 460,
  publication: 280,
  copies: 110,
  slotEntry: 24,
  generation: 50,
} as const;

/** A slot holds what its voter sees of every group. */
export const slotBytes = (groups: number): number => 100 + 720 * groups;

/** In the middle of a failover, with a full lineage: test/adapters/dynamodb/ballot-size.test.ts. */
export const FULL_BALLOT_BYTES = 2_800;

/** What one group asks of the table in the worst second of a loss, all voters together: test/cost/worst-second.test.ts. */
export const WORST_SECOND = { ballotWrites: 40, historyLines: 25, ballotReads: 70 } as const;

/** What a new on-demand table serves at once, in units a second: AWS's guide to warm throughput. */
export const NEW_TABLE = { readUnits: 12_000, writeUnits: 4_000 } as const;

/** INFO of four sections and its request, of a replica on Valkey 8.0. */
export const PROBE_BYTES = 2_260;
/** A request, its answer and what acknowledges them: four segments with their headers. */
export const HEADER_BYTES = 4 * 52;

/** Between a successor's start and its predecessor's end, at the default watch interval. */
export const HAND_OVER_MS = 1_000;

/** Resident, of a voter's process with one group. */
export const VOTER_MEGABYTES = 130;

/**
 * Three sentinels, one group, Valkey 8.0.1, nothing going on: bytes that a node receives and sends a second, and the
 * commands that they come with.
 */
export const SENTINEL = { nodeBytesPerSecond: 3_300, nodeCommandsPerSecond: 6.5 } as const;

/** Not measured on AWS. None of them changes a total by more than a few per cent, but economy mode's of few groups. */
export const ASSUMED = {
  /** Of the publisher, once a minute. */
  publisherMs: (groups: number): number => 1_000 + 100 * groups,
  /** What Lambda itself writes of an invocation, and a line or two of the function's own. */
  logBytesPerInvocation: 2_000,
  /** One round in economy mode: test/integ/economy.test.ts prints 0.1 to 0.4 s, with a whole core instead of a seventh of one. */
  economyMs: 1_000,
  diskGbPerHost: 8,
} as const;
