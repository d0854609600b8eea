// How many shards of voters does a deployment have, and which function is which? Each shard has a voter in each zone.

import { Token } from "aws-cdk-lib";
import { voterFunctionName } from "../runtime/metric-names.ts";
import type { ValkeyFailoverProps } from "./failover-props.ts";

export const GROUPS_PER_VOTER = 50;
/** What a voter writes about all of its groups is one item, and an item has 400 KB. */
const MOST_GROUPS_PER_VOTER = 200;
/** A stack has 500 resources, and a shard needs 27 of them in three zones, six more where alarms are: declared groups leave less. */
const MOST_SHARDS = 10;
/** Of the memory that AWS gives a function at most. */
const MOST_MEGABYTES = 10_240;
const LEAST_MEGABYTES = 128;
const MEGABYTES = 256;

type Range = readonly [least: number, most: number];

export const VOTER_BOUNDS = {
  groupsPerVoter: [1, MOST_GROUPS_PER_VOTER],
  shards: [1, MOST_SHARDS],
  memoryMegabytes: [LEAST_MEGABYTES, MOST_MEGABYTES],
} as const satisfies Record<string, Range>;

export interface VoterFunction {
  readonly zone: string;
  readonly shard: number;
  /** Of alarms, figures and log lines. */
  readonly name: string;
  /** Part of a logical id. */
  readonly id: string;
}

/** By position: a zone may be known at deployment only. Of the first shard it is as if there were no others: nothing is replaced. */
export const idOf = (index: number, shard: number): string =>
  shard === 0 ? `${index + 1}` : `${index + 1}Shard${shard}`;

/** Shard by shard, each in the order of the zones. */
export const voterFunctionsOf = (zones: readonly string[], shards: number): VoterFunction[] =>
  Array.from({ length: shards }, (_, shard) =>
    zones.map((zone, index) => ({
      zone,
      shard,
      name: voterFunctionName(zone, shard),
      id: idOf(index, shard),
    })),
  ).flat();

type Sizes = Pick<ValkeyFailoverProps, "shards" | "groupsPerVoter" | "voterMemoryMegabytes" | "groups">;

export interface Sizing {
  readonly shards: number;
  readonly groupsPerVoter: number;
  readonly memoryMegabytes: number;
}

/** As many shards as the declared groups need, unless it is said. Memory follows, and processor time comes with it. */
export function sizingOf({
  shards,
  groupsPerVoter = GROUPS_PER_VOTER,
  voterMemoryMegabytes,
  groups = [],
}: Sizes): Sizing {
  return {
    shards: shards ?? Math.max(1, Math.ceil(groups.length / groupsPerVoter)),
    groupsPerVoter,
    memoryMegabytes: voterMemoryMegabytes ?? Math.min(MOST_MEGABYTES, memoryFor(groupsPerVoter)),
  };
}

const memoryFor = (groupsPerVoter: number): number =>
  MEGABYTES * Math.max(1, Math.ceil(groupsPerVoter / GROUPS_PER_VOTER));

export function sizeIssues(props: Sizes): string[] {
  const issues = [
    ...outOfRange("groupsPerVoter", props.groupsPerVoter, VOTER_BOUNDS.groupsPerVoter),
    ...outOfRange("shards", props.shards, VOTER_BOUNDS.shards),
    ...outOfRange("voterMemoryMegabytes", props.voterMemoryMegabytes, VOTER_BOUNDS.memoryMegabytes),
  ];
  if (issues.length > 0) return issues;
  const { shards, groupsPerVoter } = sizingOf(props);
  const groups = props.groups?.length ?? 0;
  if (shards > MOST_SHARDS) {
    return [
      `${groups} groups need ${shards} shards of ${groupsPerVoter}, and one deployment has room for ${MOST_SHARDS}: ` +
        "raise groupsPerVoter, or make another deployment",
    ];
  }
  if (groups <= shards * groupsPerVoter) return [];
  return [
    `${groups} groups are declared, and ${shards} shards have room for ${shards * groupsPerVoter}: ` +
      "raise shards or groupsPerVoter, or leave shards out",
  ];
}

export const outOfRange = (name: string, value: number | undefined, [least, most]: Range): string[] =>
  value === undefined || Token.isUnresolved(value) || (Number.isInteger(value) && value >= least && value <= most)
    ? []
    : [`${name} is ${value} and should be a whole number from ${least} to ${most}`];
