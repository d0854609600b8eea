// What it takes to write the copies of a publication, and nothing beside: the same for the publisher and for a voter that
// publishes what it has won. And what it takes to read them.

import { ArnFormat, type Stack, Token } from "aws-cdk-lib";
import { Grant, type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IHostedZone } from "aws-cdk-lib/aws-route53";
import { DEFAULTS } from "../core/config.ts";
import { TWIN } from "../core/config-check.ts";
import type { CopyTarget } from "../runtime/environment.ts";
import type { BundledFunction } from "./bundled-function.ts";
import type { PublicationProps } from "./group-props.ts";

export interface CopyGrant {
  readonly grantee: BundledFunction;
  readonly publication: PublicationProps;
  readonly targets: readonly CopyTarget[];
  readonly stack: Stack;
}

export function grantCopies({ grantee, publication, targets, stack }: CopyGrant): void {
  const allow = (statement: PolicyStatement): void => {
    grantee.role.addToPrincipalPolicy(statement);
  };
  if (targets.includes("ssm") && publication.parameters !== false) {
    allow(parameters(publication, stack));
    grantee.acknowledgeWildcard(
      parametersArn(publication, stack),
      "Groups are registered at run time too: their parameters' names are not known at deployment, only the prefix.",
    );
  }
  if (targets.includes("dns") && publication.hostedZone !== undefined) {
    for (const statement of records(publication, publication.hostedZone)) allow(statement);
  }
}

export interface ReadGrant {
  readonly grantee: IGrantable;
  readonly publication: PublicationProps;
  readonly stack: Stack;
  /** Undefined: the parameters of every group. */
  readonly group: string | undefined;
}

export function grantReadParameters({ grantee, publication, stack, group }: ReadGrant): Grant {
  if (publication.parameters === false) return Grant.drop(grantee, "no parameters are written");
  return Grant.addToPrincipal({
    grantee,
    actions: ["ssm:GetParameter", "ssm:GetParameters"],
    resourceArns: [parametersArn(publication, stack, group)],
  });
}

const parameters = (publication: PublicationProps, stack: Stack): PolicyStatement =>
  new PolicyStatement({
    actions: ["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"],
    resources: [parametersArn(publication, stack)],
  });

function parametersArn({ parameterPrefix }: PublicationProps, stack: Stack, group?: string): string {
  const prefix = (parameterPrefix ?? DEFAULTS.publication.parameterPrefix).replace(/^\//, "");
  return stack.formatArn({
    service: "ssm",
    resource: "parameter",
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    resourceName: group === undefined ? `${prefix}/*` : `${prefix}/${group}/*`,
  });
}

/** Only by the exact pair of DELETE and CREATE, which is a compare-and-set; an UPSERT would win over a newer epoch. */
function records(publication: PublicationProps, { hostedZoneArn }: IHostedZone): PolicyStatement[] {
  const names = recordPatterns(publication);
  return [
    new PolicyStatement({ actions: ["route53:ListResourceRecordSets"], resources: [hostedZoneArn] }),
    new PolicyStatement({
      actions: ["route53:ChangeResourceRecordSets"],
      resources: [hostedZoneArn],
      conditions: {
        "ForAllValues:StringEquals": {
          "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
          "route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME", "TXT"],
        },
        // What begins with anything has the twins in it.
        "ForAllValues:StringLike": {
          "route53:ChangeResourceRecordSetsNormalizedRecordNames": names.flatMap((name) =>
            name.startsWith("*") ? [name] : [name, `${TWIN}${name}`],
          ),
        },
      },
    }),
  ];
}

/** Names that may be written, as IAM is told them: in lower case and without a dot at the end. */
export const recordPatterns = ({ hostedZone, recordNames }: PublicationProps): readonly string[] =>
  (recordNames ?? (hostedZone === undefined ? [] : [`*.${hostedZone.zoneName}`])).map(normalized);

export function isRecordAllowed(name: string, publication: PublicationProps): boolean {
  return recordPatterns(publication).some((pattern) => {
    const parts = pattern.split("*").map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(normalized(name));
  });
}

/** The text of what is known at deployment only must stay as it is. */
const normalized = (name: string): string => (Token.isUnresolved(name) ? name : name.toLowerCase()).replace(/\.$/, "");
