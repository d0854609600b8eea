// A subscriber of notifications: queues behind a topic and behind a bus of a local cloud, as an installation has them.

import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { localAccountId } from "../../lib/local/local-cloud.ts";
import { eventually } from "./local-group.ts";

type Body = Readonly<Record<string, unknown>>;

const REGION = "eu-west-1";
const TAKEN_AT_ONCE = 10;
const arnOf = (queue: string): string => `arn:aws:sqs:${REGION}:${localAccountId}:${queue}`;

export class Inbox {
  readonly eventbridge: EventBridgeClient;
  readonly #sns: SNSClient;
  readonly #sqs: SQSClient;
  readonly #urls = new Map<string, string>();

  constructor(endpoint: string) {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const options = { endpoint, region: REGION, credentials };
    this.eventbridge = new EventBridgeClient(options);
    this.#sns = new SNSClient(options);
    this.#sqs = new SQSClient(options);
  }

  /** A new topic of that name, with a queue of that name behind it; returns the topic's ARN. */
  async subscribe(name: string): Promise<string> {
    const { TopicArn = "" } = await this.#sns.send(new CreateTopicCommand({ Name: name }));
    await this.#sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: await this.#makeQueue(name) }));
    return TopicArn;
  }

  /** A rule of that name on a bus that is there, with a queue of that name behind it. */
  async follow(name: string, rule: { readonly eventBus: string; readonly pattern: object }): Promise<void> {
    const { eventBus: EventBusName, pattern } = rule;
    const EventPattern = JSON.stringify(pattern);
    await this.eventbridge.send(new PutRuleCommand({ Name: name, EventBusName, EventPattern }));
    const Targets = [{ Id: "queue", Arn: await this.#makeQueue(name) }];
    await this.eventbridge.send(new PutTargetsCommand({ Rule: name, EventBusName, Targets }));
  }

  /** The queue that is there already and whose name has this in it, by which it is received from. */
  async open(part: string): Promise<void> {
    const { QueueUrls = [] } = await this.#sqs.send(new ListQueuesCommand({}));
    const url = QueueUrls.find((each) => each.includes(part));
    if (url === undefined) throw new Error(`no queue is called ${part}: ${QueueUrls.join(", ")}`);
    this.#urls.set(part, url);
  }

  /** What is in that queue as soon as there are so many; it is taken out. */
  received(name: string, count: number, withinMs?: number): Promise<readonly Body[]> {
    return this.#receivedUntil({ name, what: `${count} messages`, withinMs }, ({ length }) => length >= count);
  }

  /** The same, as soon as each of `wanted` is what `of` makes of one of them. */
  receivedAll(
    name: string,
    wanted: readonly string[],
    of: (body: Body) => string,
    withinMs = 20_000,
  ): Promise<readonly Body[]> {
    const areAllIn = (bodies: readonly Body[]): boolean => {
      const there = new Set(bodies.map(of));
      return wanted.every((each) => there.has(each));
    };
    return this.#receivedUntil({ name, what: wanted.join(", "), withinMs }, areAllIn);
  }

  async #receivedUntil(
    { name, what, withinMs }: { readonly name: string; readonly what: string; readonly withinMs: number | undefined },
    isAll: (bodies: readonly Body[]) => boolean,
  ): Promise<readonly Body[]> {
    const bodies: Body[] = [];
    const take = async (): Promise<boolean> => {
      bodies.push(...(await this.#take(this.#urls.get(name) ?? "")));
      return isAll(bodies);
    };
    await eventually(`${what} in ${name}`, take, withinMs);
    return bodies;
  }

  async #take(QueueUrl: string): Promise<readonly Body[]> {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: TAKEN_AT_ONCE });
    const { Messages = [] } = await this.#sqs.send(command);
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    if (Entries.length > 0) await this.#sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Messages.map(({ Body }) => JSON.parse(Body ?? "") as Body);
  }

  async #makeQueue(QueueName: string): Promise<string> {
    const { QueueUrl = "" } = await this.#sqs.send(new CreateQueueCommand({ QueueName }));
    this.#urls.set(QueueName, QueueUrl);
    return arnOf(QueueName);
  }

  close(): void {
    for (const client of [this.eventbridge, this.#sns, this.#sqs]) client.destroy();
  }
}
