// What has to hold for voters, whoever makes them: a whole deployment, or an app that puts the parts together itself.

import { Token } from "aws-cdk-lib";
import { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import type { Egress } from "./egress.ts";
import { scheduleRoleIssues } from "./function-parts.ts";
import type { NodeCredentials } from "./group-props.ts";
import { outOfRange, VOTER_BOUNDS } from "./voter-shards.ts";
import { isLookedUpLater, tooFewZones, type VoterZone } from "./voter-zones.ts";
import type { VotersProps } from "./voters.ts";

/** Of `Voters` that are made alone. */
export function votersIssues(props: VotersProps): string[] {
  const { zones, credentials, egress, shards = 1, functions } = props;
  const voters = zones.length * shards;
  return [
    ...zoneIssues(props),
    ...credentials.flatMap((each) => credentialsIssues(each, egress)),
    ...placedSecretIssues(props),
    ...concurrencyIssues(props.reservedConcurrency),
    ...outOfRange("groupsPerVoter", props.groupsPerVoter, VOTER_BOUNDS.groupsPerVoter),
    ...outOfRange("shards", props.shards, VOTER_BOUNDS.shards),
    ...outOfRange("memoryMegabytes", props.memoryMegabytes, VOTER_BOUNDS.memoryMegabytes),
    ...(functions === undefined || functions.length === voters
      ? []
      : [`functions has ${functions.length} entries for ${voters} voters`]),
    ...scheduleRoleIssues("functions", functions ?? []),
    ...(props.dynamoDbEndpoint === DynamoDbEndpoint.CREATE ? routeIssues(zones) : []),
  ];
}

function zoneIssues({ vpc, zones }: VotersProps): string[] {
  // Of a VPC that is not looked up yet there are two zones, and nobody knows how many there will be.
  if (isLookedUpLater(vpc)) return [];
  const names = zones.map(({ zone }) => zone);
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  return [...twice.map((name) => `zones has ${name} twice: one zone is one vote`), ...tooFewZones(names)];
}

/** Of one pair of user and password, a group's own or everybody's. */
export function credentialsIssues({ secret, parameterName }: NodeCredentials, egress: Egress): string[] {
  const issues: string[] = [];
  if ((secret === undefined) === (parameterName === undefined)) {
    issues.push("credentials need exactly one of `secret` and `parameterName`");
  }
  if (!egress.reachesSecrets && parameterName !== undefined) {
    issues.push(
      'with egress "none" credentials come from a Secrets Manager secret: a SecureString cannot be placed into a function at deployment',
    );
  }
  return issues;
}

/** Where no voter reaches Secrets Manager the secret stands in the environment. */
export function placedSecretIssues({
  egress,
  credentials,
  environmentKey,
}: Pick<VotersProps, "egress" | "credentials" | "environmentKey">): string[] {
  if (egress.reachesSecrets || credentials.length === 0) return [];
  const issues: string[] = [];
  if (credentials.length > 1) {
    issues.push(
      'with egress "none" only one secret is placed into the voters at deployment: give one of `credentials`',
    );
  }
  if (environmentKey === undefined) {
    issues.push(
      'with egress "none" the secret is placed into the voters\' environment: give `environmentKey`, a key of yours that encrypts it, ' +
        "or another egress, with which voters read the secret themselves",
    );
  }
  return issues;
}

export function concurrencyIssues(reservedConcurrency: number | undefined): string[] {
  if (reservedConcurrency === undefined || Token.isUnresolved(reservedConcurrency) || reservedConcurrency >= 2)
    return [];
  return [
    `reservedConcurrency is ${reservedConcurrency} and should be 2 or more: a successor must be able to start while its predecessor still watches`,
  ];
}

/** An imported subnet may not know its route table, and an endpoint without one reaches nothing. */
export const routeIssues = (zones: readonly VoterZone[]): string[] =>
  zones
    .filter(({ subnet }) => (subnet.routeTable.routeTableId as string | undefined) === undefined)
    .map(
      ({ zone }) =>
        `dynamoDbEndpoint CREATE needs the route table of the subnet in ${zone}: import the VPC with its route table ids`,
    );
