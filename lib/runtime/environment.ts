// What does a deployed function have to be told? The names of its environment variables, shared by the constructs that
// set them and the handlers that read them. Handlers parse at module scope, so that a bad deployment fails at cold start
// with every issue at once, and never in the middle of a failover.

import { ConfigurationError } from "../core/errors.ts";
import type { PublicationTarget } from "../core/records.ts";
import { type VoterId, voterId } from "../core/types.ts";

export const VARIABLES = {
  /** Set by Lambda itself; the local hosts set it too. */
  region: "AWS_REGION",
  table: "VALKEEPER_TABLE",
  voter: "VALKEEPER_VOTER",
  /** All voters' ids, separated by commas: quorum is judged against them. */
  voters: "VALKEEPER_VOTERS",
  /** Which of the deployment's shards a voter serves. */
  shard: "VALKEEPER_SHARD",
  /** How many shards the deployment has. */
  shards: "VALKEEPER_SHARDS",
  /** Groups that one shard is given. */
  groupsPerVoter: "VALKEEPER_GROUPS_PER_VOTER",
  /** `true`: an invocation leaves after one round in which all was well. */
  economy: "VALKEEPER_ECONOMY",
  /** The copies that this function's network reaches, separated by commas: `ssm,dns`, `ssm`, or nothing. */
  publishes: "VALKEEPER_PUBLISHES",
  /** `true`: SSM, Route 53 and Secrets Manager by their dual-stack names. Never DynamoDB, whose gateway endpoint is IPv4. */
  dualStack: "VALKEEPER_DUAL_STACK",
  /** Without a path to Secrets Manager: the one secret of all groups, placed here at deployment. */
  secretId: "VALKEEPER_SECRET_ID",
  secretValue: "VALKEEPER_SECRET_VALUE",
  /** `deployment` or `groups`: figures are printed for CloudWatch, of all groups together or also of each. */
  metrics: "VALKEEPER_METRICS",
  /** Where each step is told of: an SNS topic, an EventBridge bus, or both. */
  topic: "VALKEEPER_TOPIC_ARN",
  eventBus: "VALKEEPER_EVENT_BUS",
  /** An SNS topic that is told which groups alarms ring for, and of nothing else: that of the alarms. */
  conditionTopic: "VALKEEPER_CONDITION_TOPIC_ARN",
  /** Names of ECS clusters in which hosts are looked for, separated by commas. */
  clusters: "VALKEEPER_ECS_CLUSTERS",
  /** `true`: the deployment has a stopper, and groups may ask for the stop of a host. */
  stopper: "VALKEEPER_STOPPER",
} as const;

/** EventBridge's `source`: rules match it, and the policy of the function that sends allows no other. */
export const NOTIFICATION_SOURCE = "valkeeper";

/** The event that starts voters that rest; its detail names the deployment's table. */
export const WAKE_UP = { source: "valkeeper.evacuator", detailType: "Wake-up" } as const;

/** What Node offers as `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;
/** A copy of the publication beside the table's own item. */
export type CopyTarget = Exclude<PublicationTarget, "table">;

export type MetricsLevel = "off" | "deployment" | "groups";

/** What a deployment says; outside of one nobody reads the figures. */
export const metricsLevel = (byGroup = false): MetricsLevel => (byGroup ? "groups" : "deployment");

export interface PlacedSecret {
  readonly id: string;
  readonly value: string;
}

export interface VoterEnvironment {
  readonly region: string;
  readonly table: string;
  readonly voter: VoterId;
  /** This one among them. */
  readonly voters: readonly VoterId[];
  readonly shard: number;
  /** Null: it is not limited. */
  readonly groupsPerVoter: number | null;
  readonly economy: boolean;
  readonly publishes: readonly CopyTarget[];
  readonly dualStack: boolean;
  /** Null: credentials are read from where their references say. */
  readonly secret: PlacedSecret | null;
  readonly metrics: MetricsLevel;
}

export interface PublisherEnvironment {
  readonly region: string;
  readonly table: string;
  /** How many there are. */
  readonly shards: number;
  readonly metrics: MetricsLevel;
}

export interface RegistrarEnvironment {
  readonly region: string;
  readonly table: string;
  readonly voters: readonly VoterId[];
  readonly hasStopper: boolean;
  /** How many there are. */
  readonly shards: number;
  /** Null: it is not limited. */
  readonly groupsPerVoter: number | null;
}

export interface StopperEnvironment {
  readonly region: string;
  readonly table: string;
  readonly clusters: readonly string[];
}

export interface EvacuatorEnvironment {
  readonly region: string;
  readonly table: string;
  /** The voters rest, and have to be woken. */
  readonly economy: boolean;
}

export interface NotifierEnvironment {
  readonly region: string;
  readonly table: string;
  /** Null: no topic is told. */
  readonly topicArn: string | null;
  /** Name or ARN. Null: no bus is told. */
  readonly eventBus: string | null;
  /** Told which groups alarms ring for. Null: no topic is told beside the other. */
  readonly conditionTopicArn: string | null;
}

/** Throws `ConfigurationError` with every issue. */
export function parseVoterEnvironment(variables: Variables): VoterEnvironment {
  const read = reader(variables);
  const environment: VoterEnvironment = {
    ...read.store(),
    voter: voterId(read.text(VARIABLES.voter, voterPattern, "a voter's id: letters, digits and hyphens, at most 64")),
    voters: read.voters(),
    shard: read.count(VARIABLES.shard, 0) ?? 0,
    groupsPerVoter: read.count(VARIABLES.groupsPerVoter),
    economy: read.word(VARIABLES.economy, ["true", "false"], "false") === "true",
    publishes: read.targets(VARIABLES.publishes),
    dualStack: read.word(VARIABLES.dualStack, ["true", "false"], "false") === "true",
    secret: read.secret(),
    metrics: read.word(VARIABLES.metrics, metricsLevels, "off"),
  };
  if (environment.voters.length > 0 && !environment.voters.includes(environment.voter)) {
    read.issue(`${VARIABLES.voters} does not name ${environment.voter}, which ${VARIABLES.voter} says this is`);
  }
  read.finish("the voter's environment");
  return environment;
}

/** Throws `ConfigurationError` with every issue. */
export function parsePublisherEnvironment(variables: Variables): PublisherEnvironment {
  const read = reader(variables);
  const environment: PublisherEnvironment = {
    ...read.store(),
    shards: read.count(VARIABLES.shards) ?? 1,
    metrics: read.word(VARIABLES.metrics, metricsLevels, "off"),
  };
  read.finish("the publisher's environment");
  return environment;
}

/** Throws `ConfigurationError` with every issue. */
export function parseRegistrarEnvironment(variables: Variables): RegistrarEnvironment {
  const read = reader(variables);
  const environment: RegistrarEnvironment = {
    ...read.store(),
    voters: read.voters(),
    hasStopper: read.word(VARIABLES.stopper, ["true", "false"], "false") === "true",
    shards: read.count(VARIABLES.shards) ?? 1,
    groupsPerVoter: read.count(VARIABLES.groupsPerVoter),
  };
  read.finish("the registrar's environment");
  return environment;
}

/** Throws `ConfigurationError` with every issue. */
export function parseStopperEnvironment(variables: Variables): StopperEnvironment {
  const read = reader(variables);
  const names = (variables[VARIABLES.clusters] ?? "") === "" ? null : VARIABLES.clusters;
  const environment: StopperEnvironment = {
    ...read.store(),
    clusters:
      names === null ? [] : read.text(names, clustersPattern, "names of ECS clusters, separated by commas").split(","),
  };
  read.finish("the stopper's environment");
  return environment;
}

/** Throws `ConfigurationError` with every issue. */
export function parseEvacuatorEnvironment(variables: Variables): EvacuatorEnvironment {
  const read = reader(variables);
  const environment: EvacuatorEnvironment = {
    ...read.store(),
    economy: read.word(VARIABLES.economy, ["true", "false"], "false") === "true",
  };
  read.finish("the evacuator's environment");
  return environment;
}

/** Throws `ConfigurationError` with every issue. */
export function parseNotifierEnvironment(variables: Variables): NotifierEnvironment {
  const read = reader(variables);
  const textOrNull = (name: string, pattern: RegExp, expected: string): string | null =>
    (variables[name] ?? "") === "" ? null : read.text(name, pattern, expected);
  const environment: NotifierEnvironment = {
    ...read.store(),
    topicArn: textOrNull(VARIABLES.topic, topicPattern, "a topic's ARN"),
    eventBus: textOrNull(VARIABLES.eventBus, eventBusPattern, "an event bus's name or ARN"),
    conditionTopicArn: textOrNull(VARIABLES.conditionTopic, topicPattern, "a topic's ARN"),
  };
  const { topicArn, eventBus, conditionTopicArn } = environment;
  if (topicArn === null && eventBus === null && conditionTopicArn === null) {
    read.issue(
      `none of ${VARIABLES.topic}, ${VARIABLES.eventBus} and ${VARIABLES.conditionTopic} is set: there is nobody to tell`,
    );
  }
  read.finish("the notifier's environment");
  return environment;
}

const regionPattern = /^[a-z]{2}(-[a-z]+)+-\d+$/;
const tablePattern = /^[A-Za-z0-9_.-]{3,255}$/;
const topicPattern = /^arn:[^:]+:sns:[^:]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;
const eventBusPattern = /^(arn:[^:]+:events:[^:]+:\d{12}:event-bus\/)?[A-Za-z0-9_./-]{1,256}$/;
// The id is part of a sort key and of an attribute's name.
const voterPattern = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
const clustersPattern = /^[A-Za-z0-9_-]{1,255}(,[A-Za-z0-9_-]{1,255})*$/;
const copyTargets: readonly CopyTarget[] = ["ssm", "dns"];
const metricsLevels: readonly MetricsLevel[] = ["off", "deployment", "groups"];

const isCount = (text: string, least: number): boolean => /^\d{1,4}$/.test(text) && Number(text) >= least;

/** Collects issues instead of stopping at the first; what it returns for a bad variable is never used. */
function reader(variables: Variables) {
  const issues: string[] = [];
  const value = (name: string): string | undefined => (variables[name] === "" ? undefined : variables[name]);
  const complain = (name: string, expected: string): void => {
    const given = value(name);
    issues.push(
      given === undefined
        ? `${name} is not set: it should be ${expected}`
        : `${name} is ${JSON.stringify(given)}: it should be ${expected}`,
    );
  };
  const text = (name: string, pattern: RegExp, expected: string): string => {
    const given = value(name) ?? "";
    if (!pattern.test(given)) complain(name, expected);
    return given;
  };
  const list = (name: string): string[] => (value(name) ?? "").split(",").filter((part) => part !== "");
  return {
    text,
    issue: (issue: string): void => {
      issues.push(issue);
    },
    store: () => ({
      region: text(VARIABLES.region, regionPattern, "a region such as eu-west-1"),
      table: text(VARIABLES.table, tablePattern, "a table's name"),
    }),
    voters(): readonly VoterId[] {
      const given = list(VARIABLES.voters);
      if (given.length === 0 || !given.every((part) => voterPattern.test(part)) || new Set(given).size < given.length) {
        complain(VARIABLES.voters, "the voters' ids, each once, separated by commas");
      }
      return given.map(voterId);
    },
    count(name: string, least: 0 | 1 = 1): number | null {
      const given = value(name);
      if (given !== undefined && !isCount(given, least)) complain(name, `a whole number from ${least} to 9999`);
      return given === undefined ? null : Number(given);
    },
    word<Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word {
      const given = value(name) ?? otherwise;
      const word = words.find((each) => each === given);
      if (word === undefined) complain(name, `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);
      return word ?? otherwise;
    },
    targets(name: string): readonly CopyTarget[] {
      const given = list(name);
      if (!given.every((part) => (copyTargets as readonly string[]).includes(part))) {
        complain(name, `some of ${copyTargets.join(", ")}, separated by commas, or empty`);
      }
      return copyTargets.filter((target) => given.includes(target));
    },
    secret(): PlacedSecret | null {
      const id = value(VARIABLES.secretId);
      const secret = value(VARIABLES.secretValue);
      if (id === undefined && secret === undefined) return null;
      // The value itself is never repeated in an issue.
      if (id === undefined || secret === undefined) {
        issues.push(`${VARIABLES.secretId} and ${VARIABLES.secretValue} go together: only one of them is set`);
      }
      return { id: id ?? "", value: secret ?? "" };
    },
    finish(subject: string): void {
      if (issues.length > 0) throw new ConfigurationError(subject, issues);
    },
  };
}
