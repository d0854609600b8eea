// What nodes run on, as the records that an emulator has of it: EC2 instances, ECS tasks, and the termination hook of an
// Auto Scaling group. Nothing is started or held back by them; what the emulator leaves out of its answers is put in as
// AWS documents it.

import { CreateAutoScalingGroupCommand, PutLifecycleHookCommand } from "@aws-sdk/client-auto-scaling";
import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import {
  CreateClusterCommand,
  type DescribeTasksResponse,
  type ListTasksRequest,
  type ListTasksResponse,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
} from "@aws-sdk/client-ecs";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { localAccountId } from "../../lib/local/local-cloud.ts";
import type { RequestRecorder } from "./aws-requests.ts";

/** In the emulator's account, where the tests' tasks run. */
export const CLUSTER = "prod";
export const CLUSTER_ARN = `arn:aws:ecs:eu-west-1:${localAccountId}:cluster/${CLUSTER}`;

export type Tags = Readonly<Record<string, string>>;

export const nodeTags = (group: string, node: string): Tags => ({ "valkeeper:group": group, "valkeeper:node": node });

/** Its id. */
export async function runInstance({ ec2 }: AwsClients, address: string, tags: Tags): Promise<string> {
  const started = await ec2.send(
    new RunInstancesCommand({
      ...{ ImageId: "ami-00000000", MinCount: 1, MaxCount: 1, PrivateIpAddress: address },
      TagSpecifications: [
        { ResourceType: "instance", Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
      ],
    }),
  );
  return started.Instances?.[0]?.InstanceId ?? "";
}

/** By ARN. */
export interface RunningTask {
  readonly task: string;
  readonly containerInstance: string;
}

/** In the cluster, which is made where it is not there. */
export async function runTask({ ecs }: AwsClients, of: Tags): Promise<RunningTask> {
  const containerDefinitions = [{ name: "valkey", image: "valkey/valkey:8.0" }];
  const definition = { family: "valkey", networkMode: "awsvpc", cpu: "256", memory: "512" } as const;
  await ecs.send(new CreateClusterCommand({ clusterName: CLUSTER }));
  await ecs.send(new RegisterTaskDefinitionCommand({ ...definition, containerDefinitions }));
  const tags = Object.entries(of).map(([key, value]) => ({ key, value }));
  const { tasks = [] } = await ecs.send(new RunTaskCommand({ cluster: CLUSTER, taskDefinition: "valkey", tags }));
  return { task: tasks[0]?.taskArn ?? "", containerInstance: tasks[0]?.containerInstanceArn ?? "" };
}

/** Puts into ECS's answers a task's network interface with its address, and which tasks a container instance runs. */
export function completeTasks(recorder: RequestRecorder, addressOf: ReadonlyMap<RunningTask, string>): void {
  const found = (arn: string | undefined) => [...addressOf].find(([{ task }]) => task === arn);
  recorder.complete("DescribeTasks", (answer: DescribeTasksResponse) => ({
    ...answer,
    tasks: (answer.tasks ?? []).map((each) => {
      const details = [{ name: "privateIPv4Address", value: found(each.taskArn)?.[1] }];
      return { ...each, attachments: [{ type: "ElasticNetworkInterface", details }] };
    }),
  }));
  recorder.complete("ListTasks", (answer: ListTasksResponse, { containerInstance }: ListTasksRequest) => ({
    ...answer,
    taskArns: (answer.taskArns ?? []).filter((arn) => {
      return containerInstance === undefined || found(arn)?.[0].containerInstance === containerInstance;
    }),
  }));
}

export interface TerminationHook {
  /** The Auto Scaling group's name. */
  readonly group: string;
  readonly hook: string;
  readonly heartbeatSeconds?: number;
  /** Of the Auto Scaling group: a hook is completed for one that is tagged for a group. */
  readonly tags?: Tags;
}

export async function makeTerminationHook({ autoScaling }: AwsClients, options: TerminationHook): Promise<void> {
  const { group: AutoScalingGroupName, hook: LifecycleHookName, heartbeatSeconds = 60, tags = {} } = options;
  const sizes = { MinSize: 0, MaxSize: 0, AvailabilityZones: ["eu-west-1a"] };
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value, PropagateAtLaunch: true }));
  await autoScaling.send(new CreateAutoScalingGroupCommand({ AutoScalingGroupName, ...sizes, Tags }));
  await autoScaling.send(
    new PutLifecycleHookCommand({
      ...{ AutoScalingGroupName, LifecycleHookName, HeartbeatTimeout: heartbeatSeconds },
      LifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
    }),
  );
}
