// What an app imports from `valkeeper`: the whole, its parts, and the types of their properties. What is not named here may
// change in any release.

export { ConfigurationError } from "../core/errors.ts";
export { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
export { Egress } from "./egress.ts";
export { FailoverAccess, type IValkeyFailover, type ValkeyFailoverAttributes } from "./failover-access.ts";
export {
  type ConditionAlarm,
  FailoverAlarms,
  type FailoverAlarmsOptions,
  type FailoverAlarmsProps,
  type WatchedFunction,
} from "./failover-alarms.ts";
export { FailoverDashboard, type FailoverDashboardProps } from "./failover-dashboard.ts";
export { FailoverMetrics, type VoterMetricOptions } from "./failover-metrics.ts";
export {
  FailoverNotifications,
  type FailoverNotificationsProps,
  type NotificationOptions,
} from "./failover-notifications.ts";
export type { ValkeyFailoverProps } from "./failover-props.ts";
export { FailoverTable, type FailoverTableAttributes, type FailoverTableProps } from "./failover-table.ts";
export { FailoverTableBase, type IFailoverTable } from "./failover-table-base.ts";
export type { FailoverFunctions, FunctionParts, ScheduledFunctionParts } from "./function-parts.ts";
export type {
  NodeAddress,
  NodeCredentials,
  PublicationProps,
  TlsProps,
  ValkeyGroupProps,
  ValkeyNodeProps,
} from "./group-props.ts";
export { HostEvacuator, type HostEvacuatorProps } from "./host-evacuator.ts";
export { HostStopper, type HostStopperProps, type HostStoppingOptions } from "./host-stopper.ts";
export { type Ec2PlatformOptions, NodePlatform } from "./node-platform.ts";
export { PublicationPublisher, type PublicationPublisherProps } from "./publication-publisher.ts";
export { ValkeyFailover } from "./valkey-failover.ts";
export type { VoterZone } from "./voter-zones.ts";
export { type Voter, Voters, type VotersProps } from "./voters.ts";
