import { ChangeResourceRecordSetsCommand } from "@aws-sdk/client-route-53";
import type { Stack } from "aws-cdk-lib";
import { CfnParameter } from "aws-cdk-lib";
import { Match } from "aws-cdk-lib/assertions";
import { Key } from "aws-cdk-lib/aws-kms";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { type ISecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import { describe, expect, it } from "vitest";
import { DynamoDbEndpoint } from "../../lib/constructs/dynamo-db-endpoint.ts";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { requestsOf } from "../support/aws-requests.ts";
import { allows } from "../support/iam-policy.ts";
import { actionsOf, group, issuesOf, newStack, statementsOf, synthesize, zones } from "./failover-stack.ts";

const published = (stack: Stack): Partial<ValkeyFailoverProps> => ({
  credentials: { secret: Secret.fromSecretNameV2(stack, "Secret", "valkey/coordinator") },
  publication: {
    hostedZone: HostedZone.fromHostedZoneAttributes(stack, "Zone", {
      hostedZoneId: "Z0123456789ABCDEFGHIJ",
      zoneName: "valkey.internal",
    }),
  },
});

const publishedAt = (stack: Stack, recordNames: string[]): Partial<ValkeyFailoverProps> => {
  const { publication, ...props } = published(stack);
  return { ...props, egress: Egress.NAT, publication: { ...publication, recordNames } };
};

const voterVariables = (template: ReturnType<typeof synthesize>["template"]): Record<string, unknown> =>
  Object.values(template.findResources("AWS::Lambda::Function")).find((resource) =>
    String(resource["Properties"].Description).startsWith("Valkeeper voter"),
  )?.["Properties"].Environment.Variables;

describe.each([
  ["nat", Egress.NAT, "ssm,dns"],
  ["dualStack", Egress.DUAL_STACK, "ssm,dns"],
  ["endpoints", Egress.ENDPOINTS, "ssm"],
  ["existingEndpoints", Egress.EXISTING_ENDPOINTS, "ssm"],
] as const)("egress %s", (name, egress, publishes) => {
  const { template } = synthesize((stack) => ({ ...published(stack), egress }));

  it("lets voters read the secret and publish what they reach", () => {
    expect(voterVariables(template)["VALKEEPER_PUBLISHES"]).toBe(publishes);
    const actions = actionsOf(statementsOf(template, "Voter1RoleDefaultPolicy"));
    expect(actions).toContain("secretsmanager:GetSecretValue");
    expect(actions).toContain("ssm:PutParameter");
    expect(actions.includes("route53:ChangeResourceRecordSets")).toBe(publishes.includes("dns"));
  });

  it("places no secret", () => {
    expect(JSON.stringify(template.toJSON())).not.toContain("{{resolve:");
  });

  it("asks for dual-stack names only where the network has both", () => {
    expect(voterVariables(template)["VALKEEPER_DUAL_STACK"]).toBe(String(name === "dualStack"));
    template.resourcePropertiesCountIs(
      "AWS::Lambda::Function",
      { VpcConfig: { Ipv6AllowedForDualStack: true } },
      name === "dualStack" ? 3 : 0,
    );
  });

  it("creates interface endpoints only when that is the choice", () => {
    template.resourceCountIs("AWS::EC2::VPCEndpoint", name === "endpoints" ? 2 : 0);
  });
});

describe("endpoints that are there", () => {
  it("are named in a context file as all choices are", () => {
    for (const egress of [Egress.NONE, Egress.DUAL_STACK, Egress.NAT, Egress.ENDPOINTS, Egress.EXISTING_ENDPOINTS]) {
      expect(Egress.named(egress.name)).toBe(egress);
    }
    expect(Egress.named("internet")).toBeUndefined();
  });

  it("are in no VPC that is made here", () => {
    const stack = newStack();
    const make = () => new ValkeyFailover(stack, "Failover", { egress: Egress.EXISTING_ENDPOINTS });
    expect(make).toThrow("egress EXISTING_ENDPOINTS, and a new VPC has none");
  });
});

describe("egress none", () => {
  it("leaves all copies to the publisher", () => {
    const { template } = synthesize((stack) => {
      const { publication } = published(stack);
      return publication === undefined ? {} : { publication };
    });
    expect(voterVariables(template)["VALKEEPER_PUBLISHES"]).toBe("");
    const voter = actionsOf(statementsOf(template, "Voter1RoleDefaultPolicy"));
    expect(voter.filter((action) => /^(ssm|route53|secretsmanager):/.test(action))).toEqual([]);
    expect(actionsOf(statementsOf(template, "PublisherRoleDefaultPolicy"))).toEqual(
      expect.arrayContaining(["ssm:PutParameter", "route53:ChangeResourceRecordSets"]),
    );
  });

  it("places the one secret by reference, under a key of one's own", () => {
    const { template } = synthesize((stack) => ({
      ...published(stack),
      environmentKey: Key.fromKeyArn(stack, "Key", `arn:aws:kms:eu-west-1:123456789012:key/${"0".repeat(8)}`),
    }));
    expect(JSON.stringify(voterVariables(template)["VALKEEPER_SECRET_VALUE"])).toContain("{{resolve:secretsmanager:");
    template.resourcePropertiesCountIs("AWS::Lambda::Function", { KmsKeyArn: Match.anyValue() }, 3);
  });

  it("refuses what it cannot keep secret or cannot place", () => {
    const issues = issuesOf(() => ({
      credentials: { parameterName: "/valkey/password" },
      groups: [{ ...group, credentials: { parameterName: "/valkey/other" } }],
    }));
    expect(issues).toEqual([
      expect.stringMatching(/^with egress "none" credentials come from .* a SecureString cannot be placed/),
      expect.stringMatching(/^group mymaster: .* a SecureString cannot be placed/),
      expect.stringMatching(/^group mymaster: .* all groups share the construct's `credentials`/),
      expect.stringContaining("give `environmentKey`"),
    ]);
  });
});

describe("the DNS record", () => {
  it("is changed by exact pairs only, in the one zone", () => {
    const { template } = synthesize((stack) => ({ ...published(stack), egress: Egress.NAT }));
    const change = statementsOf(template, "PublisherRoleDefaultPolicy").find(
      (statement) => statement.Action === "route53:ChangeResourceRecordSets",
    );
    expect(JSON.stringify(change?.Resource)).toContain(":route53:::hostedzone/Z0123456789ABCDEFGHIJ");
    expect(change?.Condition?.["ForAllValues:StringEquals"]).toEqual({
      "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
      "route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME", "TXT"],
    });
  });

  it("is named after the group unless it has a name of its own", () => {
    const { template } = synthesize((stack) => ({
      ...published(stack),
      egress: Egress.NAT,
      groups: [group, { ...group, name: "other", recordName: "cache.valkey.internal" }],
    }));
    const names = Object.values(template.findResources("Custom::ValkeyGroup")).map(
      (resource) =>
        /"name":"([^"]*valkey\.internal)"/.exec(
          JSON.stringify(resource["Properties"].Declaration).replaceAll("\\", ""),
        )?.[1],
    );
    expect(names).toEqual(["mymaster.valkey.internal", "cache.valkey.internal"]);
  });

  it("of the readers is a group's own, and needs a zone", () => {
    const { template } = synthesize((stack) => ({
      ...published(stack),
      egress: Egress.NAT,
      groups: [{ ...group, readersRecordName: "readers.valkey.internal" }],
    }));
    const [resource] = Object.values(template.findResources("Custom::ValkeyGroup"));
    expect(JSON.stringify(resource?.["Properties"].Declaration).replaceAll("\\", "")).toContain(
      '"readersName":"readers.valkey.internal"',
    );
    const twice = issuesOf((stack) => ({
      ...published(stack),
      egress: Egress.NAT,
      groups: [group, { ...group, name: "other", readersRecordName: "mymaster.valkey.internal" }],
    }));
    expect(twice).toEqual(["the DNS record mymaster.valkey.internal is asked for by two groups"]);
    const without = issuesOf((stack) => {
      const { publication: _publication, ...unpublished } = published(stack);
      return {
        ...unpublished,
        egress: Egress.NAT,
        groups: [{ ...group, readersRecordName: "readers.valkey.internal" }],
      };
    });
    expect(without).toEqual([`group ${group.name}: readersRecordName needs the publication's hostedZone`]);
  });

  it("is granted by its name, and its twin's, where the names are said", () => {
    const { template } = synthesize((stack) =>
      publishedAt(stack, ["*.Cache.valkey.internal.", "mymaster.valkey.internal"]),
    );
    const may = (...names: readonly string[]): boolean => {
      const change = (Name: string) => ({
        Action: "CREATE" as const,
        ResourceRecordSet: { Name, Type: "TXT" as const },
      });
      const input = { HostedZoneId: "Z0123456789ABCDEFGHIJ", ChangeBatch: { Changes: names.map(change) } };
      const requests = requestsOf(new ChangeResourceRecordSetsCommand(input), "none");
      return requests.every((request) => allows(statementsOf(template, "PublisherRole"), request));
    };
    const twin = "_valkeeper.mymaster.valkey.internal";
    expect([may("mymaster.valkey.internal", twin), may("other.cache.valkey.internal")]).toEqual([true, true]);
    expect([may("www.valkey.internal"), may("cache.valkey.internal"), may("xmymaster.valkey.internal")]).toEqual([
      ...[false, false, false],
    ]);
    expect(may("mymaster.valkey.internal", "www.valkey.internal")).toBe(false);
  });

  it("is refused at synthesis where it could not be written", () => {
    expect(issuesOf((stack) => publishedAt(stack, ["*.cache.valkey.internal"]))).toEqual([
      "group mymaster: the DNS record mymaster.valkey.internal may not be written, what may is *.cache.valkey.internal (publication.recordNames)",
    ]);
    const readers = { ...group, readersRecordName: "valkey.internal" };
    expect(issuesOf((stack) => ({ ...published(stack), egress: Egress.NAT, groups: [readers] }))).toEqual([
      "group mymaster: the DNS record valkey.internal may not be written, what may is *.valkey.internal (publication.recordNames)",
    ]);
    expect(issuesOf(() => ({ publication: { recordNames: ["a.b"] } }))).toEqual([
      "publication.recordNames needs the publication's hostedZone",
    ]);
  });

  it("is nobody's twice", () => {
    const issues = issuesOf((stack) => ({
      ...published(stack),
      egress: Egress.NAT,
      groups: [group, { ...group, name: "other", recordName: "mymaster.valkey.internal" }],
    }));
    expect(issues).toEqual(["the DNS record mymaster.valkey.internal is asked for by two groups"]);
  });
});

describe("DynamoDB's gateway endpoint", () => {
  it("is created only when asked for, in the voters' route tables", () => {
    synthesize().template.resourceCountIs("AWS::EC2::VPCEndpoint", 0);
    synthesize(() => ({ dynamoDbEndpoint: DynamoDbEndpoint.CREATE })).template.hasResourceProperties(
      "AWS::EC2::VPCEndpoint",
      {
        VpcEndpointType: "Gateway",
        RouteTableIds: ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1", "rtb-0123456789abcdef2"],
      },
    );
  });
});

describe("tokens", () => {
  it("are accepted where only the deployment knows the value, and resolved in the record", () => {
    const { template } = synthesize((stack) => ({
      groups: [
        {
          ...group,
          nodes: zones.map((zone, index) => ({
            id: `n${index + 1}`,
            host: new CfnParameter(stack, `Host${index + 1}`).valueAsString,
            zone,
          })),
        },
      ],
      credentials: { secret: new Secret(stack, "Secret") as ISecret },
      egress: Egress.NAT,
    }));
    const [resource] = Object.values(template.findResources("Custom::ValkeyGroup"));
    expect(JSON.stringify(resource?.["Properties"].Declaration)).toContain('{"Ref":"Host1"}');
    expect(JSON.stringify(resource?.["Properties"].Declaration)).toContain('{"Ref":"Secret');
  });
});
