// Where deliveries end that were given up: a schedule's call that its function could not take, a record of the stream that
// could not be handled. A message is for a person to read; the alarm `dead-letters` tells that there is one.

import { Duration, Validations } from "aws-cdk-lib";
import { type IQueue, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

export class DeadLetters extends Construct {
  readonly queue: IQueue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const queue = new Queue(this, "Queue", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // The longest there is.
      retentionPeriod: Duration.days(14),
    });
    Validations.of(queue).acknowledge({
      id: "AwsSolutions-SQS3",
      reason: "It is the dead-letter queue itself, of schedules and event sources, which the rule does not look at.",
    });
    this.queue = queue;
  }
}
