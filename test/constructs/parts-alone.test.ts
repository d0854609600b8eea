// The parts without the whole: what an app puts together itself is judged by the same rules.

import type { Stack } from "aws-cdk-lib";
import { type ISubnet, type IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import { Key } from "aws-cdk-lib/aws-kms";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { describe, expect, it } from "vitest";
import { DynamoDbEndpoint } from "../../lib/constructs/dynamo-db-endpoint.ts";
import { Egress } from "../../lib/constructs/egress.ts";
import { FailoverTable } from "../../lib/constructs/failover-table.ts";
import type { NodeCredentials } from "../../lib/constructs/group-props.ts";
import { HostEvacuator } from "../../lib/constructs/host-evacuator.ts";
import { HostStopper } from "../../lib/constructs/host-stopper.ts";
import { NodePlatform } from "../../lib/constructs/node-platform.ts";
import { PublicationPublisher, type PublicationPublisherProps } from "../../lib/constructs/publication-publisher.ts";
import { Voters, type VotersProps } from "../../lib/constructs/voters.ts";
import { importVpc, newStack } from "./failover-stack.ts";

const issuesIn = (make: () => unknown): readonly string[] => {
  try {
    make();
  } catch (error) {
    return (error as { readonly issues?: readonly string[] }).issues ?? [String(error)];
  }
  return [];
};

const tableOf = (stack: Stack) => FailoverTable.fromAttributes(stack, "Table", { tableName: "shared" });
const zonesOf = (subnets: readonly ISubnet[]) => subnets.map((subnet) => ({ zone: subnet.availabilityZone, subnet }));

interface Setting {
  readonly props?: Partial<VotersProps>;
  readonly vpc?: (stack: Stack) => IVpc;
}

/** What `Voters` alone say. */
function issuesOf(make: (stack: Stack) => Setting): readonly string[] {
  const stack = newStack();
  const { props = {}, vpc = importVpc } = make(stack);
  const used = vpc(stack);
  const defaults = { egress: Egress.NONE, publication: {}, credentials: [], zones: zonesOf(used.privateSubnets) };
  return issuesIn(() => new Voters(stack, "Voters", { vpc: used, table: tableOf(stack), ...defaults, ...props }));
}

const secret = (stack: Stack): NodeCredentials => ({
  secret: Secret.fromSecretNameV2(stack, "Secret", "valkey") as never,
});
const environmentKey = (stack: Stack) =>
  Key.fromKeyArn(stack, "Key", "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000");

describe("voters alone", () => {
  it("are made where everything is right", () => {
    expect(
      issuesOf((stack) => ({
        props: { credentials: [secret(stack)], environmentKey: environmentKey(stack), shards: 2 },
      })),
    ).toEqual([]);
  });

  it("need three zones, each once, but not before the VPC has been looked up", () => {
    const two = ["eu-west-1a", "eu-west-1b"];
    expect(issuesOf(() => ({ vpc: (stack) => importVpc(stack, two) }))).toEqual([
      expect.stringContaining("voters need 3 availability zones, so that one can be lost, and there are 2"),
    ]);
    expect(issuesOf(() => ({ vpc: (stack) => importVpc(stack, [...two, "eu-west-1b", "eu-west-1c"]) }))).toEqual([
      "zones has eu-west-1b twice: one zone is one vote",
    ]);
    const lookedUp = (stack: Stack) => Vpc.fromLookup(stack, "Vpc", { vpcId: "vpc-0123456789abcdef0" }) as IVpc;
    expect(issuesOf(() => ({ vpc: lookedUp }))).toEqual([]);
  });

  it("place no secret without a key of one's own, none that cannot be placed, and one at most", () => {
    expect(issuesOf((stack) => ({ props: { credentials: [secret(stack)] } }))).toEqual([
      expect.stringContaining("give `environmentKey`"),
    ]);
    expect(
      issuesOf((stack) => ({
        props: { credentials: [{ parameterName: "/valkey" }, {}], environmentKey: environmentKey(stack) },
      })),
    ).toEqual([
      expect.stringContaining("a SecureString cannot be placed"),
      "credentials need exactly one of `secret` and `parameterName`",
      expect.stringContaining("only one secret is placed"),
    ]);
    expect(issuesOf(() => ({ props: { credentials: [{ parameterName: "/valkey" }], egress: Egress.NAT } }))).toEqual(
      [],
    );
  });

  it("have the bounds of the whole, and a route table for the endpoint", () => {
    const props = {
      ...{ shards: 11, groupsPerVoter: 0, memoryMegabytes: 64, reservedConcurrency: 1 },
      functions: [{}],
      dynamoDbEndpoint: DynamoDbEndpoint.CREATE,
    };
    const vpc = (stack: Stack) =>
      Vpc.fromVpcAttributes(stack, "Vpc", {
        vpcId: "vpc-0123456789abcdef0",
        availabilityZones: ["a", "b", "c"],
        privateSubnetIds: ["subnet-1", "subnet-2", "subnet-3"],
      });
    expect(issuesOf(() => ({ props, vpc }))).toEqual([
      expect.stringContaining("reservedConcurrency is 1"),
      "groupsPerVoter is 0 and should be a whole number from 1 to 200",
      "shards is 11 and should be a whole number from 1 to 10",
      "memoryMegabytes is 64 and should be a whole number from 128 to 10240",
      "functions has 1 entries for 33 voters",
      ...["a", "b", "c"].map((zone) => expect.stringContaining(`the route table of the subnet in ${zone}`)),
    ]);
  });
});

describe("the publisher alone", () => {
  const streamed = (stack: Stack) =>
    FailoverTable.fromAttributes(stack, "Streamed", {
      tableName: "shared",
      tableStreamArn: "arn:aws:dynamodb:eu-west-1:123456789012:table/shared/stream/2026-01-01T00:00:00.000",
    });
  const publisher = (props: Partial<PublicationPublisherProps>, table = streamed) => {
    const stack = newStack();
    return issuesIn(
      () => new PublicationPublisher(stack, "Publication", { table: table(stack), publication: {}, ...props }),
    );
  };

  it("is made where everything is right", () => {
    expect(publisher({})).toEqual([]);
    expect(publisher({ shards: 2, publication: { parameterPrefix: "/valkey", recordTtlSeconds: 5 } })).toEqual([]);
  });

  it("is judged as in the whole: its sizes, its publication, and a table whose stream is known", () => {
    const sizes = { shards: 1.5, groupsPerVoter: 0, memoryMegabytes: 64 };
    const publication = { parameterPrefix: "no prefix", recordNames: ["a.b"] };
    expect(publisher({ ...sizes, publication }, tableOf)).toEqual([
      "shards is 1.5 and should be a whole number from 1 to 2400",
      "groupsPerVoter is 0 and should be a whole number from 1 to 2400",
      "memoryMegabytes is 64 and should be a whole number from 128 to 10240",
      expect.stringMatching(/^publication.parameterPrefix /),
      "publication.recordNames needs the publication's hostedZone",
      expect.stringContaining("has no stream that is known here"),
    ]);
  });
});

const ARN = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod";

describe("names of ECS clusters", () => {
  it("are no ARNs, for the stopper alone and for the evacuator alone", () => {
    const stack = newStack();
    const table = tableOf(stack);
    expect(issuesIn(() => new HostStopper(stack, "Stopper", { table, ecsClusters: ["prod", ARN] }))).toEqual([
      `ecsClusters: "${ARN}" should be an ECS cluster's name, not its ARN, known at synthesis`,
    ]);
    const nodesRunOn = [NodePlatform.ec2(), NodePlatform.ecs(ARN), NodePlatform.ec2()];
    expect(issuesIn(() => new HostEvacuator(stack, "Evacuator", { table, nodesRunOn }))).toEqual([
      "nodesRunOn names ec2 twice",
      `nodesRunOn: "${ARN}" should be an ECS cluster's name, not its ARN, known at synthesis`,
    ]);
  });
});
