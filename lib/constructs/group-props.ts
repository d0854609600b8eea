// What an installer may say about a group, and the declaration that comes of it. The settings are those of
// lib/core/config.ts and are checked there; here are only the parts that the CDK knows better than a record: a
// secret, a hosted zone.

import type { aws_route53 as route53, aws_secretsmanager as secretsmanager } from "aws-cdk-lib";

/** One Valkey process. */
export interface ValkeyNodeProps {
  /** Short name, unique in the group. */
  readonly id: string;
  /** Name or address as the voters reach it. May be a token. */
  readonly host: string;
  /** @default 6379 */
  readonly port?: number;
  /** Availability zone; breaks ties between candidates. */
  readonly zone: string;
  /**
   * The lowest wins in a switchover, 0 never wins.
   * @default - the node's own `replica-priority`
   */
  readonly priority?: number;
  /**
   * Where clients reach it.
   * @default - `host` and `port`
   */
  readonly announce?: NodeAddress;
}

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** How voters log in to the nodes: one of `secret` and `parameterName`. */
export interface NodeCredentials {
  /**
   * A user of the coordinator alone, with the rights that docs/configuration.md lists.
   * @default "valkeeper"
   */
  readonly user?: string;
  /**
   * Its value is the password, or a JSON object with a field `password`.
   * @default - `parameterName` is used
   */
  readonly secret?: secretsmanager.ISecret;
  /**
   * Version of the secret, for egress `none`: a changed one makes a deployment place the new value.
   * @default - the current version at deployment
   */
  readonly secretVersionId?: string;
  /**
   * Name of a SecureString parameter that holds the password.
   * @default - `secret` is used
   */
  readonly parameterName?: string;
}

export interface TlsProps {
  /** @default true */
  readonly enabled?: boolean;
  /**
   * PEM text of a private certificate authority.
   * @default - the authorities that Node trusts
   */
  readonly ca?: string;
  /**
   * Name that the nodes' certificates carry.
   * @default - each node's host
   */
  readonly serverName?: string;
}

/** Where the primary's address is published beside the table. */
export interface PublicationProps {
  /**
   * Parameters `<prefix>/<group>/primary`, `/readers` and `/topology`.
   * @default true
   */
  readonly parameters?: boolean;
  /** @default "/valkeeper" */
  readonly parameterPrefix?: string;
  /**
   * The zone in which each group has a record.
   * @default - no DNS records
   */
  readonly hostedZone?: route53.IHostedZone;
  /**
   * Names in the zone that may be written, `*` for any characters: of every group's records, also of groups that are registered at
   * run time.
   * @default - every name below the zone's own
   */
  readonly recordNames?: string[];
  /** @default 5 */
  readonly recordTtlSeconds?: number;
}

/** Every setting is explained in docs/configuration.md; durations in milliseconds. */
export interface ValkeyGroupProps {
  readonly name: string;
  readonly nodes: ValkeyNodeProps[];
  /**
   * First primary of a new group of empty nodes; one that runs already is adopted as it is.
   * @default - the group must have a primary already
   */
  readonly primary?: string;
  /** @default - the construct's `credentials` */
  readonly credentials?: NodeCredentials;
  /** @default - no TLS */
  readonly tls?: TlsProps;
  /**
   * Full name of the group's DNS record.
   * @default - `<group>.<zone>`
   */
  readonly recordName?: string;
  /**
   * Full name of a second record with the addresses of the replicas that may be read from. The nodes' hosts must be
   * IP addresses.
   * @default - none
   */
  readonly readersRecordName?: string;
  /** @default - majority of the voters */
  readonly quorum?: number;
  /** @default 5000 */
  readonly downAfterMs?: number;
  /** @default - 500, at most half of `downAfterMs` */
  readonly refusedAfterMs?: number;
  /** @default - 750, at most half of `downAfterMs` and above `probeIntervalMs`; 0, which is off, where that leaves no room */
  readonly writeHoldAfterMs?: number;
  /** @default - 15000, at least three times `downAfterMs` */
  readonly unreachableAfterMs?: number;
  /** @default 30000 */
  readonly loadingLimitMs?: number;
  /** @default 15000 */
  readonly busyLimitMs?: number;
  /** @default - 500, at most a fifth of `downAfterMs` */
  readonly probeIntervalMs?: number;
  /** @default - 500, at most half of `downAfterMs` */
  readonly probeTimeoutMs?: number;
  /** @default 1000 */
  readonly watchIntervalMs?: number;
  /** @default 5000 */
  readonly heartbeatMs?: number;
  /** @default - 1500, at least three times `probeIntervalMs` */
  readonly voteWindowMs?: number;
  /** @default 150 */
  readonly freezeWaitMs?: number;
  /** @default 5000 */
  readonly leaseMs?: number;
  /** @default 10000 */
  readonly stepTimeoutMs?: number;
  /** @default 1 */
  readonly parallelSyncs?: number;
  /** @default - not considered */
  readonly maxLinkDownMs?: number;
  /** @default 0 */
  readonly offsetToleranceBytes?: number;
  /**
   * `promote` or `refuse`.
   * @default "promote"
   */
  readonly onPossibleLoss?: string;
  /** @default 0 */
  readonly waitK?: number;
  /**
   * `best` or `wait`.
   * @default - "best"; "wait" where `onPossibleLoss` is "refuse"
   */
  readonly coldStart?: string;
  /**
   * `failover` or `alarm`.
   * @default "failover"
   */
  readonly writeDead?: string;
  /**
   * `off`, `best-effort` or `required`; needs the construct's `hostStopping`.
   * @default "off"
   */
  readonly stopInstance?: string;
  /** @default 0 */
  readonly minReplicasToWrite?: number;
  /** @default - one per node */
  readonly failoverBudget?: number;
  /** @default 10000 */
  readonly armAfterMs?: number;
  /**
   * `act` or `observe`.
   * @default "act"
   */
  readonly mode?: string;
}
