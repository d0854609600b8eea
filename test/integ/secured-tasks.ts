// A second group of a secured run, which no voter serves: one node in an ECS task, one on a Spot instance. Its ballot is written
// here, so that evacuator and stopper are asked about both. They and the API are real; what the emulator leaves out of its
// answers, a task's address and all of Spot, is put in as AWS documents it.

import { type Reservation, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { RegisterTaskDefinitionCommand, RunTaskCommand, type Task } from "@aws-sdk/client-ecs";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import type { OperationKind } from "../../lib/core/ballot.ts";
import type { Json } from "../../lib/core/ballot-write.ts";
import { checkDeclaration } from "../../lib/core/config-check.ts";
import { epoch, groupName, nodeId, voterId } from "../../lib/core/types.ts";
import { localAccountId } from "../../lib/local/local-cloud.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { ballotOf, createBallot, freshAttempt } from "../contract/group-store-builders.ts";
import type { RequestRecorder } from "../support/aws-requests.ts";
import {
  containerInstanceDraining,
  rebalanceRecommendation,
  scheduledChange,
  spotWarning,
  taskStateChange,
} from "../support/host-events.ts";

export const OTHER_GROUP = groupName("sessions");
const ADDRESSES = { n1: "127.3.0.21", n2: "127.3.0.22", n3: "127.3.0.23" } as const;
const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const SPOT_REQUEST = "sir-1234567";

export interface SecuredTasksOptions {
  readonly clients: AwsClients;
  readonly store: OperatorStore;
  readonly recorder: RequestRecorder;
}

export class SecuredTasks {
  task = "";
  instance = "";
  readonly #options: SecuredTasksOptions;

  constructor(options: SecuredTasksOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    const { store } = this.#options;
    await Promise.all([this.#runTask(), this.#runInstance()]);
    this.#completeAnswers();
    const nodes = Object.entries(ADDRESSES).map(([id, host], index) => ({ id, host, port: 6379, zone: ZONES[index] }));
    const declaration = { name: OTHER_GROUP, nodes, stopInstance: "required" };
    const declared = checkDeclaration(declaration, { voters: ZONES.map(voterId), hasStopper: true });
    const spec = { schema: 1, group: OTHER_GROUP, version: 1, owner: "cli", declared, overrides: {} } as const;
    await store.writeSpec({ ...spec, shard: 9 }, 0);
    const made = ballotOf(OTHER_GROUP, { table: await store.tableId() });
    // What goes carries replicas, and nobody is to be handed over.
    const primary = made.primary === null ? null : { ...made.primary, node: nodeId("n3") };
    await createBallot(store, { ...made, primary, members: { version: 1, nodes: {} } });
  }

  async #runTask(): Promise<void> {
    const { ecs } = this.#options.clients;
    const containerDefinitions = [{ name: "valkey", image: "valkey/valkey:8.0" }];
    const definition = { family: "valkey", networkMode: "awsvpc", cpu: "256", memory: "512" } as const;
    await ecs.send(new RegisterTaskDefinitionCommand({ ...definition, containerDefinitions }));
    const tags = [
      { key: "valkeeper:group", value: OTHER_GROUP },
      { key: "valkeeper:node", value: "n1" },
    ];
    const started = await ecs.send(new RunTaskCommand({ cluster: "prod", taskDefinition: "valkey", tags }));
    this.task = started.tasks?.[0]?.taskArn ?? "";
  }

  async #runInstance(): Promise<void> {
    const Tags = [{ Key: "valkeeper:group", Value: OTHER_GROUP }];
    const started = await this.#options.clients.ec2.send(
      new RunInstancesCommand({
        ...{ ImageId: "ami-00000000", MinCount: 1, MaxCount: 1, PrivateIpAddress: ADDRESSES.n2 },
        TagSpecifications: [{ ResourceType: "instance", Tags }],
      }),
    );
    this.instance = started.Instances?.[0]?.InstanceId ?? "";
  }

  #completeAnswers(): void {
    const { recorder } = this.#options;
    const details = [{ name: "privateIPv4Address", value: ADDRESSES.n1 }];
    recorder.complete("DescribeTasks", (answer: { readonly tasks?: readonly Task[] }) => ({
      ...answer,
      tasks: (answer.tasks ?? []).map((each) => ({
        ...each,
        attachments: [{ type: "ElasticNetworkInterface", details }],
      })),
    }));
    const spot = { InstanceLifecycle: "spot", SpotInstanceRequestId: SPOT_REQUEST };
    recorder.complete("DescribeInstances", (answer: { readonly Reservations?: readonly Reservation[] }) => ({
      ...answer,
      Reservations: (answer.Reservations ?? []).map(({ Instances = [], ...rest }) => ({
        ...rest,
        Instances: Instances.map((each) => (each.InstanceId === this.instance ? { ...each, ...spot } : each)),
      })),
    }));
    recorder.complete("DescribeSpotInstanceRequests", () => ({
      SpotInstanceRequests: [{ SpotInstanceRequestId: SPOT_REQUEST, Type: "persistent" }],
    }));
  }

  /** What AWS says of both hosts before they go. */
  get notices(): readonly object[] {
    const inOurs = { clusterArn: `arn:aws:ecs:eu-west-1:${localAccountId}:cluster/prod` };
    return [
      taskStateChange(this.task, inOurs),
      containerInstanceDraining(undefined, inOurs),
      spotWarning(this.instance),
      rebalanceRecommendation(this.instance),
      scheduledChange(this.instance),
    ];
  }

  /** As voters write it who have voted this node down. */
  async wishFor(node: "n1" | "n2"): Promise<void> {
    const { store } = this.#options;
    const standing = await store.readBallot(OTHER_GROUP);
    if (standing === null) throw new Error(`${OTHER_GROUP} has no ballot`);
    const began = epoch(standing.epoch + 1);
    const kind: OperationKind = "failover";
    const operation = { kind, step: "begun", began, by: "automatic", reason: "a test", insists: false };
    const attempt = freshAttempt();
    const value: Json = { ...operation, stop: { node, epoch: began } };
    const written = await store.writeBallot({
      ...{ name: "wish", group: OTHER_GROUP, attempt: { path: ["attempt"], id: attempt } },
      condition: { kind: "equals", path: ["epoch"], value: standing.epoch },
      changes: [
        { path: ["epoch"], value: began },
        { path: ["attempt"], value: attempt },
        { path: ["operation"], value },
      ],
    });
    if (written.kind !== "applied") throw new Error(`the wish was not written: ${JSON.stringify(written)}`);
  }
}
