// What a voter shows of a group, for the tests of what is measured by it.

import type { NodeView, VoterGroupView } from "../../lib/core/records.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { epoch, nodeId, wallTime } from "../../lib/core/types.ts";

export const nodeView = (changes: Partial<NodeView> = {}): NodeView => ({
  address: { host: "10.0.0.1", port: 6379 },
  zone: "a",
  class: "serving",
  sinceMs: 600_000,
  detail: "",
  latencyMs: 1,
  role: "replica",
  follows: { host: "10.0.0.2", port: 6379 },
  linkUp: true,
  offset: 1,
  lagBytes: 0,
  priority: 100,
  version: "8.0.1",
  ...changes,
});

/** A healthy group: n1 serves, n2 would follow it. */
export const viewOf = (changes: Partial<VoterGroupView> = {}): VoterGroupView => ({
  at: wallTime(0),
  epoch: epoch(7),
  operation: null,
  vote: "none",
  rejection: null,
  nodes: { [nodeId("n1")]: nodeView({ role: "primary", follows: null }), [nodeId("n2")]: nodeView() },
  candidate: nodeId("n2"),
  notCandidates: {},
  ...changes,
});

export const rejected = (reason: RejectionReason, sinceMs: number): VoterGroupView["rejection"] => ({
  reason,
  detail: "as seen",
  ends: "it ends",
  check: null,
  sinceMs,
});
