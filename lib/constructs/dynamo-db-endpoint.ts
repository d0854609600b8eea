// How the voters' subnets reach DynamoDB: always by the gateway endpoint, and this says whose it is.

/** An enum-like class, as `Egress`. */
export class DynamoDbEndpoint {
  /**
   * It is created, which is free, for the voters' subnets. In a VPC that is used already, creating it cuts the open DynamoDB
   * connections of everything that uses the same route tables.
   */
  static readonly CREATE: DynamoDbEndpoint = new DynamoDbEndpoint("create");
  /** It is there, or the subnets have another way to DynamoDB. */
  static readonly EXISTING: DynamoDbEndpoint = new DynamoDbEndpoint("existing");

  /** The choice called `name` in a context file; undefined when there is none. */
  static named(name: string): DynamoDbEndpoint | undefined {
    return [DynamoDbEndpoint.CREATE, DynamoDbEndpoint.EXISTING].find((each) => each.name === name);
  }

  /** `create` or `existing`. */
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }
}
