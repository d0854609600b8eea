// EC2 instances. `StopInstances` is only a wish: the instance has stopped when it is described as stopped. Everything that
// is known to make a stop impossible or pointless is asked before, so that a refusal says why.

import {
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  DescribeSpotInstanceRequestsCommand,
  type EC2Client,
  type Instance,
  StopInstancesCommand,
} from "@aws-sdk/client-ec2";
import { PortError } from "../../core/errors.ts";
import { type GroupName, groupName, nodeId } from "../../core/types.ts";
import { GROUP_TAG, type Host, type HostState, NODE_TAG, type StopAnswer } from "../../ports/hosts.ts";
import { type Called, type CallLimits, call, isNamed } from "../aws/call.ts";

export const HOST_LIMITS: CallLimits = { attemptTimeoutMs: 4_000, totalMs: 12_000, attempts: 5 };
const PAGE = 100;

export class Instances {
  readonly #ec2: EC2Client;

  constructor(ec2: EC2Client) {
    this.#ec2 = ec2;
  }

  async taggedFor(group: GroupName): Promise<readonly Host[]> {
    return (await this.#describe({ Filters: [{ Name: `tag:${GROUP_TAG}`, Values: [group] }] })).map(hostOf);
  }

  async look(id: string): Promise<Host | null> {
    const [instance] = await this.#describe({ InstanceIds: [id] });
    return instance === undefined ? null : hostOf(instance);
  }

  async stop(host: Host): Promise<StopAnswer> {
    const why = host.unstoppable ?? host.resumable ?? (await this.#whyNot(host.id));
    if (why !== null) return { kind: "refused", reason: why };
    // Without the system's own shutdown, which a hung host would sit out: what it had not written is a deposed primary's.
    const command = new StopInstancesCommand({ InstanceIds: [host.id], SkipOsShutdown: true });
    const answer = await call((abortSignal) => this.#ec2.send(command, { abortSignal }), HOST_LIMITS);
    if (answer.kind === "failed" && answer.failure.kind === "rejected") {
      return { kind: "refused", reason: `StopInstances of ${host.id}: ${answer.failure.detail}` };
    }
    orThrow("StopInstances", answer);
    return { kind: "accepted" };
  }

  /** What no description of the instance says. */
  async #whyNot(id: string): Promise<string | null> {
    const attribute = new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "disableApiStop" });
    const answer = await call((abortSignal) => this.#ec2.send(attribute, { abortSignal }), HOST_LIMITS);
    const { DisableApiStop } = orThrow("DescribeInstanceAttribute", answer);
    if (DisableApiStop?.Value === true) return `${id} has stop protection`;
    const [instance] = await this.#describe({ InstanceIds: [id] });
    if (instance?.InstanceLifecycle !== "spot") return null;
    const request = instance.SpotInstanceRequestId;
    if (request === undefined) return `${id} is a Spot instance without a request that would let it be stopped`;
    const spot = new DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [request] });
    const found = await call((abortSignal) => this.#ec2.send(spot, { abortSignal }), HOST_LIMITS);
    const { SpotInstanceRequests: [requested] = [] } = orThrow("DescribeSpotInstanceRequests", found);
    return whySpotStays(id, requested?.Type);
  }

  async #describe(input: DescribeInstancesCommandInput): Promise<readonly Instance[]> {
    const instances: Instance[] = [];
    let next: string | undefined;
    do {
      const paging = input.InstanceIds === undefined ? { MaxResults: PAGE } : {};
      const command = new DescribeInstancesCommand({
        ...input,
        ...paging,
        ...(next === undefined ? {} : { NextToken: next }),
      });
      const answer = await call((abortSignal) => this.#ec2.send(command, { abortSignal }), HOST_LIMITS);
      if (answer.kind === "failed" && isUnknownInstance(answer.failure.error)) return [];
      const page = orThrow("DescribeInstances", answer);
      for (const { Instances: each = [] } of page.Reservations ?? []) instances.push(...each);
      next = page.NextToken;
    } while (next !== undefined && next !== "");
    return instances;
  }
}

/** Only what a persistent request asked for can be stopped. */
export const whySpotStays = (id: string, type: string | undefined): string | null =>
  type === "persistent" ? null : `${id} is a Spot instance of a ${type ?? "lost"} request, which cannot be stopped`;

/** Terminated, and so long ago that it is not described any more, or never there. */
const isUnknownInstance = (error: unknown): boolean =>
  isNamed(error, "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed");

export function hostOf(instance: Instance): Host {
  const { InstanceId: id = "", Tags: tags = [], NetworkInterfaces: interfaces = [] } = instance;
  const tag = (key: string): string | null => tags.find(({ Key }) => Key === key)?.Value ?? null;
  const group = tag(GROUP_TAG);
  const node = tag(NODE_TAG);
  const keeper = tag("aws:autoscaling:groupName");
  const own = [instance.PrivateIpAddress, instance.Ipv6Address];
  const attached = interfaces.flatMap(({ PrivateIpAddress, PrivateIpAddresses = [], Ipv6Addresses = [] }) => [
    PrivateIpAddress,
    ...PrivateIpAddresses.map((each) => each.PrivateIpAddress),
    ...Ipv6Addresses.map((each) => each.Ipv6Address),
  ]);
  return {
    kind: "instance",
    id,
    state: stateOf(instance),
    zone: instance.Placement?.AvailabilityZone ?? null,
    group: group === null ? null : groupName(group),
    node: node === null ? null : nodeId(node),
    addresses: [...new Set([...own, ...attached].filter(isSaid))],
    names: [...new Set([instance.PrivateDnsName, ...interfaces.map((each) => each.PrivateDnsName)].filter(isSaid))],
    keeper,
    unstoppable: whyUnstoppable(instance, keeper),
    resumable: whyResumable(instance),
  };
}

const isSaid = (text: string | undefined): text is string => text !== undefined && text !== "";

function whyUnstoppable({ InstanceId: id, RootDeviceType }: Instance, keeper: string | null): string | null {
  if (keeper !== null) return `${id} is in the Auto Scaling group ${keeper}, which would replace it`;
  if (RootDeviceType === "instance-store") return `${id} has an instance store as its root, and can only be terminated`;
  return null;
}

/** Whether it was stopped or hibernated is somebody else's choice too. What was terminated is gone with its memory. */
function whyResumable({ InstanceId: id, HibernationOptions, State }: Instance): string | null {
  if (HibernationOptions?.Configured !== true) return null;
  if (State?.Name === "terminated" || State?.Name === "shutting-down") return null;
  return `${id} may hibernate: a stopped one resumes the same process`;
}

function stateOf({ State }: Instance): HostState {
  switch (State?.Name) {
    case "stopped":
    case "terminated":
      return "stopped";
    case "stopping":
    case "shutting-down":
      return "stopping";
    case "pending":
      return "starting";
    default:
      // A state that is not known here proves nothing: it may run.
      return "running";
  }
}

export function orThrow<T>(operation: string, answer: Called<T>): T {
  if (answer.kind === "answered") return answer.value;
  const { kind, detail, error } = answer.failure;
  throw new PortError("hosts", operation, detail, error, kind === "rejected");
}
