// The AWS clients, each with every time-out, retry and connection limit said. The endpoint is the SDK's own choice
// (AWS_ENDPOINT_URL, else AWS), unless one is given. An SDK client sends once; `call` in call.ts decides on another try.

import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ECSClient } from "@aws-sdk/client-ecs";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { Route53Client } from "@aws-sdk/client-route-53";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { SSMClient } from "@aws-sdk/client-ssm";

export interface AwsOptions {
  /** @default AWS_ENDPOINT_URL, else the service's own */
  readonly endpoint?: string;
  /** @default AWS_REGION */
  readonly region?: string;
  /** @default the SDK's chain: environment, profile, role */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Dual-stack names for all but DynamoDB, whose gateway endpoint is reached by its own. @default false */
  readonly dualStack?: boolean;
  /** A TCP and TLS connection must stand by then. @default 1000 */
  readonly connectionTimeoutMs?: number;
}

/** Made when first asked for: a voter that publishes nothing never builds a Route 53 client. */
export interface AwsClients {
  readonly dynamodb: DynamoDBClient;
  readonly ssm: SSMClient;
  readonly route53: Route53Client;
  readonly secretsManager: SecretsManagerClient;
  readonly sns: SNSClient;
  readonly eventbridge: EventBridgeClient;
  readonly ec2: EC2Client;
  readonly ecs: ECSClient;
  readonly autoScaling: AutoScalingClient;
  /** Closes every connection. */
  destroy(): void;
}

/** Above every bound of call.ts, which aborts first; these end a request that escaped it. */
const REQUEST_TIMEOUT_MS = 15_000;
const MAX_SOCKETS = 50;

export function createAwsClients(options: AwsOptions = {}): AwsClients {
  const common = clientOptions(options);
  const made: { destroy(): void }[] = [];
  const once = <Client extends { destroy(): void }>(make: () => Client): (() => Client) => {
    let client: Client | undefined;
    return () => {
      if (client === undefined) {
        client = make();
        made.push(client);
      }
      return client;
    };
  };
  // The account's own endpoint name has to be learned with the credentials and is not what the gateway endpoint's
  // documentation promises to route; the region's name is.
  const dynamodb = once(() => new DynamoDBClient({ ...common, accountIdEndpointMode: "disabled" }));
  const overBoth = { ...common, ...(isDualStack(options) ? { useDualstackEndpoint: true } : {}) };
  const ssm = once(() => new SSMClient(overBoth));
  const route53 = once(() => new Route53Client(overBoth));
  const secretsManager = once(() => new SecretsManagerClient(overBoth));
  const sns = once(() => new SNSClient(overBoth));
  const eventbridge = once(() => new EventBridgeClient(overBoth));
  const ec2 = once(() => new EC2Client(overBoth));
  const ecs = once(() => new ECSClient(overBoth));
  const autoScaling = once(() => new AutoScalingClient(overBoth));
  return {
    get dynamodb() {
      return dynamodb();
    },
    get ssm() {
      return ssm();
    },
    get route53() {
      return route53();
    },
    get secretsManager() {
      return secretsManager();
    },
    get sns() {
      return sns();
    },
    get eventbridge() {
      return eventbridge();
    },
    get ec2() {
      return ec2();
    },
    get ecs() {
      return ecs();
    },
    get autoScaling() {
      return autoScaling();
    },
    destroy: () => {
      for (const client of made.splice(0)) client.destroy();
    },
  };
}

/** An endpoint that somebody named has one name: the SDK refuses every call when both are asked for. */
function isDualStack({ dualStack, endpoint }: AwsOptions): boolean {
  const isNamed = (variable: string): boolean => variable.startsWith("AWS_ENDPOINT_URL");
  return dualStack === true && endpoint === undefined && !Object.keys(process.env).some(isNamed);
}

function clientOptions(options: AwsOptions) {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    maxAttempts: 1,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestHandler: {
      connectionTimeout: options.connectionTimeoutMs ?? 1_000,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}
