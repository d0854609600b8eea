// What goes into a step and what comes out. Inputs are facts that happened; commands are wishes with everything needed
// to carry them out. Commands of one step take effect in the order in which they stand; the runtime starts each without
// waiting for the one before, except that writes of the ballot never overlap (core hands out one at a time).

import type { Ballot } from "./ballot.ts";
import type { BallotWrite, WriteOutcome } from "./ballot-write.ts";
import type { Publication, PublicationTarget, RequestRecord, RequestResult } from "./records.ts";
import type {
  Address,
  Epoch,
  Instant,
  NodeCommand,
  NodeId,
  NodeOutcome,
  Observation,
  VoterId,
  WallTime,
} from "./types.ts";

/** What every input carries: when (monotonic and wall, read once), and randomness for attempt ids. */
export interface Moment {
  readonly at: Instant;
  readonly wall: WallTime;
  readonly entropy: string;
}

export type Fact =
  | { readonly kind: "time-passed" }
  | { readonly kind: "probe-ended"; readonly node: NodeId; readonly sentAt: Instant; readonly observation: Observation }
  /** A kept connection was closed by the other side: nothing by itself, looked at again at once. */
  | { readonly kind: "connection-cut"; readonly node: NodeId }
  /** Strongly consistent. */
  | { readonly kind: "ballot-read"; readonly sentAt: Instant; readonly ballot: Ballot | null }
  | { readonly kind: "store-failed"; readonly detail: string; readonly unreadable: boolean }
  /** Eventually consistent: tells that something changed, never decides. */
  | {
      readonly kind: "glanced";
      readonly ballot: Ballot | null;
      readonly request: RequestRecord | null;
      /**
       * The request was read by itself, consistently: what this voter then knew to be the last request begun. Null: it is as
       * old as the glance may be.
       */
      readonly readBehind: { readonly lastRequest: string | null } | null;
    }
  | {
      readonly kind: "write-ended";
      readonly sentAt: Instant;
      readonly write: BallotWrite;
      readonly outcome: WriteOutcome;
    }
  | {
      readonly kind: "command-ended";
      readonly node: NodeId;
      readonly command: NodeCommand;
      readonly outcome: NodeOutcome;
      /** It had been reported `unknown` before. */
      readonly late: boolean;
    }
  | {
      readonly kind: "publish-ended";
      readonly target: PublicationTarget;
      readonly publication: Publication;
      readonly result: "applied" | "superseded" | "skipped" | "failed";
      readonly detail: string;
    }
  /** Whether this voter's answer to a request stands in the table (another's may have been first); null: no answer. */
  | {
      readonly kind: "request-resolved";
      readonly id: string;
      readonly result: RequestResult;
      readonly applied: boolean | null;
    }
  /** The highest epoch that any publication of this group names; null: could not be read. */
  | { readonly kind: "standing-read"; readonly epoch: Epoch | null; readonly table: string | null };

export type Input = Fact & Moment;

export type Command =
  | {
      readonly kind: "probe";
      readonly node: NodeId;
      readonly address: Address;
      readonly deadline: Instant;
      readonly fresh: boolean;
    }
  | { readonly kind: "read-ballot" }
  | { readonly kind: "write-ballot"; readonly write: BallotWrite }
  | {
      readonly kind: "command-node";
      readonly node: NodeId;
      readonly address: Address;
      readonly command: NodeCommand;
      readonly deadline: Instant;
    }
  | { readonly kind: "publish"; readonly target: PublicationTarget; readonly publication: Publication }
  | { readonly kind: "read-standing" }
  | { readonly kind: "resolve-request"; readonly id: string; readonly result: RequestResult };

/** Who decides: this invocation, and the voters that there are. */
export interface Identity {
  readonly voter: VoterId;
  readonly generation: number;
  readonly voters: readonly VoterId[];
  /** TableId of the store: ballots written for another are only observed. */
  readonly table: string;
}
