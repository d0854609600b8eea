// A voter function in each zone, for each shard of groups, on a schedule of one minute. Each is placed into one subnet only:
// a voter is its zone's view, and is to be lost with its zone.

import { SecretValue, Stack } from "aws-cdk-lib";
import {
  Connections,
  GatewayVpcEndpoint,
  GatewayVpcEndpointAwsService,
  type IConnectable,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
} from "aws-cdk-lib/aws-ec2";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { metricsLevel, VARIABLES } from "../runtime/environment.ts";
import { VOTER_TIMEOUT_MS } from "../runtime/timing.ts";
import { BundledFunction } from "./bundled-function.ts";
import { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import { Egress } from "./egress.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import type { ScheduledFunctionParts } from "./function-parts.ts";
import { given } from "./given.ts";
import type { NodeCredentials, PublicationProps } from "./group-props.ts";
import { MinuteSchedule } from "./minute-schedule.ts";
import { grantCopies } from "./publication-grants.ts";
import { watchPaths } from "./voter-paths.ts";
import { idOf } from "./voter-shards.ts";
import type { VoterZone } from "./voter-zones.ts";
import { votersIssues } from "./voters-check.ts";

export interface VotersProps {
  readonly vpc: IVpc;
  readonly zones: VoterZone[];
  readonly table: IFailoverTable;
  readonly egress: Egress;
  readonly publication: PublicationProps;
  /** Every group's. */
  readonly credentials: NodeCredentials[];
  /**
   * Encrypts the voters' environment.
   * @default - Lambda's own key
   */
  readonly environmentKey?: IKey;
  /** @default DynamoDbEndpoint.EXISTING */
  readonly dynamoDbEndpoint?: DynamoDbEndpoint;
  /** @default - a new one that lets nothing in, and out what `allowAllOutbound` says */
  readonly securityGroup?: ISecurityGroup;
  /**
   * Let everything out of the new security group. When false it lets out HTTPS, and what is allowed by rules such as
   * `nodes.connections.allowFrom(voters, Port.tcp(6379))`.
   * @default true
   */
  readonly allowAllOutbound?: boolean;
  /** @default false */
  readonly economy?: boolean;
  /**
   * Voter functions in each zone, each for its share of the groups.
   * @default 1
   */
  readonly shards?: number;
  /**
   * Groups that one of them is given: the command line goes by it.
   * @default - it is not limited
   */
  readonly groupsPerVoter?: number;
  /** @default 256 */
  readonly memoryMegabytes?: number;
  /**
   * Concurrent invocations kept for each voter; two suffice: one runs, one takes over.
   * @default - not limited
   */
  readonly reservedConcurrency?: number;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /**
   * Report the figures of each group as metrics of its own too.
   * @default false
   */
  readonly groupMetrics?: boolean;
  /**
   * One for each voter, shard by shard, each in the order of the zones.
   * @default - nothing is given
   */
  readonly functions?: ScheduledFunctionParts[];
  /**
   * Gets the schedules' calls that could not be delivered.
   * @default - they are dropped
   */
  readonly deadLetterQueue?: IQueue;
}

export interface Voter {
  readonly zone: string;
  /** Counted from 0. */
  readonly shard: number;
  readonly function: IFunction;
}

interface Place extends VoterZone {
  readonly shard: number;
  readonly id: string;
}

interface Secured extends VotersProps {
  readonly securityGroup: ISecurityGroup;
}

export class Voters extends Construct implements IConnectable {
  /** Shard by shard, each in the order of the zones. */
  readonly voters: Voter[];
  /** For rules of the nodes' security groups: `nodes.connections.allowFrom(voters, Port.tcp(6379))`. */
  readonly connections: Connections;

  /** Throws `ConfigurationError` with every issue of the properties. */
  constructor(scope: Construct, id: string, props: VotersProps) {
    super(scope, id);
    const issues = votersIssues(props);
    if (issues.length > 0) throw new ConfigurationError(this.node.path, issues);
    watchPaths(this, props);
    const securityGroup = props.securityGroup ?? this.#createSecurityGroup(props);
    this.connections = new Connections({ securityGroups: [securityGroup] });
    this.#createEndpoints(props);
    const { zones, shards = 1, functions = [] } = props;
    const byShard = Array.from({ length: shards }, (_, shard) =>
      zones.map((zone, index) => {
        const place = { zone: zone.zone, subnet: zone.subnet, shard, id: idOf(index, shard) };
        const parts = functions[shard * zones.length + index];
        const created = this.#createVoter(place, { ...props, securityGroup }, parts);
        return { zone: zone.zone, shard, function: created.function };
      }),
    );
    for (const ofShard of byShard) {
      for (const [index, voter] of ofShard.entries()) {
        // One zone is updated after the other: never is more than one voter of a group being replaced, and a quorum goes on
        // beside it. A version that cannot be deployed stops at the first voter that there is.
        const before = new Set([byShard[0]?.[index - 1], ofShard[index - 1]]);
        for (const each of before) if (each !== undefined) voter.function.node.addDependency(each.function);
      }
    }
    this.voters = byShard.flat();
  }

  #createSecurityGroup({ vpc, allowAllOutbound = true }: VotersProps): SecurityGroup {
    const securityGroup = new SecurityGroup(this, "SecurityGroup", {
      vpc,
      description: "Valkeeper voters: nothing in, Valkey nodes and AWS out",
      allowAllOutbound,
      allowAllIpv6Outbound: allowAllOutbound,
    });
    if (!allowAllOutbound) {
      for (const peer of [Peer.anyIpv4(), Peer.anyIpv6()]) securityGroup.addEgressRule(peer, Port.tcp(443), "AWS");
    }
    return securityGroup;
  }

  #createVoter(
    { id, zone, subnet, shard }: Place,
    props: Secured,
    parts: ScheduledFunctionParts | undefined,
  ): BundledFunction {
    const { table, egress, publication, groupsPerVoter } = props;
    const title = `Valkeeper voter of ${zone}${shard === 0 ? "" : `, shard ${shard}`}`;
    const voter = new BundledFunction(this, `Voter${id}`, {
      name: "voter",
      description: title,
      timeoutMs: VOTER_TIMEOUT_MS,
      memoryMegabytes: props.memoryMegabytes ?? 256,
      environment: {
        [VARIABLES.table]: table.table.tableName,
        [VARIABLES.voter]: zone,
        [VARIABLES.voters]: props.zones.map((each) => each.zone).join(","),
        [VARIABLES.shard]: String(shard),
        ...(groupsPerVoter === undefined ? {} : { [VARIABLES.groupsPerVoter]: String(groupsPerVoter) }),
        [VARIABLES.economy]: String(props.economy ?? false),
        [VARIABLES.publishes]: egress._publishes.join(","),
        [VARIABLES.dualStack]: String(egress === Egress.DUAL_STACK),
        [VARIABLES.metrics]: metricsLevel(props.groupMetrics),
        ...placedSecret(props),
      },
      ...given({ logRetention: props.logRetention }),
      ...given({ parts }),
      options: {
        vpc: props.vpc,
        vpcSubnets: { subnets: [subnet] },
        securityGroups: [props.securityGroup],
        ipv6AllowedForDualStack: egress === Egress.DUAL_STACK,
        // Without a NAT gateway it makes no difference which kind of subnet it is.
        allowPublicSubnet: egress !== Egress.NAT,
        ...given({ environmentEncryption: props.environmentKey }),
        ...given({ reservedConcurrentExecutions: props.reservedConcurrency }),
      },
    });
    table.grantVote(voter.role, zone, shard);
    grantCopies({ grantee: voter, publication, targets: egress._publishes, stack: Stack.of(this) });
    if (egress.reachesSecrets) for (const each of props.credentials) this.#grantSecret(voter, each);
    new MinuteSchedule(voter, "Schedule", {
      target: voter.function,
      name: "voter",
      description: `Starts the ${title}`,
      ...given({ role: parts?.scheduleRole }),
      ...(props.deadLetterQueue === undefined ? {} : { deadLetterQueue: props.deadLetterQueue }),
    });
    return voter;
  }

  #grantSecret(voter: BundledFunction, credentials: NodeCredentials): void {
    // Allows to describe the secret as well, and knows keys and accounts that are not this stack's.
    credentials.secret?.grantRead(voter.role);
    if (credentials.parameterName === undefined) return;
    voter.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["ssm:GetParameter"],
        resources: [
          Stack.of(this).formatArn({
            service: "ssm",
            resource: "parameter",
            resourceName: credentials.parameterName.replace(/^\//, ""),
          }),
        ],
      }),
    );
  }

  #createEndpoints(props: VotersProps): void {
    const subnets = { subnets: props.zones.map((zone) => zone.subnet) };
    if (props.dynamoDbEndpoint === DynamoDbEndpoint.CREATE) {
      new GatewayVpcEndpoint(this, "DynamoDb", {
        vpc: props.vpc,
        service: GatewayVpcEndpointAwsService.DYNAMODB,
        subnets: [subnets],
      });
    }
    if (props.egress !== Egress.ENDPOINTS) return;
    const securityGroup = new SecurityGroup(this, "EndpointSecurityGroup", {
      vpc: props.vpc,
      description: "Valkeeper interface endpoints: HTTPS from the voters",
      allowAllOutbound: false,
    });
    securityGroup.connections.allowFrom(this, Port.tcp(443), "voters");
    for (const service of [InterfaceVpcEndpointAwsService.SSM, InterfaceVpcEndpointAwsService.SECRETS_MANAGER]) {
      new InterfaceVpcEndpoint(this, service.shortName, {
        vpc: props.vpc,
        service,
        subnets,
        securityGroups: [securityGroup],
        // Its own rule lets the voters in; the default one would let in the whole VPC.
        open: false,
      });
    }
  }
}

/** Where no voter reaches Secrets Manager, CloudFormation reads the secret and places it. */
function placedSecret({ egress, credentials: [credentials] }: VotersProps): { [name: string]: string } {
  if (egress.reachesSecrets || credentials?.secret === undefined) return {};
  const value = SecretValue.secretsManager(credentials.secret.secretArn, {
    ...given({ versionId: credentials.secretVersionId }),
  });
  return {
    [VARIABLES.secretId]: credentials.secret.secretArn,
    // Unwrapped on purpose: the template holds the reference, CloudFormation resolves it.
    [VARIABLES.secretValue]: value.unsafeUnwrap(),
  };
}
