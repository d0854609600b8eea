// The machines under the nodes of a secured run, as records of the local cloud's EC2, and the two functions that look after
// them: the evacuator with the events by which AWS gives notice, and the stopper with the record that the stream would bring.

import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { makeEvacuator } from "../../functions/evacuator/evacuator.ts";
import { makeStopper } from "../../functions/stopper/stopper.ts";
import { ballotKey } from "../../lib/adapters/dynamodb/keys.ts";
import type { GroupName } from "../../lib/core/types.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { parseEvacuatorEnvironment, parseStopperEnvironment, VARIABLES } from "../../lib/runtime/environment.ts";
import { CLUSTER, makeTerminationHook, nodeTags, runInstance } from "../support/cloud-hosts.ts";
import { spotWarning, taskStateChange, terminateAction } from "../support/host-events.ts";
import { eventually } from "../support/local-group.ts";
import { OTHER_GROUP, SecuredTasks, type SecuredTasksOptions } from "./secured-tasks.ts";

export interface SecuredHostsOptions extends SecuredTasksOptions {
  readonly group: GroupName;
  /** Of both functions. */
  readonly variables: Readonly<Record<string, string>>;
  readonly keep: (place: string, text: string) => void;
}

const SCALING = { group: "nodes", hook: "valkeeper" };

export class SecuredHosts {
  /** By node. */
  readonly instances = new Map<string, string>();
  /** Of another group. */
  readonly others: SecuredTasks;
  readonly #options: SecuredHostsOptions;

  constructor(options: SecuredHostsOptions) {
    this.#options = options;
    this.others = new SecuredTasks(options);
  }

  /** Ids of what carries a group's tag. */
  get tagged(): ReadonlySet<string> {
    return new Set([...this.instances.values(), this.others.instance, this.others.task, SCALING.group]);
  }

  async prepare(nodes: readonly ValkeyProcess[]): Promise<void> {
    const { clients, group } = this.#options;
    for (const { id, host } of nodes) this.instances.set(id, await runInstance(clients, host, nodeTags(group, id)));
    await makeTerminationHook(clients, { ...SCALING, tags: { "valkeeper:group": group } });
    await this.others.prepare();
  }

  /** The primary's instance is to be interrupted, another one's terminated, and a task that is no node's has stopped. */
  async evacuate(primary: string): Promise<void> {
    const { recorder, variables, keep } = this.#options;
    const other = [...this.instances].find(([node]) => node !== primary)?.[1];
    const evacuator = makeEvacuator(parseEvacuatorEnvironment({ ...variables, [VARIABLES.economy]: "true" }));
    for (const event of [
      terminateAction(other, SCALING),
      taskStateChange(),
      spotWarning(this.instances.get(primary)),
      ...this.others.notices,
    ]) {
      const result = await recorder.as("evacuator", () => evacuator(event));
      keep("the evacuator's results", JSON.stringify(result));
    }
  }

  /** Once the voters wish for it. */
  async stop(): Promise<void> {
    const { store, group } = this.#options;
    const isWished = async () => (await store.readBallot(group))?.operation?.stop?.outcome === null;
    await eventually("a stop is wished for", isWished, 30_000);
    await this.#callStopper(group);
  }

  /** The task, then the Spot instance; what each wish came to. */
  async stopOthers(): Promise<readonly unknown[]> {
    const outcomes: unknown[] = [];
    for (const node of ["n1", "n2"] as const) {
      await this.others.wishFor(node);
      await this.#callStopper(OTHER_GROUP);
      outcomes.push((await this.#options.store.readBallot(OTHER_GROUP))?.operation?.stop?.outcome);
    }
    return outcomes;
  }

  /** With the record that the stream would bring. */
  async #callStopper(group: GroupName): Promise<void> {
    const { clients, recorder, variables, keep } = this.#options;
    const { pk, sk } = ballotKey(group);
    const Keys = { pk: { S: pk }, sk: { S: sk } };
    const read = new GetItemCommand({ TableName: variables[VARIABLES.table], Key: Keys, ConsistentRead: true });
    const { Item: NewImage = {} } = await clients.dynamodb.send(read);
    const stopper = makeStopper(parseStopperEnvironment({ ...variables, [VARIABLES.clusters]: CLUSTER }));
    const Records = [{ eventName: "MODIFY", dynamodb: { Keys, NewImage, SequenceNumber: "1" } }] as const;
    const result = await recorder.as("stopper", () => stopper({ Records: Records as never }));
    keep("the stopper's results", JSON.stringify(result));
  }

  async stateOf(node: string): Promise<string | undefined> {
    const command = new DescribeInstancesCommand({ InstanceIds: [this.instances.get(node) ?? ""] });
    const found = await this.#options.clients.ec2.send(command);
    return found.Reservations?.[0]?.Instances?.[0]?.State?.Name;
  }
}
