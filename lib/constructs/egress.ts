// How do the voters' subnets reach the AWS API? DynamoDB is always reached through its gateway endpoint. Everything else
// (Systems Manager, Route 53, Secrets Manager) costs money or needs IPv6, so the answer is the installer's, and it decides
// who publishes: the voter that wins, or the publisher outside the VPC.

import type { CopyTarget } from "../runtime/environment.ts";

/** An enum-like class, as the CDK's own, so that a choice can carry more than its name. */
export class Egress {
  /**
   * Only DynamoDB is reached, at no fixed cost. The publisher publishes, about 300 ms later than a voter would. Credentials of the
   * nodes are placed into the functions' environment at deployment, under a key of yours.
   */
  static readonly NONE: Egress = new Egress("none", []);
  /** IPv6 through an egress-only internet gateway, which is free. The subnets must be dual-stack and have that route. */
  static readonly DUAL_STACK: Egress = new Egress("dualStack", ["ssm", "dns"]);
  /** The subnets have a route to a NAT gateway. */
  static readonly NAT: Egress = new Egress("nat", ["ssm", "dns"]);
  /**
   * Interface endpoints for Systems Manager and Secrets Manager are created in the voters' subnets. Route 53 has none, so
   * the publisher writes the DNS record. AWS refuses them in a VPC that has some with private DNS names: `EXISTING_ENDPOINTS`.
   */
  static readonly ENDPOINTS: Egress = new Egress("endpoints", ["ssm"]);
  /**
   * Interface endpoints for Systems Manager and Secrets Manager, with private DNS names, are there in the VPC, and their security
   * groups let the voters in by HTTPS.
   */
  static readonly EXISTING_ENDPOINTS: Egress = new Egress("existingEndpoints", ["ssm"]);

  static readonly #ALL: readonly Egress[] = [
    ...[Egress.NONE, Egress.DUAL_STACK, Egress.NAT],
    ...[Egress.ENDPOINTS, Egress.EXISTING_ENDPOINTS],
  ];

  /** The choice called `name` in a context file; undefined when there is none. */
  static named(name: string): Egress | undefined {
    return Egress.#ALL.find((egress) => egress.name === name);
  }

  /** `none`, `dualStack`, `nat`, `endpoints` or `existingEndpoints`. */
  readonly name: string;
  /** @internal */
  readonly _publishes: readonly CopyTarget[];

  private constructor(name: string, publishes: readonly CopyTarget[]) {
    this.name = name;
    this._publishes = publishes;
  }

  /** Whether a voter can read a secret itself. */
  get reachesSecrets(): boolean {
    return this !== Egress.NONE;
  }
}
