// What somebody new deploys to see it work: three small machines with boot-fenced Valkey in three zones, and the construct that
// looks after them. Everything goes with the stack, data included: an example to read and to try, not one to build on.

import { CfnOutput, Fn, RemovalPolicy, Stack, type StackProps, Tags, Validations } from "aws-cdk-lib";
import {
  AmazonLinuxCpuType,
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  HttpTokens,
  type IMachineImage,
  Instance,
  InstanceClass,
  InstanceSize,
  InstanceType,
  IpAddresses,
  type ISubnet,
  type IVpc,
  MachineImage,
  OperatingSystemType,
  Port,
  SecurityGroup,
  SubnetType,
  UserData,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { ManagedPolicy, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { type ISecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct, IConstruct } from "constructs";
import { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import { Egress } from "./egress.ts";
import { type ExampleSecrets, exampleUserData } from "./example-node.ts";
import { GROUP_TAG, NODE_TAG } from "./host-grants.ts";
import { NodePlatform } from "./node-platform.ts";
import { exportOutputs } from "./operator-outputs.ts";
import { ValkeyFailover } from "./valkey-failover.ts";
import { LEAST_ZONES } from "./voter-zones.ts";

export const EXAMPLE_GROUP = "example";
/** The name that the nodes' certificate is made for; nothing has to resolve it. */
const SERVER_NAME = "valkeeper-example";
export const CERTIFICATE_SECRET = "valkeeper-example/certificate";
const PORT = 6379;
export const DISK_GIBIBYTES = 8;

export interface ExampleStackProps extends StackProps {
  /** PEM text of the authority that signed the certificate in the secret `valkeeper-example/certificate`. */
  readonly authority: string;
  /**
   * The first two numbers of the VPC's addresses.
   * @default "10.47"
   */
  readonly network?: string;
  /**
   * Of an arm64 Amazon Linux 2023. Each deployment looks for the newest one otherwise, and cannot replace a node by it: its address is
   * taken by the old one, and the update is rolled back.
   * @default - the newest at the deployment
   */
  readonly imageId?: string;
  /**
   * With the function that can stop the machines. It stops none before the group's `stopInstance` asks for it.
   * @default true
   */
  readonly hostStopping?: boolean;
  /**
   * Have a primary handed over before AWS takes its machine away.
   * @default true
   */
  readonly evacuation?: boolean;
}

interface Secrets {
  readonly coordinator: ISecret;
  readonly replication: ISecret;
  readonly application: ISecret;
  readonly certificate: ISecret;
}

export class ExampleStack extends Stack {
  constructor(scope: Construct, id: string, options: ExampleStackProps) {
    const { authority, network = "10.47", imageId, hostStopping = true, evacuation = true, ...props } = options;
    super(scope, id, props);
    const vpc = makeVpc(this, network);
    const secrets: Secrets = {
      coordinator: password(this, "Coordinator"),
      replication: password(this, "Replication"),
      application: password(this, "Application"),
      certificate: Secret.fromSecretNameV2(this, "Certificate", CERTIFICATE_SECRET),
    };
    const nodes = vpc.privateSubnets.map((subnet, index) => ({
      id: `n${index + 1}`,
      subnet,
      zone: subnet.availabilityZone,
      host: `${network}.${index}.10`,
    }));
    const failover = new ValkeyFailover(this, "Failover", {
      vpc,
      egress: Egress.NAT,
      dynamoDbEndpoint: DynamoDbEndpoint.CREATE,
      allowAllOutbound: false,
      credentials: { secret: secrets.coordinator },
      groups: [
        {
          name: EXAMPLE_GROUP,
          primary: "n1",
          nodes: nodes.map(({ id, host, zone }) => ({ id, host, zone })),
          tls: { ca: authority, serverName: SERVER_NAME },
        },
      ],
      ...(hostStopping ? { hostStopping: {} } : {}),
      nodesRunOn: evacuation ? [NodePlatform.ec2()] : [],
      alarms: {},
      dashboard: true,
      tableRemovalPolicy: RemovalPolicy.DESTROY,
    });
    const securityGroup = new SecurityGroup(this, "NodesSecurityGroup", { vpc, description: "Valkey nodes" });
    securityGroup.connections.allowFrom(failover, Port.tcp(PORT), "Valkeeper voters");
    securityGroup.addIngressRule(securityGroup, Port.tcp(PORT), "Replication");
    const role = nodesRole(this, secrets);
    const image = imageOf(imageId);
    for (const node of nodes) {
      const userData = exampleUserData({ address: node.host, region: this.region, authority, secrets: idsOf(secrets) });
      const machine = makeMachine(this, { ...node, vpc, securityGroup, role, image, userData });
      new CfnOutput(this, `Instance${node.id.toUpperCase()}`, { value: machine.instanceId });
    }
    exportOutputs(this, failover);
    new CfnOutput(this, "ApplicationSecret", { value: secrets.application.secretArn });
  }
}

/** One NAT gateway: what needs it is the first boot, Session Manager and the voters' copies, and no decision. */
function makeVpc(scope: Construct, network: string): IVpc {
  const vpc = new Vpc(scope, "Vpc", {
    ipAddresses: IpAddresses.cidr(`${network}.0.0/16`),
    availabilityZones: Array.from({ length: LEAST_ZONES }, (_, index) => Fn.select(index, Fn.getAzs())),
    natGateways: 1,
    subnetConfiguration: [
      { name: "Valkey", subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 },
      { name: "Nat", subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
    ],
    // Nothing is in it, and emptying it takes a function with rights on security groups.
    restrictDefaultSecurityGroup: false,
  });
  acknowledge(vpc, { VPC7: "An example that is removed again: nobody would read its flow logs." });
  return vpc as IVpc;
}

const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

function password(scope: Construct, id: string): ISecret {
  const secret = new Secret(scope, id, {
    description: `Valkeeper's example: password of ${id.toLowerCase()}`,
    // The shell and Valkey's files would read more than themselves in them.
    generateSecretString: { excludeCharacters: PUNCTUATION, passwordLength: 40 },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acknowledge(secret, { SMG4: "An example that is removed again; a node's password is changed on the node, too." });
  return secret as ISecret;
}

function nodesRole(scope: Construct, secrets: Secrets): Role {
  const role = new Role(scope, "NodesRole", { assumedBy: new ServicePrincipal("ec2.amazonaws.com") });
  role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName("AmazonSSMManagedInstanceCore"));
  for (const secret of Object.values(secrets) as ISecret[]) secret.grantRead(role);
  acknowledge(role, {
    "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]":
      "What Session Manager needs, in place of SSH.",
  });
  return role;
}

const idsOf = ({ coordinator, replication, application }: Secrets): ExampleSecrets => ({
  coordinator: coordinator.secretArn,
  replication: replication.secretArn,
  application: application.secretArn,
  certificate: CERTIFICATE_SECRET,
});

const imageOf = (imageId: string | undefined): IMachineImage =>
  imageId === undefined
    ? MachineImage.latestAmazonLinux2023({ cpuType: AmazonLinuxCpuType.ARM_64 })
    : { getImage: () => ({ imageId, osType: OperatingSystemType.LINUX, userData: UserData.forLinux() }) };

interface Machine {
  readonly id: string;
  readonly host: string;
  readonly subnet: ISubnet;
  readonly vpc: IVpc;
  readonly securityGroup: SecurityGroup;
  readonly role: Role;
  readonly image: IMachineImage;
  readonly userData: string;
}

function makeMachine(scope: Construct, machine: Machine): Instance {
  const { id, host, subnet, userData, image, ...props } = machine;
  const instance = new Instance(scope, `Node${id.toUpperCase()}`, {
    ...props,
    vpcSubnets: { subnets: [subnet] },
    privateIpAddress: host,
    instanceType: InstanceType.of(InstanceClass.T4G, InstanceSize.MICRO),
    machineImage: image,
    userData: UserData.custom(userData),
    httpTokens: HttpTokens.REQUIRED,
    blockDevices: [
      {
        deviceName: "/dev/xvda",
        volume: BlockDeviceVolume.ebs(DISK_GIBIBYTES, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
      },
    ],
  });
  // What it installs comes through the NAT gateway.
  instance.node.addDependency(subnet.internetConnectivityEstablished);
  Tags.of(instance).add(GROUP_TAG, EXAMPLE_GROUP);
  Tags.of(instance).add(NODE_TAG, id);
  acknowledge(instance, {
    EC28: "The voters see a node's failure within seconds; figures of its machine by the minute would be paid for.",
    EC29: "An example that is removed again. An Auto Scaling group would replace a node by one with another address.",
  });
  return instance;
}

/** For cdk-nag; nothing to anybody else. */
function acknowledge(on: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [rule, reason] of Object.entries(reasons)) {
    Validations.of(on).acknowledge({ id: `AwsSolutions-${rule}`, reason });
  }
}
