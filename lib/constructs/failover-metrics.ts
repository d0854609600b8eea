// The deployment's metrics, as alarms, dashboards and an app's own widgets name them. The functions print them in their
// log lines; one that stays at zero is not reported at all, but for the two whose absence is what is to be noticed.

import { Duration } from "aws-cdk-lib";
import { Metric, type MetricOptions, Stats } from "aws-cdk-lib/aws-cloudwatch";
import { DIMENSIONS, METRIC_NAMESPACE, METRICS, voterFunctionName } from "../runtime/metric-names.ts";
import { given } from "./given.ts";

export interface VoterMetricOptions extends MetricOptions {
  /** @default 0 */
  readonly shard?: number;
}

export class FailoverMetrics {
  readonly #tableName: string;
  readonly #dimensions: { [name: string]: string };

  /**
   * `tableName`: of the deployment's table, by which its metrics are told from another deployment's. `groupName`: the figures of one
   * group alone, where they are reported.
   */
  constructor(tableName: string, groupName?: string) {
    this.#tableName = tableName;
    this.#dimensions = {
      [DIMENSIONS.deployment]: tableName,
      ...given({ [DIMENSIONS.group]: groupName }),
    };
  }

  /** Times that a voter was heard by the others; missing when it was not. @default - the sum of a minute */
  metricVoterHeartbeats(zone: string, { shard = 0, ...options }: VoterMetricOptions = {}): Metric {
    const voter = voterFunctionName(zone, shard);
    const dimensionsMap = { [DIMENSIONS.deployment]: this.#tableName, [DIMENSIONS.voter]: voter };
    return this.#metric(METRICS.voterHeartbeats, { statistic: Stats.SUM, dimensionsMap, ...options });
  }

  /** Groups for which no failover would be possible. @default - the most of a minute */
  metricGroupsNotReady(options: MetricOptions = {}): Metric {
    return this.#most(METRICS.groupsNotReady, options);
  }

  /** Groups in which something is wrong and nothing is done, for half a minute. @default - the most of a minute */
  metricGroupsBlocked(options: MetricOptions = {}): Metric {
    return this.#most(METRICS.groupsBlocked, options);
  }

  /** Groups with a node that answers and does not let the voters in. @default - the most of a minute */
  metricGroupsMisconfigured(options: MetricOptions = {}): Metric {
    return this.#most(METRICS.groupsMisconfigured, options);
  }

  /** Groups without a primary whose nodes wait at their boot fence. @default - the most of a minute */
  metricGroupsBootFenced(options: MetricOptions = {}): Metric {
    return this.#most(METRICS.groupsBootFenced, options);
  }

  /** Groups whose primary was to be replaced twice within ten minutes. @default - the most of a minute */
  metricGroupsChurning(options: MetricOptions = {}): Metric {
    return this.#most(METRICS.groupsChurning, options);
  }

  /** Groups that are published wrongly somewhere, told every minute. @default - the most of a minute */
  metricPublicationsBehind(options: MetricOptions = {}): Metric {
    return this.#most(METRICS.publicationsBehind, options);
  }

  /** New primaries that nobody had planned. @default - the sum of a minute */
  metricFailovers(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.failovers, options);
  }

  /** Failovers and switchovers that ended with the old primary. @default - the sum of a minute */
  metricFailoversAbandoned(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.failoversAbandoned, options);
  }

  /** Planned hand-overs. @default - the sum of a minute */
  metricSwitchovers(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.switchovers, options);
  }

  /** Steps that ended with a bug. @default - the sum of a minute */
  metricGroupFailures(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.groupFailures, options);
  }

  /** Times that a voter did not trust what it saw, because it had been stalled. @default - the sum of a minute */
  metricVoterSuspensions(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.voterSuspensions, options);
  }

  /** Calls to the table that failed. @default - the sum of a minute */
  metricStoreFailures(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.storeFailures, options);
  }

  /** Requests that DynamoDB, Systems Manager or Route 53 turned away. @default - the sum of a minute */
  metricThrottles(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.throttles, options);
  }

  /** Records of the table that could not be decoded. @default - the sum of a minute */
  metricUnreadableRecords(options: MetricOptions = {}): Metric {
    return this.#sum(METRICS.unreadableRecords, options);
  }

  #most(metricName: string, options: MetricOptions): Metric {
    return this.#metric(metricName, { statistic: Stats.MAXIMUM, ...options });
  }

  #sum(metricName: string, options: MetricOptions): Metric {
    return this.#metric(metricName, { statistic: Stats.SUM, ...options });
  }

  #metric(metricName: string, options: MetricOptions): Metric {
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: this.#dimensions,
      period: Duration.minutes(1),
      ...options,
    });
  }
}
