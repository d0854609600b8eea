// The table's key, in one place: the construct deploys it, the local cloud creates it, the store's adapter reads by it.
// What is in the items: lib/core/ballot.ts and lib/core/records.ts.

export const PARTITION_KEY = "pk";
export const SORT_KEY = "sk";
/** Both images, so that the publisher can tell a change of what is published from a change of its bookkeeping. */
export const STREAM_VIEW = "NEW_AND_OLD_IMAGES";
