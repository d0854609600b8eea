// ECS tasks with an address of their own (network mode awsvpc). `StopTask` gives the containers their stop time-out and
// then kills them; a service starts another task in the place of it, which is another process.

import {
  DescribeTasksCommand,
  type ECSClient,
  ListTasksCommand,
  type ListTasksCommandInput,
  StopTaskCommand,
  type Task,
} from "@aws-sdk/client-ecs";
import { type GroupName, groupName, nodeId } from "../../core/types.ts";
import { GROUP_TAG, type Host, type HostState, NODE_TAG, type StopAnswer } from "../../ports/hosts.ts";
import { call } from "../aws/call.ts";
import { HOST_LIMITS, orThrow } from "./instances.ts";

/** DescribeTasks takes no more at a time. */
const PAGE = 100;

export class Tasks {
  readonly #ecs: ECSClient;
  readonly #clusters: readonly string[];

  /** `clusters`: names or ARNs; a task is found in these only, for ECS lists tasks by cluster. */
  constructor(ecs: ECSClient, clusters: readonly string[]) {
    this.#ecs = ecs;
    this.#clusters = clusters;
  }

  async taggedFor(group: GroupName): Promise<readonly Host[]> {
    const found = await Promise.all(this.#clusters.map((cluster) => this.#tasksOf(cluster)));
    return found.flat().filter((host) => host.group === group);
  }

  async look(arn: string): Promise<Host | null> {
    const [host] = await this.#describe(clusterOf(arn), [arn]);
    return host ?? null;
  }

  /** Those that a container instance runs, by its ARN and its cluster's. */
  async on(cluster: string, containerInstance: string): Promise<readonly Host[]> {
    return this.#list({ cluster, containerInstance, desiredStatus: "RUNNING" });
  }

  async stop({ id }: Host): Promise<StopAnswer> {
    const reason = "Valkeeper: the primary that it runs was voted down";
    const command = new StopTaskCommand({ cluster: clusterOf(id), task: id, reason });
    const answer = await call((abortSignal) => this.#ecs.send(command, { abortSignal }), HOST_LIMITS);
    if (answer.kind === "failed" && answer.failure.kind === "rejected") {
      return { kind: "refused", reason: `StopTask of ${id}: ${answer.failure.detail}` };
    }
    orThrow("StopTask", answer);
    return { kind: "accepted" };
  }

  async #tasksOf(cluster: string): Promise<readonly Host[]> {
    // A task that was told to stop is listed among the stopped ones, also while it still runs.
    const statuses = ["RUNNING", "STOPPED"] as const;
    return (await Promise.all(statuses.map((desiredStatus) => this.#list({ cluster, desiredStatus })))).flat();
  }

  async #list(wanted: ListTasksCommandInput & { readonly cluster: string }): Promise<readonly Host[]> {
    const hosts: Host[] = [];
    let nextToken: string | undefined;
    do {
      const command = new ListTasksCommand({
        ...wanted,
        maxResults: PAGE,
        ...(nextToken === undefined ? {} : { nextToken }),
      });
      const answer = await call((abortSignal) => this.#ecs.send(command, { abortSignal }), HOST_LIMITS);
      const page = orThrow("ListTasks", answer);
      hosts.push(...(await this.#describe(wanted.cluster, page.taskArns ?? [])));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return hosts;
  }

  async #describe(cluster: string, tasks: readonly string[]): Promise<readonly Host[]> {
    if (tasks.length === 0) return [];
    const command = new DescribeTasksCommand({ cluster, tasks: [...tasks], include: ["TAGS"] });
    const answer = await call((abortSignal) => this.#ecs.send(command, { abortSignal }), HOST_LIMITS);
    return (orThrow("DescribeTasks", answer).tasks ?? []).map(taskHost);
  }
}

/** `arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID`; the short form of old accounts names no cluster and means the default one. */
export const clusterOf = (arn: string): string => /:task\/([^/]+)\/[^/]+$/.exec(arn)?.[1] ?? "default";

export function taskHost(task: Task): Host {
  const { taskArn: id = "", tags = [], attachments = [] } = task;
  const tag = (name: string): string | null => tags.find(({ key }) => key === name)?.value ?? null;
  const group = tag(GROUP_TAG);
  const node = tag(NODE_TAG);
  const said = (wanted: string): readonly string[] =>
    attachments
      .flatMap(({ details = [] }) => details.filter(({ name }) => name === wanted))
      .flatMap(({ value }) => value ?? []);
  const state = taskState(task);
  return {
    kind: "task",
    id,
    state,
    zone: task.availabilityZone ?? null,
    group: group === null ? null : groupName(group),
    node: node === null ? null : nodeId(node),
    // The next task of a service may have the address of one that has stopped.
    addresses: state === "stopped" ? [] : [...said("privateIPv4Address"), ...said("privateIPv6Address")],
    names: said("privateDnsName"),
    keeper: task.group?.startsWith("service:") === true ? task.group.slice("service:".length) : null,
    unstoppable: null,
    resumable: null,
  };
}

function taskState({ lastStatus = "" }: Task): HostState {
  switch (lastStatus) {
    case "STOPPED":
    case "DELETED":
    // The containers have ended; what is left is to take its network apart.
    case "DEPROVISIONING":
      return "stopped";
    case "DEACTIVATING":
    case "STOPPING":
      return "stopping";
    case "PROVISIONING":
    case "PENDING":
    case "ACTIVATING":
      return "starting";
    default:
      return "running";
  }
}
