// What it takes to write the copies of a publication, and nothing beside: the same for the publisher and for a voter that
// publishes what it has won.

import { ArnFormat, type Stack } from "aws-cdk-lib";
import { type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { DEFAULTS } from "../core/config.ts";
import type { CopyTarget } from "../runtime/environment.ts";
import type { PublicationProps } from "./group-props.ts";

export interface CopyGrant {
  readonly grantee: IGrantable;
  readonly publication: PublicationProps;
  readonly targets: readonly CopyTarget[];
  readonly stack: Stack;
}

export function grantCopies({ grantee, publication, targets, stack }: CopyGrant): void {
  const allow = (statement: PolicyStatement): void => {
    grantee.grantPrincipal.addToPrincipalPolicy(statement);
  };
  if (targets.includes("ssm") && publication.parameters !== false) allow(parameters(publication, stack));
  if (targets.includes("dns") && publication.hostedZone !== undefined) {
    for (const statement of records(publication.hostedZone.hostedZoneArn)) allow(statement);
  }
}

const parameters = (publication: PublicationProps, stack: Stack): PolicyStatement =>
  new PolicyStatement({
    actions: ["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"],
    resources: [
      stack.formatArn({
        service: "ssm",
        resource: "parameter",
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
        resourceName: `${(publication.parameterPrefix ?? DEFAULTS.publication.parameterPrefix).replace(/^\//, "")}/*`,
      }),
    ],
  });

/** Only by the exact pair of DELETE and CREATE, which is a compare-and-set; an UPSERT would win over a newer epoch. */
const records = (hostedZoneArn: string): PolicyStatement[] => [
  new PolicyStatement({ actions: ["route53:ListResourceRecordSets"], resources: [hostedZoneArn] }),
  new PolicyStatement({
    actions: ["route53:ChangeResourceRecordSets"],
    resources: [hostedZoneArn],
    conditions: {
      "ForAllValues:StringEquals": {
        "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
        "route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME", "TXT"],
      },
    },
  }),
];
