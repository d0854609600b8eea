// Every price and free allowance that docs/cost.md is calculated from, with where it comes from. Whoever changes one
// changes the date, and runs `npm run cost`.

export const PRICED_ON = "2026-11-22";
export const REGION = "us-east-1";

export interface Price {
  readonly usd: number;
  readonly per: string;
  readonly source: string;
  /**
   * `aws`: AWS's own page, also where somebody quotes it. `third-party`: others that agree with each other.
   */
  readonly basis: "aws" | "third-party";
}

const MILLION = 1_000_000;

export const PRICES = {
  lambdaGbSecond: {
    usd: 0.0000133334,
    per: "GB-second, arm64",
    source: "aws.amazon.com/lambda/pricing",
    basis: "aws",
  },
  lambdaRequest: {
    usd: 0.2 / MILLION,
    per: "invocation",
    source: "aws.amazon.com/lambda/pricing",
    basis: "aws",
  },
  schedulerCall: {
    usd: 1 / MILLION,
    per: "call of a schedule",
    source: "calculators of EventBridge Scheduler",
    basis: "third-party",
  },
  readUnit: {
    usd: 0.125 / MILLION,
    per: "read request unit, on demand",
    source: "DynamoDB's prices since November 2024",
    basis: "third-party",
  },
  writeUnit: {
    usd: 0.625 / MILLION,
    per: "write request unit, on demand",
    source: "DynamoDB's prices since November 2024",
    basis: "third-party",
  },
  natHour: {
    usd: 0.045,
    per: "hour of a NAT gateway",
    source: "infracost's price list",
    basis: "third-party",
  },
  endpointHour: {
    usd: 0.01,
    per: "hour of an interface endpoint in one zone",
    source: "infracost's price list",
    basis: "third-party",
  },
  zoneGb: {
    usd: 0.01,
    per: "GB between zones, in each direction",
    source: "guides to data transfer of 2026",
    basis: "third-party",
  },
  alarmMonth: {
    usd: 0.1,
    per: "standard alarm and month, for each metric in it",
    source: "infracost's price list",
    basis: "third-party",
  },
  metricMonth: {
    usd: 0.3,
    per: "custom metric and month",
    source: "guides to CloudWatch of 2026",
    basis: "third-party",
  },
  dashboardMonth: {
    usd: 3,
    per: "dashboard and month",
    source: "guides to CloudWatch of 2026",
    basis: "third-party",
  },
  logsGb: {
    usd: 0.5,
    per: "GB of logs taken in",
    source: "infracost's price list",
    basis: "third-party",
  },
  secretMonth: {
    usd: 0.4,
    per: "secret and month",
    source: "guides to Secrets Manager",
    basis: "third-party",
  },
  keyMonth: {
    usd: 1,
    per: "customer-managed key and month",
    source: "infracost's price list",
    basis: "third-party",
  },
  t4gNanoHour: {
    usd: 0.0042,
    per: "hour of a t4g.nano",
    source: "EC2 price lists of July 2026",
    basis: "third-party",
  },
  t4gMicroHour: {
    usd: 0.0084,
    per: "hour of a t4g.micro",
    source: "EC2 price lists of July 2026",
    basis: "third-party",
  },
  r7gLargeHour: {
    usd: 0.1071,
    per: "hour of an r7g.large",
    source: "EC2 price lists of 2026",
    basis: "third-party",
  },
  diskGbMonth: {
    usd: 0.08,
    per: "GB and month of a gp3 volume",
    source: "EBS price lists of 2026",
    basis: "third-party",
  },
  cacheMicroHour: {
    usd: 0.0128,
    per: "hour of a cache.t4g.micro, Valkey",
    source: "Redis OSS at 0.016, of which Valkey is 80 %",
    basis: "third-party",
  },
  cacheLargeHour: {
    usd: 0.1752,
    per: "hour of a cache.r7g.large, Valkey",
    source: "Redis OSS at 0.219, of which Valkey is 80 %",
    basis: "third-party",
  },
} as const satisfies Readonly<Record<string, Price>>;

/** What an account has free in every month, for ever. Of all that runs in it: others may have used it up. */
export const FREE = {
  gbSeconds: 400_000,
  invocations: MILLION,
  schedulerCalls: 14 * MILLION,
  alarms: 10,
  metrics: 10,
  dashboards: 3,
  logsGb: 5,
} as const;

export const HOURS_PER_MONTH = 730;
export const MINUTES_PER_MONTH = 60 * HOURS_PER_MONTH;
