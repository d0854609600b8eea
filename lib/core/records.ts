// The other records of the table: what was declared, what is asked, what happened, what is published, what each voter
// sees. None of them decides; the ballot does.

import type { OperationKind } from "./ballot.ts";
import type { DeclaredConfig } from "./config.ts";
import type { EventName } from "./events.ts";
import type { Rejection } from "./rejection.ts";
import type { Address, Epoch, GroupName, NodeId, Role, VoterId, WallTime } from "./types.ts";

export interface Override {
  readonly value: unknown;
  readonly by: string;
  readonly at: WallTime;
}

/** Which resource of which stack declares a group, as CloudFormation calls both. */
export interface Declarer {
  /** The stack's ARN, without the part that is another each time a stack of that name is made. */
  readonly stack: string;
  /** The logical id. */
  readonly resource: string;
  /** An operator has said that another stack may declare it from now on. */
  readonly isReleased?: boolean;
  /** Who declared it before and may do so still: its declaration stands again when this one is taken back first. */
  readonly replaces?: { readonly stack: string; readonly resource: string; readonly declared: DeclaredConfig };
}

/** `pk groups`, `sk <name>`: one query lists every group. Credentials are references only. */
export interface SpecRecord {
  readonly schema: 1;
  readonly group: GroupName;
  /** Grows with every change. */
  readonly version: number;
  readonly owner: "cdk" | "cli";
  /** Of a stack's group; missing where a version wrote it that did not record it. */
  readonly declaredBy?: Declarer;
  /** In full or in part: `effectiveConfig` (spec.ts) completes it. Stored with its nulls: null is not "left out" here. */
  readonly declared: DeclaredConfig;
  /** Settings changed at run time by the CLI over what was declared: name of the setting (spec.ts) to value, with who and when. */
  readonly overrides: Readonly<Record<string, Override>>;
  /** The shard of voters that serves the group (placement.ts). */
  readonly shard: number;
}

export type RequestKind = "failover" | "switchover" | "drain" | "recover" | "set-members";

/** `pk group#<name>`, `sk request`: at most one. A voter carries it out under the lease. */
export interface RequestRecord {
  readonly schema: 1;
  readonly id: string;
  readonly kind: RequestKind;
  /** The node to promote (`switchover --to`, `recover`), the node to empty (`drain`), or null. */
  readonly target: NodeId | null;
  readonly by: string;
  readonly reason: string;
  readonly acceptDataLoss: boolean;
  readonly askedAt: WallTime;
  readonly expiresAt: WallTime;
  /** Null while it waits or is carried out. */
  readonly result: RequestResult | null;
}

export interface RequestResult {
  readonly kind: "done" | "refused" | "failed";
  readonly detail: string;
  readonly epoch: Epoch;
  readonly at: WallTime;
}

/** `pk group#<name>`, `sk event#<epoch>#<time>#<voter>#<n>`: append-only; also what is notified. */
export interface HistoryRecord {
  readonly schema: 1;
  /** Unique, stable: the sort key. */
  readonly id: string;
  readonly group: GroupName;
  readonly epoch: Epoch;
  readonly at: WallTime;
  readonly voter: VoterId;
  readonly generation: number;
  readonly event: EventName;
  /** Event-specific facts, flat, in the units their names end with. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

export interface PublishedNode {
  readonly node: NodeId;
  readonly address: Address;
}

/** `pk published#<name>`, `sk primary`: the ordered publication, written only with a larger (epoch, revision). */
export interface Publication {
  readonly schema: 1;
  readonly group: GroupName;
  /** The table whose record says it, as the ballot names it; null: a text that some other program wrote. */
  readonly table: string | null;
  /** `primary.epoch` of the ballot. */
  readonly epoch: Epoch;
  readonly revision: number;
  readonly primary: PublishedNode;
  /** Healthy, in-sync replicas. */
  readonly replicas: readonly PublishedNode[];
  readonly at: WallTime;
}

export type PublicationTarget = "table" | "ssm" | "dns";

/** Why a copy could not be written, since when in these words. */
export interface CopyFailure {
  readonly detail: string;
  readonly at: WallTime;
}

/** A condition that a person must act on, as the publisher has seen it once a minute. */
export interface NotedCondition {
  /** When it was first seen. */
  readonly since: WallTime;
  /** Of the ballot then. */
  readonly epoch: Epoch;
  readonly reason: string;
  /** It has lasted for so long that people are told; and told that it is over, when it is. */
  readonly isTold: boolean;
  /** Since when it is not seen. @default it is */
  readonly goneAt?: WallTime;
}

export interface NotedConditions {
  /** When this was written, by which the next run knows that nobody else has. */
  readonly at: WallTime;
  /** By the alarm's name. */
  readonly standing: Readonly<Record<string, NotedCondition>>;
}

/**
 * `pk published#<name>`, `sk copies`: what was last confirmed at each copy, what keeps the next from being written, and what is
 * wrong with the group, whose changes the notifier tells from the table's stream.
 */
export interface PublishedCopies {
  readonly ssm: { readonly epoch: Epoch; readonly revision: number; readonly at: WallTime } | null;
  readonly dns: { readonly epoch: Epoch; readonly revision: number; readonly at: WallTime } | null;
  /** Of no meaning once that copy is confirmed to say what it should. @default nothing failed since the last confirmation */
  readonly ssmFailure?: CopyFailure;
  readonly dnsFailure?: CopyFailure;
  /** @default nothing was ever wrong */
  readonly conditions?: NotedConditions;
}

/** `pk voter#<voter>#<shard>`, `sk slot`. */
export interface SlotRecord {
  readonly schema: 1;
  readonly voter: VoterId;
  /** A voter has a function for each shard, and a slot for each. A slot that does not say is of shard 0, the first there was. */
  readonly shard: number;
  /** Groups that the deployment gives one voter function; null: it does not say. */
  readonly groupsPerVoter: number | null;
  /** Which invocation of this voter and shard is the current one; only it writes the rest. No two shards of a voter share one. */
  readonly generation: number;
  readonly owner: string;
  readonly heartbeatAt: WallTime;
  /** The current invocation calls every group regular, or its primary down by a vote of its own: its predecessor may leave. */
  readonly regular: boolean;
  /** It has ended because all was well, and the next one comes about so long after it (economy). Null: it watches. */
  readonly restsMs: number | null;
  readonly groups: Readonly<Record<GroupName, VoterGroupView>>;
}

/** What one voter sees of one group, for `status` and `why`. Ages and durations in ms at `at`. */
export interface VoterGroupView {
  readonly at: WallTime;
  readonly epoch: Epoch;
  readonly operation: { readonly kind: OperationKind; readonly step: string } | null;
  /** The vote that stands for this voter. */
  readonly vote: "none" | "suspect" | "down";
  /** Why nothing is done although something is wrong; null when all is well. */
  readonly rejection: (Rejection & { readonly sinceMs: number }) | null;
  readonly nodes: Readonly<Record<NodeId, NodeView>>;
  /** Who would be promoted if the primary died now, and why not the others. */
  readonly candidate: NodeId | null;
  readonly notCandidates: Readonly<Record<NodeId, string>>;
}

export type NodeClass =
  | "serving"
  | "wrong-role"
  | "reborn"
  | "write-dead"
  | "refused"
  | "silent"
  | "loading"
  | "busy"
  | "misconfigured"
  | "unknown";

export interface NodeView {
  readonly address: Address;
  readonly zone: string;
  readonly class: NodeClass;
  /** How long it has been in that class. */
  readonly sinceMs: number;
  readonly detail: string;
  /** Round trip of the last answered probe. */
  readonly latencyMs: number | null;
  readonly role: Role | null;
  readonly follows: Address | null;
  readonly linkUp: boolean | null;
  readonly offset: number | null;
  /** Behind the primary as this voter last read both; null when unknown. */
  readonly lagBytes: number | null;
  readonly priority: number | null;
  readonly version: string | null;
  /** `repl-ping-replica-period`, where the node lets it be read. */
  readonly heartbeatSeconds?: number;
}
