// A deployment of several shards: what is there once more for each, and that the first stays what it is.

import type { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { FailoverTable } from "../../lib/constructs/failover-table.ts";
import { NodePlatform } from "../../lib/constructs/node-platform.ts";
import { PublicationPublisher } from "../../lib/constructs/publication-publisher.ts";
import { PUBLISHER_MARGIN_MS, publisherTimeoutMs } from "../../lib/runtime/timing.ts";
import { ASSUMED } from "../cost/measured.ts";
import { actionsOf, group, issuesOf, newStack, statementsOf, synthesize, zones } from "./failover-stack.ts";

type Resources = Readonly<
  Record<string, { readonly Properties: Record<string, unknown>; readonly DependsOn?: string[] }>
>;

const WATCHED = { alarms: {}, dashboard: true, groupsPerVoter: 2 } as const;
const groups = (count: number) => Array.from({ length: count }, (_, index) => ({ ...group, name: `g${index}` }));
const one = synthesize(() => ({ ...WATCHED, groups: groups(2) }));
const two = synthesize(() => ({ ...WATCHED, groups: groups(3) }));

const resourcesOf = (template: Template): Resources => template.toJSON()["Resources"] as Resources;
const idsOf = (template: Template): readonly string[] => Object.keys(resourcesOf(template));
const functionsOf = (template: Template): Resources =>
  template.findResources("AWS::Lambda::Function", { Properties: { Environment: { Variables: {} } } }) as Resources;
const voterIds = (template: Template): readonly string[] =>
  Object.keys(functionsOf(template)).filter((id) => id.includes("VotersVoter"));
const environmentOf = (template: Template, id: string): Readonly<Record<string, unknown>> =>
  (functionsOf(template)[id]?.Properties["Environment"] as { Variables: Record<string, unknown> } | undefined)
    ?.Variables ?? {};

describe("two shards", () => {
  it("have a voter in each zone, told which shard it serves, and each with a schedule", () => {
    const told = voterIds(two.template).map((id) => {
      const { VALKEEPER_VOTER, VALKEEPER_SHARD, VALKEEPER_GROUPS_PER_VOTER } = environmentOf(two.template, id);
      return [VALKEEPER_VOTER, VALKEEPER_SHARD, VALKEEPER_GROUPS_PER_VOTER];
    });
    expect(told.toSorted()).toEqual(
      zones
        .flatMap((zone) => [
          [zone, "0", "2"],
          [zone, "1", "2"],
        ])
        .toSorted(),
    );
    expect(two.failover.voters.voters.map(({ zone, shard }) => [zone, shard])).toEqual(
      [0, 1].flatMap((shard) => zones.map((zone) => [zone, shard])),
    );
    // The publisher's is the seventh.
    two.template.resourceCountIs("AWS::Scheduler::Schedule", 7);
  });

  it("leave every resource of the first as it is, but for what tells the others of a second", () => {
    const [before, after] = [resourcesOf(one.template), resourcesOf(two.template)];
    expect(idsOf(one.template).filter((id) => !idsOf(two.template).includes(id))).toEqual([]);
    // An alarm's words name the log groups, of which there are more.
    const textIn = (resource: unknown): string =>
      JSON.stringify(resource, (key, value: unknown) => (key === "AlarmDescription" ? undefined : value));
    const changed = Object.keys(before).filter((id) => textIn(before[id]) !== textIn(after[id]));
    const named = changed.map((id) => id.replace(/[0-9A-F]{8}$/, ""));
    expect(named.toSorted()).toEqual([
      "FailoverDashboard",
      "FailoverGroupsRegistrarFunction",
      "FailoverGroupsRegistrarFunctionEventInvokeConfig",
      "FailoverGroupsg0",
      "FailoverGroupsg1",
      "FailoverPublicationPublisherFunction",
    ]);
  });

  it("are both updated zone by zone, the groups last", () => {
    const resources = resourcesOf(two.template);
    const voters = voterIds(two.template);
    const [first, second, third] = [1, 2, 3].map((zone) => voters.filter((id) => id.includes(`VotersVoter${zone}`)));
    const waitsFor = (id: string): readonly string[] =>
      voters.filter((other) => resources[id]?.DependsOn?.includes(other));
    const shard = (ids: readonly string[] | undefined, number: number) =>
      ids?.filter((id) => id.includes("Shard1") === (number === 1)) ?? [];
    expect(first?.flatMap(waitsFor)).toEqual([]);
    expect(waitsFor(shard(second, 0)[0] ?? "")).toEqual(shard(first, 0));
    expect(waitsFor(shard(second, 1)[0] ?? "").toSorted()).toEqual(first?.toSorted());
    expect(waitsFor(shard(third, 1)[0] ?? "").toSorted()).toEqual(second?.toSorted());
    const registrar = Object.keys(functionsOf(two.template)).find((id) => id.includes("Registrar")) ?? "";
    expect(resources[registrar]?.DependsOn).toEqual(expect.arrayContaining([...voters]));
    for (const id of Object.keys(two.template.findResources("Custom::ValkeyGroup"))) {
      expect(resources[id]?.DependsOn).toContain(registrar);
    }
  });

  it("are told to the registrar, with a place for each group, and to the publisher", () => {
    const registrar = voterLike(two.template, "Registrar");
    expect(registrar).toMatchObject({ VALKEEPER_SHARDS: "2", VALKEEPER_GROUPS_PER_VOTER: "2" });
    expect(voterLike(two.template, "Publisher")).toMatchObject({ VALKEEPER_SHARDS: "2" });
    expect(voterLike(one.template, "Publisher")["VALKEEPER_SHARDS"]).toBeUndefined();
    const places = (template: Template) =>
      Object.values(template.findResources("Custom::ValkeyGroup")).map(({ Properties: { Shard, Shards } }) => [
        Shard,
        Shards,
      ]);
    expect(places(two.template)).toEqual([
      ["0", "2"],
      ["1", "2"],
      ["0", "2"],
    ]);
    expect(places(one.template)).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it("have an alarm each for a voter that is silent, and for one that fails", () => {
    const names = Object.values(two.template.findResources("AWS::CloudWatch::Alarm")).map(
      ({ Properties }) => Properties["AlarmName"] as string,
    );
    for (const kind of ["voter-silent", "invocation-errors-voter"]) {
      const found = names.filter((name) => name.includes(kind)).map((name) => name.split(`${kind}-`)[1]);
      expect(found).toEqual([...zones, ...zones.map((zone) => `${zone}-shard-1`)]);
    }
    const silent = Object.values(two.template.findResources("AWS::CloudWatch::Alarm"))
      .filter(({ Properties }) => (Properties["AlarmName"] as string).includes("voter-silent"))
      .flatMap(({ Properties }) => Properties["Dimensions"] as { Name: string; Value: unknown }[])
      .filter(({ Name }) => Name === "Voter");
    expect(silent.map(({ Value }) => Value)).toEqual([...zones, ...zones.map((zone) => `${zone}-shard-1`)]);
    const body = JSON.stringify(two.template.findResources("AWS::CloudWatch::Dashboard"));
    for (const zone of zones) expect(body).toContain(`${zone}-shard-1`);
  });

  it("write their own slots alone", () => {
    const partitionsOf = (part: string) =>
      statementsOf(two.template, part).flatMap(({ Condition }) => {
        const keys = Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"];
        return [keys].flat().filter((key) => String(key).startsWith("voter#"));
      });
    for (const [part, shard] of [
      ["VotersVoter2Role", 0],
      ["VotersVoter2Shard1Role", 1],
    ] as const) {
      expect(new Set(partitionsOf(part))).toEqual(
        new Set([`voter#${zones[1]}#${shard}`, `voter#${zones[1]}#generation`]),
      );
      expect(actionsOf(statementsOf(two.template, part))).toContain("dynamodb:PutItem");
    }
  });

  it("are all woken in economy mode", () => {
    const { template } = synthesize(() => ({ shards: 2, economy: true, nodesRunOn: [NodePlatform.ec2()] }));
    const rules = Object.values(template.findResources("AWS::Events::Rule")).filter(({ Properties }) =>
      JSON.stringify(Properties["EventPattern"]).includes("valkeeper.evacuator"),
    );
    const woken = rules.flatMap(({ Properties }) =>
      (Properties["Targets"] as { Arn: { "Fn::GetAtt": string[] } }[]).map(({ Arn }) => Arn["Fn::GetAtt"][0]),
    );
    expect(woken.toSorted()).toEqual(voterIds(template).toSorted());
    expect(woken).toHaveLength(6);
  });
});

function voterLike(template: Template, part: string): Readonly<Record<string, unknown>> {
  const id = Object.keys(functionsOf(template)).find((each) => each.includes(part)) ?? "";
  return environmentOf(template, id);
}

describe("sizes", () => {
  const memoryOf = (props: Partial<ValkeyFailoverProps>): unknown => {
    const { template } = synthesize(() => props);
    return functionsOf(template)[voterIds(template)[0] ?? ""]?.Properties["MemorySize"];
  };

  it("give a voter memory by its groups, unless it is said", () => {
    expect(memoryOf({})).toBe(256);
    expect(memoryOf({ groupsPerVoter: 51 })).toBe(512);
    expect(memoryOf({ groupsPerVoter: 200 })).toBe(1_024);
    expect(memoryOf({ groupsPerVoter: 200, voterMemoryMegabytes: 700 })).toBe(700);
  });

  it("give the publisher time and memory by the groups that there is room for", () => {
    const sizeOf = (props: Partial<ValkeyFailoverProps>): unknown => {
      const { template } = synthesize(() => props);
      const id = Object.keys(functionsOf(template)).find((each) => each.includes("Publisher")) ?? "";
      const { Timeout, MemorySize } = functionsOf(template)[id]?.Properties ?? {};
      return [Timeout, MemorySize];
    };
    expect(sizeOf({})).toEqual([60, 256]);
    expect(sizeOf({ shards: 6 })).toEqual([85, 512]);
    expect(sizeOf({ shards: 10, groupsPerVoter: 200 })).toEqual([255, 2_048]);
  });

  it("leave the publisher time for every group as slow as docs/cost.md takes it to be, with the least memory", () => {
    for (let room = 1; room <= 2_400; room += 1) {
      const usableMs = publisherTimeoutMs(room) - PUBLISHER_MARGIN_MS;
      expect(usableMs, `${room} groups`).toBeGreaterThan(ASSUMED.publisherMs(room));
    }
  });

  it("refuse a publisher of its own more groups than Parameter Store answers for in a minute", () => {
    const make = (groupsPerVoter: number) => () => {
      const stack = newStack();
      const table = new FailoverTable(stack, "Table");
      return new PublicationPublisher(stack, "Publisher", { table, publication: {}, shards: 12, groupsPerVoter });
    };
    expect(make(200)).not.toThrow();
    expect(make(201)).toThrow(/shards times groupsPerVoter is 2412 and should be 2400 or less/);
  });

  it("are checked with everything else", () => {
    expect(issuesOf(() => ({ shards: 0, groupsPerVoter: 201 }))).toEqual([
      "groupsPerVoter is 201 and should be a whole number from 1 to 200",
      "shards is 0 and should be a whole number from 1 to 10",
    ]);
    expect(issuesOf(() => ({ shards: 1, groupsPerVoter: 2, groups: groups(3) }))).toEqual([
      "3 groups are declared, and 1 shards have room for 2: raise shards or groupsPerVoter, or leave shards out",
    ]);
    expect(issuesOf(() => ({ groupsPerVoter: 1, groups: groups(11) }))).toEqual([
      "11 groups need 11 shards of 1, and one deployment has room for 10: raise groupsPerVoter, or make another deployment",
    ]);
    expect(issuesOf(() => ({ shards: 2, functions: { voters: [{}, {}, {}] } }))).toEqual([
      "functions.voters has 3 entries for 6 voters",
    ]);
  });
});
