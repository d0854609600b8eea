// From what an installer says about a group to the declaration that goes into its record. Hosts, secrets and zones may be
// tokens, known at deployment only: they are checked as far as they are known, and the registrar checks all of it
// again when they are.

import { Token } from "aws-cdk-lib";
import type { DeclaredConfig } from "../core/config.ts";
import { checkDeclaration } from "../core/config-check.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { VoterId } from "../core/types.ts";
import { Egress } from "./egress.ts";
import type { NodeCredentials, PublicationProps, TlsProps, ValkeyGroupProps } from "./group-props.ts";
import { isRecordAllowed, recordPatterns } from "./publication-grants.ts";
import { credentialsIssues } from "./voters-check.ts";

const DEFAULT_USER = "valkeeper";

export interface GroupsOptions {
  readonly groups: readonly ValkeyGroupProps[];
  readonly credentials: NodeCredentials | undefined;
  readonly publication: PublicationProps;
  readonly voters: readonly string[];
  readonly egress: Egress;
  readonly hasStopper: boolean;
}

/** What each valid group is registered as. What is wrong with the others goes to `complain`. */
export function declareGroups(options: GroupsOptions, complain: (issue: string) => void): DeclaredConfig[] {
  for (const name of repeated(options.groups.map((group) => group.name))) complain(`group ${name} is declared twice`);
  for (const name of repeated(options.groups.flatMap((group) => recordNamesOf(group, options.publication)))) {
    complain(`the DNS record ${name} is asked for by two groups`);
  }
  for (const issue of recordIssues(options)) complain(issue);
  if (options.credentials !== undefined) {
    for (const issue of credentialsIssues(options.credentials, options.egress)) complain(issue);
  }
  if (options.groups.length === 0) for (const issue of issuesWithoutGroups(options)) complain(issue);
  return options.groups.flatMap((group) => {
    // Written over by the construct's own, it would be lost without a word.
    if ("publication" in group) complain(`group ${group.name}: publication is set once for all groups, beside them`);
    if (group.readersRecordName !== undefined && options.publication.hostedZone === undefined) {
      complain(`group ${group.name}: readersRecordName needs the publication's hostedZone`);
    }
    for (const issue of credentialIssues(group, options)) complain(`group ${group.name}: ${issue}`);
    try {
      // A missing zone is an issue of its own: quorum is then judged against what should be there.
      const context = { voters: votersOf(options), hasStopper: options.hasStopper, isUnresolved };
      return [checkDeclaration(declarationOf(group, options), context)];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      for (const issue of error.issues) complain(`group ${group.name}: ${issue}`);
      return [];
    }
  });
}

/** What is looked up comes in the app's second run (`StringParameter.valueFromLookup`); the first has these in its place. */
const LOOKED_UP_LATER = /^(dummy-value-for-|DUMMY$)/;

const isUnresolved = (text: string): boolean => Token.isUnresolved(text) || LOOKED_UP_LATER.test(text);

/** Ids to judge by; a zone known at deployment only has no id yet. */
const votersOf = (options: Pick<GroupsOptions, "voters">): VoterId[] => {
  const count = Math.max(options.voters.length, 3);
  return Array.from({ length: count }, (_, index) => {
    const voter = options.voters[index];
    return (voter === undefined || Token.isUnresolved(voter) ? `voter-${index + 1}` : voter) as VoterId;
  });
};

/** Of no particular shape: `checkDeclaration` reads it as it reads any input. */
function declarationOf(group: ValkeyGroupProps, options: Omit<GroupsOptions, "groups">): Record<string, unknown> {
  const { credentials, tls, recordName: _recordName, readersRecordName: _readersRecordName, ...settings } = group;
  return {
    ...settings,
    credentials: referenceTo(credentials ?? options.credentials),
    tls: tlsOf(tls),
    publication: publicationOf(group, options.publication),
  };
}

function referenceTo(credentials: NodeCredentials | undefined): Record<string, unknown> | undefined {
  const { user = DEFAULT_USER, secret, parameterName } = credentials ?? {};
  if (secret !== undefined) return { user, secretId: secret.secretArn };
  // Neither: that is complained about already.
  return parameterName === undefined ? undefined : { user, parameter: parameterName };
}

const tlsOf = (tls: TlsProps | undefined) =>
  tls === undefined ? undefined : { enabled: tls.enabled ?? true, ca: tls.ca, serverName: tls.serverName };

function publicationOf(group: ValkeyGroupProps, publication: PublicationProps): Record<string, unknown> {
  return {
    parameterPrefix: publication.parameters === false ? null : publication.parameterPrefix,
    dns:
      publication.hostedZone === undefined
        ? null
        : {
            hostedZoneId: publication.hostedZone.hostedZoneId,
            name: recordNameOf(group, publication),
            ttlSeconds: publication.recordTtlSeconds,
            readersName: group.readersRecordName,
          },
  };
}

/** Undefined without a hosted zone. */
export const recordNameOf = (group: ValkeyGroupProps, publication: PublicationProps): string | undefined =>
  publication.hostedZone === undefined
    ? undefined
    : (group.recordName ?? `${group.name}.${publication.hostedZone.zoneName}`);

/** Once each: that a group asks for one name twice is the check's to say. */
const recordNamesOf = (group: ValkeyGroupProps, publication: PublicationProps): readonly string[] => {
  const names = [recordNameOf(group, publication), group.readersRecordName];
  return publication.hostedZone === undefined ? [] : [...new Set(names.filter((name) => name !== undefined))];
};

/** What may be written is granted: a group of another name would be published in the table and never in DNS. */
function recordIssues({ groups, publication }: GroupsOptions): string[] {
  if (publication.hostedZone === undefined) {
    return publication.recordNames === undefined ? [] : ["publication.recordNames needs the publication's hostedZone"];
  }
  const patterns = recordPatterns(publication).join(", ");
  return groups.flatMap((group) =>
    recordNamesOf(group, publication)
      .filter((name) => !isRecordAllowed(name, publication))
      .map(
        (name) =>
          `group ${group.name}: the DNS record ${name} may not be written, what may is ${patterns} (publication.recordNames)`,
      ),
  );
}

function credentialIssues({ credentials }: ValkeyGroupProps, { egress }: GroupsOptions): string[] {
  if (credentials === undefined) return [];
  const shared = egress.reachesSecrets
    ? []
    : [
        'with egress "none" all groups share the construct\'s `credentials`: only one secret is placed into the voters at deployment',
      ];
  return [...credentialsIssues(credentials, egress), ...shared];
}

/**
 * What is said for all groups is judged although none is declared: by a group that is made up. Of one that is declared these
 * would be its own issues.
 */
const issuesWithoutGroups = (options: GroupsOptions): string[] =>
  issuesOfSample(options, /^(credentials|publication)\b/);

function issuesOfSample(options: Omit<GroupsOptions, "groups">, about: RegExp): string[] {
  const sample = { name: "sample", nodes: [{ id: "n1", host: "192.0.2.1", zone: "" }] };
  try {
    checkDeclaration(declarationOf(sample, options), { voters: votersOf(options), isUnresolved });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.issues.filter((issue) => about.test(issue));
  }
}

/** Of a publisher that is made alone. */
export function publicationIssues(publication: PublicationProps): string[] {
  const nothing = { credentials: undefined, voters: [], egress: Egress.NAT, hasStopper: false };
  return [
    ...issuesOfSample({ ...nothing, publication }, /^publication\b/),
    ...recordIssues({ ...nothing, publication, groups: [] }),
  ];
}

const repeated = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
];
