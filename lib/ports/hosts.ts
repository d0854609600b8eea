// What a node runs on, as AWS names it: an EC2 instance, or an ECS task with an address of its own. Found by the tags
// that its owner gave it, `valkeeper:group` and `valkeeper:node`, and believed only where the address agrees: stopping
// the wrong host is worse than stopping none.

import type { GroupName, NodeId } from "../core/types.ts";

export const GROUP_TAG = "valkeeper:group";
export const NODE_TAG = "valkeeper:node";

/** `stopped` is the only one that proves that nothing of it runs any more; a terminated host is stopped too. */
export type HostState = "starting" | "running" | "stopping" | "stopped";

export interface Host {
  readonly kind: "instance" | "task";
  /** An instance's id, a task's ARN. */
  readonly id: string;
  readonly state: HostState;
  readonly zone: string | null;
  /** Of its tag; null: it has none. */
  readonly group: GroupName | null;
  readonly node: NodeId | null;
  /** Private addresses, in the spelling that core compares; none once it is terminated. */
  readonly addresses: readonly string[];
  /** Private names. */
  readonly names: readonly string[];
  /** The Auto Scaling group or the ECS service that would start another in its place. */
  readonly keeper: string | null;
  /** Why it cannot be stopped by what it is; null: nothing is known to be in the way. */
  readonly unstoppable: string | null;
  /** Why what runs there may go on after a stop, with its memory: `stopped` proves nothing then. Null: it cannot. */
  readonly resumable: string | null;
}

/** Whose host is asked for. */
export interface NodePlace {
  readonly group: GroupName;
  readonly node: NodeId;
  /** As voters reach it: an address or a name. */
  readonly host: string;
}

export type HostSearch =
  | { readonly kind: "found"; readonly host: Host }
  | { readonly kind: "none"; readonly reason: string };

export type StopAnswer =
  /** Accepted: whether it has stopped is for `look` to say. */
  | { readonly kind: "accepted" }
  /** A definite no. */
  | { readonly kind: "refused"; readonly reason: string };

/** Every call throws `PortError` when AWS gave no answer. */
export interface Hosts {
  /** The one host of a node; nothing that is not tagged for its group, nor one whose address does not agree. */
  find(place: NodePlace): Promise<HostSearch>;
  /** A host by its id (instance) or ARN (task), whoever it belongs to; null: AWS knows none, or not any more. */
  look(id: string): Promise<Host | null>;
  /** Asks AWS what could be in the way, then has it stopped without a shutdown of its system, where there is a choice. */
  stop(host: Host): Promise<StopAnswer>;
}
