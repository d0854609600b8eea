// What a state of the exploration consists of: three voters, three nodes, one table. Plain records, never changed in
// place, so that equal parts of different states are one object (collapse.ts). A voter's clock always stands at `NOW`:
// its instants are moved instead, because no other voter's clock is ever compared with it.

import type { BallotWrite, Item } from "../../lib/core/ballot-write.ts";
import type { RequestRecord } from "../../lib/core/records.ts";
import type { GroupState } from "../../lib/core/state.ts";
import type { step } from "../../lib/core/step.ts";
import type { Address, NodeCommand, NodeId, ReplicationId, Role, RunId, VoterId } from "../../lib/core/types.ts";

/** Where every voter's clock stands between two moves, in ms. */
export const NOW = 1_000_000;

/** The step that is explored: the shipped one, or one with a rule taken out on purpose (test/rules). */
export type Engine = typeof step;

export interface Connection {
  readonly id: number;
  readonly voter: VoterId;
}

export interface NodeRecord {
  readonly id: NodeId;
  readonly isUp: boolean;
  /** Alive, answers nobody; what is sent to it waits. */
  readonly isHung: boolean;
  readonly runId: RunId;
  readonly role: Role;
  readonly follows: Address | null;
  readonly isLinked: boolean;
  readonly replicationId: ReplicationId;
  readonly second: { readonly id: ReplicationId; readonly offset: number } | null;
  /** One letter for each client write that it holds. */
  readonly log: string;
  /** Highest epoch of a command that took effect on this process or one before it. */
  readonly touchedBy: number;
  /** Epoch of the last freeze, while nothing else has changed the node since. */
  readonly frozenBy: number;
  readonly connections: readonly Connection[];
}

interface UnderWay {
  /** The invocation that sent it. */
  readonly generation: number;
  /** It was told that the outcome is unknown, or does not live any more. */
  readonly isGivenUp: boolean;
}

/** What followers are told: the order of publications, and whom it names. */
export interface Published {
  readonly epoch: number;
  readonly revision: number;
  readonly node: NodeId;
}

export type Sent =
  | (UnderWay & { readonly kind: "write"; readonly write: BallotWrite })
  | (UnderWay & { readonly kind: "publication"; readonly publication: Published })
  | (UnderWay & {
      readonly kind: "command";
      readonly node: NodeId;
      readonly command: NodeCommand;
      /** How many commands on the same connection are before it: one connection keeps their order. */
      readonly behind: number;
    });

export interface Voter {
  readonly id: VoterId;
  /** Null: no invocation of it runs. */
  readonly state: GroupState | null;
  readonly generation: number;
  readonly wakeAt: number;
  /** Nodes that it does not reach. */
  readonly cut: readonly NodeId[];
  /** Writes, publications and commands that are under way, in no order. */
  readonly sent: readonly Sent[];
}

export interface Table {
  readonly item: Item;
  readonly published: Published | null;
  /** What the publisher has made of the ballot, and has not written yet. */
  readonly publisher: Published | null;
  /** What an operator has ordered last. */
  readonly request: RequestRecord | null;
  /** For the promises alone: whom each epoch made primary, and who was granted it. */
  readonly primaries: Readonly<Record<string, string>>;
  readonly granted: Readonly<Record<string, string>>;
  /** What a client was told to be safe: logs that a primary had together with a follower, none the beginning of another. */
  readonly acknowledged: readonly string[];
}

export interface World {
  readonly voters: readonly Voter[];
  readonly nodes: readonly NodeRecord[];
  readonly table: Table;
}
