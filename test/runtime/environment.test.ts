import { describe, expect, it } from "vitest";
import {
  parseEvacuatorEnvironment,
  parseNotifierEnvironment,
  parsePublisherEnvironment,
  parseRegistrarEnvironment,
  parseStopperEnvironment,
  parseVoterEnvironment,
} from "../../lib/runtime/environment.ts";

const variables = {
  AWS_REGION: "eu-west-1",
  VALKEEPER_TABLE: "valkeeper",
  VALKEEPER_VOTER: "eu-west-1a",
  VALKEEPER_VOTERS: "eu-west-1a,eu-west-1b,eu-west-1c",
};

const issuesOf = (parse: () => unknown): readonly string[] => {
  try {
    parse();
  } catch (error) {
    return (error as { readonly issues: readonly string[] }).issues;
  }
  return [];
};

describe("a voter's environment", () => {
  it("has defaults for what a simple deployment leaves out", () => {
    expect(parseVoterEnvironment(variables)).toEqual({
      region: "eu-west-1",
      table: "valkeeper",
      voter: "eu-west-1a",
      voters: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
      shard: 0,
      groupsPerVoter: null,
      economy: false,
      publishes: [],
      dualStack: false,
      secret: null,
      metrics: "off",
    });
  });

  it("is read in full", () => {
    const environment = parseVoterEnvironment({
      ...variables,
      VALKEEPER_SHARD: "3",
      VALKEEPER_GROUPS_PER_VOTER: "20",
      VALKEEPER_ECONOMY: "true",
      VALKEEPER_PUBLISHES: "dns,ssm",
      VALKEEPER_DUAL_STACK: "true",
      VALKEEPER_SECRET_ID: "valkey/coordinator",
      VALKEEPER_SECRET_VALUE: "secret",
      VALKEEPER_METRICS: "groups",
    });
    expect(environment).toMatchObject({
      metrics: "groups",
      shard: 3,
      groupsPerVoter: 20,
      economy: true,
      publishes: ["ssm", "dns"],
      dualStack: true,
      secret: { id: "valkey/coordinator", value: "secret" },
    });
  });

  it("names every issue at once", () => {
    const issues = issuesOf(() =>
      parseVoterEnvironment({
        AWS_REGION: "here",
        VALKEEPER_VOTER: "az#a",
        VALKEEPER_VOTERS: "az-a,az-a",
        VALKEEPER_SHARD: "-1",
        VALKEEPER_GROUPS_PER_VOTER: "0",
        VALKEEPER_ECONOMY: "a little",
        VALKEEPER_PUBLISHES: "ssm,mail",
        VALKEEPER_DUAL_STACK: "yes",
        VALKEEPER_METRICS: "all",
      }),
    );
    expect(issues).toEqual([
      expect.stringContaining('AWS_REGION is "here"'),
      expect.stringContaining("VALKEEPER_TABLE is not set"),
      expect.stringContaining('VALKEEPER_VOTER is "az#a"'),
      expect.stringContaining('VALKEEPER_VOTERS is "az-a,az-a"'),
      expect.stringContaining('VALKEEPER_SHARD is "-1"'),
      expect.stringContaining('VALKEEPER_GROUPS_PER_VOTER is "0"'),
      expect.stringContaining('VALKEEPER_ECONOMY is "a little"'),
      expect.stringContaining('VALKEEPER_PUBLISHES is "ssm,mail"'),
      expect.stringContaining('VALKEEPER_DUAL_STACK is "yes"'),
      expect.stringContaining('VALKEEPER_METRICS is "all"'),
      expect.stringContaining("VALKEEPER_VOTERS does not name az#a"),
    ]);
  });

  it("never repeats a secret in an issue", () => {
    const issues = issuesOf(() => parseVoterEnvironment({ ...variables, VALKEEPER_SECRET_VALUE: "planted" }));
    expect(issues).toEqual([expect.stringContaining("go together")]);
    expect(issues.join()).not.toContain("planted");
  });
});

describe("the other functions' environments", () => {
  it("ask only for what the function needs", () => {
    expect(parsePublisherEnvironment(variables)).toEqual({
      region: "eu-west-1",
      table: "valkeeper",
      shards: 1,
      metrics: "off",
    });
    expect(parsePublisherEnvironment({ ...variables, VALKEEPER_SHARDS: "3" }).shards).toBe(3);
    expect(parseRegistrarEnvironment(variables).voters).toHaveLength(3);
    expect(parseRegistrarEnvironment(variables)).toMatchObject({ shards: 1, groupsPerVoter: null });
    const sized = { ...variables, VALKEEPER_SHARDS: "3", VALKEEPER_GROUPS_PER_VOTER: "20" };
    expect(parseRegistrarEnvironment(sized)).toMatchObject({ shards: 3, groupsPerVoter: 20 });
    expect(issuesOf(() => parseRegistrarEnvironment({}))).toHaveLength(3);
  });

  it("say where the stopper looks for tasks, and whether the registrar may let groups ask for it", () => {
    const store = { region: "eu-west-1", table: "valkeeper" };
    expect(parseStopperEnvironment(variables)).toEqual({ ...store, clusters: [] });
    expect(parseStopperEnvironment({ ...variables, VALKEEPER_ECS_CLUSTERS: "prod,test" }).clusters).toEqual([
      "prod",
      "test",
    ]);
    expect(issuesOf(() => parseStopperEnvironment({ ...variables, VALKEEPER_ECS_CLUSTERS: "prod, test" }))).toEqual([
      'VALKEEPER_ECS_CLUSTERS is "prod, test": it should be names of ECS clusters, separated by commas',
    ]);
    expect(parseRegistrarEnvironment(variables).hasStopper).toBe(false);
    expect(parseRegistrarEnvironment({ ...variables, VALKEEPER_STOPPER: "true" }).hasStopper).toBe(true);
  });

  it("say whether the evacuator has to wake the voters", () => {
    const store = { region: "eu-west-1", table: "valkeeper" };
    expect(parseEvacuatorEnvironment(variables)).toEqual({ ...store, economy: false });
    expect(parseEvacuatorEnvironment({ ...variables, VALKEEPER_ECONOMY: "true" }).economy).toBe(true);
    expect(issuesOf(() => parseEvacuatorEnvironment({ VALKEEPER_ECONOMY: "yes" }))).toHaveLength(3);
  });

  it("say whom the notifier tells: a topic, a bus, or both, and never nobody", () => {
    const VALKEEPER_TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:failovers";
    const VALKEEPER_EVENT_BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/default";
    const store = { region: "eu-west-1", table: "valkeeper" };
    const both = parseNotifierEnvironment({ ...variables, VALKEEPER_TOPIC_ARN, VALKEEPER_EVENT_BUS });
    const noOther = { conditionTopicArn: null };
    expect(both).toEqual({ ...store, topicArn: VALKEEPER_TOPIC_ARN, eventBus: VALKEEPER_EVENT_BUS, ...noOther });
    expect(parseNotifierEnvironment({ ...variables, VALKEEPER_CONDITION_TOPIC_ARN: VALKEEPER_TOPIC_ARN })).toEqual({
      ...{ ...store, topicArn: null, eventBus: null, conditionTopicArn: VALKEEPER_TOPIC_ARN },
    });
    expect(parseNotifierEnvironment({ ...variables, VALKEEPER_EVENT_BUS: "default" })).toMatchObject({
      topicArn: null,
      eventBus: "default",
    });
    expect(issuesOf(() => parseNotifierEnvironment({ ...variables, VALKEEPER_TOPIC_ARN: "" }))).toEqual([
      "none of VALKEEPER_TOPIC_ARN, VALKEEPER_EVENT_BUS and VALKEEPER_CONDITION_TOPIC_ARN is set: there is nobody to tell",
    ]);
    expect(issuesOf(() => parseNotifierEnvironment({ ...variables, VALKEEPER_TOPIC_ARN: "failovers" }))).toEqual([
      'VALKEEPER_TOPIC_ARN is "failovers": it should be a topic\'s ARN',
    ]);
  });
});
