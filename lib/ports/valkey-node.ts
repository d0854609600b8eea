// One Valkey node as a voter reaches it. All answers carry what was seen, none is thrown: what goes wrong is an
// observation or an outcome.

import type { Address, Instant, NodeCommand, NodeOutcome, Observation } from "../core/types.ts";

export interface ProbeRequest {
  /** One absolute deadline for connect + TLS + AUTH + INFO. */
  readonly deadline: Instant;
  /** Dial anew even if a kept connection is there (after a parked freeze, and for a connection younger than a ballot). */
  readonly fresh: boolean;
}

export interface ValkeyNode {
  readonly address: Address;
  /** Over the kept, authenticated connection or a new one. Never rejects. At most one at a time. */
  probe(request: ProbeRequest): PromiseLike<Observation>;
  /**
   * Carries `command` out over the connection it names. Never rejects. Resolves `unknown` at `deadline`; a late answer of
   * a parked freeze is told to `onLateOutcome`.
   */
  execute(command: NodeCommand, deadline: Instant): PromiseLike<NodeOutcome>;
  /** The answer of a command that had been given up as `unknown`. */
  onLateOutcome(listener: (command: NodeCommand, outcome: NodeOutcome) => void): void;
  /** The kept connection was closed by the other side: worth a probe at once, nothing by itself. */
  onCut(listener: () => void): void;
  close(): void;
}

/** Makes nodes for addresses; one per group and node, for the life of an invocation. */
export interface ValkeyNodes {
  open(address: Address): ValkeyNode;
}
