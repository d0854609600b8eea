// A second group of a secured run, which no voter serves: one node in an ECS task, one on a Spot instance. Its ballot is written
// here, so that evacuator and stopper are asked about both. They and the API are real; what the emulator leaves out of its
// answers, a task's address and all of Spot, is put in as AWS documents it.

import type { Reservation } from "@aws-sdk/client-ec2";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import type { OperationKind } from "../../lib/core/ballot.ts";
import type { Json } from "../../lib/core/ballot-write.ts";
import { checkDeclaration } from "../../lib/core/config-check.ts";
import { epoch, groupName, nodeId, voterId } from "../../lib/core/types.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { ballotOf, createBallot, freshAttempt } from "../contract/group-store-builders.ts";
import type { RequestRecorder } from "../support/aws-requests.ts";
import { CLUSTER_ARN, completeTasks, nodeTags, runInstance, runTask } from "../support/cloud-hosts.ts";
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
  containerInstance = "";
  instance = "";
  readonly #options: SecuredTasksOptions;

  constructor(options: SecuredTasksOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    const { clients, store } = this.#options;
    const running = await runTask(clients, nodeTags(OTHER_GROUP, "n1"));
    Object.assign(this, running);
    completeTasks(this.#options.recorder, new Map([[running, ADDRESSES.n1]]));
    this.instance = await runInstance(clients, ADDRESSES.n2, { "valkeeper:group": OTHER_GROUP });
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

  #completeAnswers(): void {
    const { recorder } = this.#options;
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
    const inOurs = { clusterArn: CLUSTER_ARN };
    return [
      taskStateChange(this.task, inOurs),
      containerInstanceDraining(this.containerInstance, inOurs),
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
