// A function of this project: its handler bundled with everything it imports, a role with nothing in it but its log group
// unless one is given, and the runtime it was tested on. What each function may do is granted by the construct that makes it.

import { ArnFormat, Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Effect, type IRole, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { FunctionOptions } from "aws-cdk-lib/aws-lambda";
import { Architecture, Runtime } from "aws-cdk-lib/aws-lambda";
import { NodejsFunction } from "aws-cdk-lib/aws-lambda-nodejs";
import { type ILogGroup, LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { DELIVERY_AGE_LIMIT_MS } from "../runtime/timing.ts";
import { functionCode } from "./function-code.ts";
import { type FunctionParts, takesPolicies, warnOfImmutable } from "./function-parts.ts";

export interface BundledFunctionProps {
  /** Folder under `functions/`. */
  readonly name: string;
  readonly description: string;
  readonly timeoutMs: number;
  readonly memoryMegabytes: number;
  readonly environment: { readonly [name: string]: string };
  /** @default - RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /** @default - nothing is given */
  readonly parts?: FunctionParts;
  /**
   * VPC, subnets, key of the environment and the like.
   * @default - outside a VPC
   */
  readonly options?: FunctionOptions;
}

const NETWORK_INTERFACES = [
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:DeleteNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];

export class BundledFunction extends Construct {
  readonly function: NodejsFunction;
  readonly role: IRole;
  readonly logGroup: ILogGroup;
  readonly #ownsRole: boolean;

  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    super(scope, id);
    const { role, logGroup } = props.parts ?? {};
    this.#ownsRole = role === undefined;
    this.logGroup =
      logGroup ??
      new LogGroup(this, "Logs", {
        retention: props.logRetention ?? RetentionDays.THREE_MONTHS,
        removalPolicy: RemovalPolicy.DESTROY,
      });
    // Not the managed policies that the CDK would attach: they allow to write to every log group of the account.
    this.role = role ?? new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [this.logGroup.logGroupArn],
      }),
    );
    if (!takesPolicies(this.role)) warnOfImmutable(this, this.role, props.name);
    if (props.options?.vpc !== undefined) {
      this.role.addToPrincipalPolicy(networkInterfaces());
      // A given role may be that of other functions too, whose code is its owner's.
      if (this.#ownsRole) this.role.addToPrincipalPolicy(noneByCode(Stack.of(this)));
      this.acknowledgeWildcard("*", "Network interfaces of a function in a VPC: these actions take no resource.");
    }
    this.function = new NodejsFunction(this, "Function", {
      description: props.description,
      ...functionCode(props.name),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.millis(props.timeoutMs),
      memorySize: props.memoryMegabytes,
      environment: { ...props.environment },
      role: this.role,
      logGroup: this.logGroup,
      // A repeated event is worthless a minute later: the next one of the schedule is due by then.
      retryAttempts: 0,
      maxEventAge: Duration.millis(DELIVERY_AGE_LIMIT_MS),
      ...props.options,
    });
  }

  /**
   * Tells cdk-nag why `resource` has a wildcard, for those who check their app by it; to everybody else it is a note. What is said of a
   * given role is its owner's to judge.
   */
  acknowledgeWildcard(resource: string, reason: string): void {
    if (!this.#ownsRole) return;
    const id = `AwsSolutions-IAM5[Resource::${spelledByNag(Stack.of(this).resolve(resource))}]`;
    Validations.of(this.role).acknowledge({ id, reason });
  }
}

/** As cdk-nag names a resource in its finding: references in angle brackets. */
function spelledByNag(resource: unknown): string {
  if (typeof resource === "string") return resource;
  const [[name, argument] = []] = Object.entries(resource as Readonly<Record<string, unknown>>);
  if (name === "Fn::Join") return (argument as [string, unknown[]])[1].map(spelledByNag).join("");
  return `<${[argument].flat().join(".")}>`;
}

/** Lambda manages the network interfaces of a function in a VPC in the function's name; these actions take no resource. */
const networkInterfaces = (): PolicyStatement => new PolicyStatement({ actions: NETWORK_INTERFACES, resources: ["*"] });

/**
 * What the function's own code asks is told by this key; what Lambda asks has none. A pattern, because the function waits for its
 * role, which so cannot name it; no other function has this role.
 */
const noneByCode = (stack: Stack): PolicyStatement =>
  new PolicyStatement({
    effect: Effect.DENY,
    actions: NETWORK_INTERFACES,
    resources: ["*"],
    conditions: {
      ArnEquals: {
        "lambda:SourceFunctionArn": stack.formatArn({
          ...{ service: "lambda", resource: "function", resourceName: "*" },
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      },
    },
  });
