// Notices that a host is going: which it is, whom it carries, and the hook that holds it back until it is told to go on.

import type { WallTime } from "../core/types.ts";
import type { NodePlace } from "./hosts.ts";

export type LeavingHost =
  | { readonly kind: "instance"; readonly id: string }
  /** By its ARN. */
  | { readonly kind: "task"; readonly id: string }
  /** Everything that ECS runs on it at an address of its own: its ARN, and its cluster's. */
  | { readonly kind: "container-instance"; readonly id: string; readonly cluster: string };

/** An Auto Scaling group waits for its completion, or for the end of its heartbeat. */
export interface LifecycleAction {
  readonly autoScalingGroup: string;
  readonly hook: string;
  readonly token: string;
  readonly instance: string;
}

export interface Departure {
  /** The event's own: one that is delivered twice has the same. */
  readonly id: string;
  /** In the words of AWS: the event's type. */
  readonly notice: string;
  readonly at: WallTime;
  readonly hosts: readonly LeavingHost[];
  /** Null: nothing waits for an answer. */
  readonly action: LifecycleAction | null;
}

/** Every call throws `PortError` when AWS gave no answer, or refused to. */
export interface Departures {
  /** Those of `places` that are on the hosts that go. A host that AWS does not know any more carries none; a cluster that it does not know is refused. */
  placesOn(hosts: readonly LeavingHost[], places: readonly NodePlace[]): Promise<readonly NodePlace[]>;
  /** How long the hook holds an instance back; null: AWS does not say. */
  heartbeatMs(action: LifecycleAction): Promise<number | null>;
  /** Lets the instance go. One that nobody holds back any more is no error. */
  complete(action: LifecycleAction): Promise<void>;
}

/** Starts voters that rest (economy mode). */
export interface Waker {
  /** Rejects when nobody could be woken. */
  wake(): Promise<void>;
}
