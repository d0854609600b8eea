// What each role may and may not do, judged by the synthesized policies. The requests are the store's own keys in the SDK's
// own commands; that all that the functions really ask is allowed, and nothing beside it, test/integ/security.test.ts says.

import { CompleteLifecycleActionCommand } from "@aws-sdk/client-auto-scaling";
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  CreateTagsCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { ListTasksCommand, StopTaskCommand } from "@aws-sdk/client-ecs";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { ChangeResourceRecordSetsCommand, type RRType } from "@aws-sdk/client-route-53";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { PublishBatchCommand } from "@aws-sdk/client-sns";
import { GetParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { describe, expect, it } from "vitest";
import {
  ballotKey,
  copiesKey,
  eventKey,
  generationKey,
  type Key,
  publicationKey,
  requestKey,
  SLOT_DIRECTORY,
  SPEC_PARTITION,
  slotKey,
  specKey,
} from "../../lib/adapters/dynamodb/keys.ts";
import { groupName, voterId } from "../../lib/core/types.ts";
import { requestsOf, type SdkCommand } from "../support/aws-requests.ts";
import { allows, type PolicyStatement } from "../support/iam-policy.ts";
import { documentedStatements, SECRET_NAME, synthesizeSecured, TOPIC_ARN, ZONE_ID } from "./secured-stack.ts";

const secured = synthesizeSecured();
const TableName = "any";
const group = groupName("mymaster");
const [own, other] = [slotKey(voterId("eu-west-1a"), 0), slotKey(voterId("eu-west-1b"), 0)];

const keyOf = ({ pk, sk }: Key) => ({ pk: { S: pk }, sk: { S: sk } });
const get = (key: Key) => new GetItemCommand({ TableName, Key: keyOf(key) });
const put = (key: Key) => new PutItemCommand({ TableName, Item: keyOf(key) });
const update = (key: Key) => new UpdateItemCommand({ TableName, Key: keyOf(key) });
const remove = (key: Key) => new DeleteItemCommand({ TableName, Key: keyOf(key) });
const scan = new ScanCommand({ TableName });
const list = (partition: string) =>
  new QueryCommand({
    TableName,
    KeyConditionExpression: "pk = :pk",
    ExpressionAttributeValues: { ":pk": { S: partition } },
  });
const append = (...keys: readonly Key[]) =>
  new BatchWriteItemCommand({
    RequestItems: { [TableName]: keys.map((key) => ({ PutRequest: { Item: keyOf(key) } })) },
  });
const unappend = (key: Key) =>
  new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ DeleteRequest: { Key: keyOf(key) } }] } });
const parameter = (Name: string) => new PutParameterCommand({ Name, Value: "x" });
const record = (Action: "CREATE" | "DELETE" | "UPSERT", Type: RRType = "A", HostedZoneId = ZONE_ID) =>
  new ChangeResourceRecordSetsCommand({
    HostedZoneId,
    ChangeBatch: { Changes: [{ Action, ResourceRecordSet: { Name: "mymaster.valkey.internal", Type } }] },
  });
const recordsAt = (...names: readonly string[]) =>
  new ChangeResourceRecordSetsCommand({
    HostedZoneId: ZONE_ID,
    ChangeBatch: { Changes: names.map((Name) => ({ Action: "CREATE", ResourceRecordSet: { Name, Type: "TXT" } })) },
  });
const tell = (Source: string, EventBusName = "default") =>
  new PutEventsCommand({ Entries: [{ Source, EventBusName, DetailType: "primary.committed", Detail: "{}" }] });
const publish = (TopicArn: string) => new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [] });
/** `requestsOf` takes what is named so for tagged. */
const TAGGED = "tagged";
const stopInstance = (id: string) => new StopInstancesCommand({ InstanceIds: [id] });
const protection = (InstanceId: string) =>
  new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "disableApiStop" });
const stopTask = (cluster: string, task: string) => new StopTaskCommand({ cluster, task });
const secret = (SecretId: string) => new GetSecretValueCommand({ SecretId });

const letGo = (AutoScalingGroupName: string) =>
  new CompleteLifecycleActionCommand({
    ...{ AutoScalingGroupName, LifecycleHookName: "valkeeper", LifecycleActionResult: "CONTINUE" },
  });

/** Whether all that the command asks for is allowed. */
function may(role: string, command: SdkCommand): boolean {
  const statements = secured.roles.get(role) ?? [];
  return requestsOf(command, secured.tableArn).every((request) => allows(statements, request));
}

const event = eventKey(group, "event#1");
const allowed: readonly (readonly [string, string, SdkCommand])[] = [
  ["voter-a", "updates a ballot", update(ballotKey(group))],
  ["voter-a", "answers a request", update(requestKey(group))],
  ["voter-a", "writes its own slot", put(own)],
  ["voter-a", "takes a generation", put(generationKey(voterId("eu-west-1a")))],
  ["voter-a", "publishes", put(publicationKey(group))],
  ["voter-a", "replaces a parameter", parameter("/valkeeper/mymaster/topology")],
  ["voter-a", "creates a record", record("CREATE")],
  ["publisher", "publishes", put(publicationKey(group))],
  ["publisher", "deletes a record", record("DELETE", "TXT")],
  ["publisher", "writes a record's twin", recordsAt("_valkeeper.mymaster.valkey.internal.")],
  ["notifier", "tells the bus", tell("valkeeper")],
  ["notifier", "tells the topic", publish(TOPIC_ARN)],
  ["registrar", "writes what is declared", put(specKey(group))],
  ["registrar", "counts what is declared in each shard", list(SPEC_PARTITION)],
  ["stopper", "writes how a stop ended", update(ballotKey(group))],
  ["stopper", "stops an instance that is tagged for a group", stopInstance(TAGGED)],
  ["stopper", "asks whether it is protected", protection(TAGGED)],
  ["stopper", "looks for instances", new DescribeInstancesCommand({})],
  ["stopper", "looks for tasks of its clusters", new ListTasksCommand({ cluster: "prod" })],
  ["stopper", "stops a task that is tagged for a group", stopTask("prod", TAGGED)],
  ["evacuator", "orders that a primary is handed over", put(requestKey(group))],
  ["evacuator", "looks at a group", update(ballotKey(group))],
  ["evacuator", "looks for an instance", new DescribeInstancesCommand({})],
  ["evacuator", "looks for tasks of its clusters", new ListTasksCommand({ cluster: "prod" })],
  ["evacuator", "lets an instance go that a hook of a tagged Auto Scaling group holds back", letGo(TAGGED)],
  ["evacuator", "wakes the voters", tell("valkeeper.evacuator")],
  ["registrar", "withdraws a group", remove(ballotKey(group))],
  ["operator", "looks at a group", get(ballotKey(group))],
  ["operator", "orders a switchover", put(requestKey(group))],
  ["operator", "pauses", update(ballotKey(group))],
  ["operator", "reads the history", list(ballotKey(group).pk)],
  ["administrator", "orders a switchover", put(requestKey(group))],
  ["administrator", "registers a group", put(specKey(group))],
  ["administrator", "removes what was published", remove(publicationKey(group))],
  ["application", "reads the primary's parameter", new GetParameterCommand({ Name: "/valkeeper/mymaster/primary" })],
  ["application", "reads what is published", get(publicationKey(group))],
];

// What IAM cannot refuse, as docs/security.md says; allowed here, so that nobody takes it for refused.
const conceded: readonly (readonly [string, string, SdkCommand])[] = [
  ["voter-a", "changes another voter's vote, an attribute of the ballot", update(ballotKey(group))],
  ["voter-a", "deletes a ballot or history in a batch", unappend(ballotKey(group))],
  ["voter-a", "enters another's slot into the directory", put({ pk: SLOT_DIRECTORY, sk: "eu-west-1b#0" })],
  ["registrar", "deletes history one by one", remove(event)],
  ["stopper", "writes votes and leases, attributes of the ballot", update(ballotKey(group))],
  ["evacuator", "replaces a ballot as a whole", put(ballotKey(group))],
  ["publisher", "writes any name below the zone's own", recordsAt("www.valkey.internal")],
  ["operator", "replaces a ballot as a whole", put(ballotKey(group))],
  ["application", "reads what is noted about the copies", get(copiesKey(group))],
];

const refused: readonly (readonly [string, string, SdkCommand])[] = [
  ["voter-a", "writes another voter's slot", put(other)],
  ["voter-a", "updates another voter's slot", update(other)],
  ["voter-a", "writes the slot of its zone's other shard", put(slotKey(voterId("eu-west-1a"), 1))],
  ["voter-a", "reads the slot of a shard whose number begins alike", get(slotKey(voterId("eu-west-1a"), 10))],
  ["voter-a", "takes a generation of another voter", put(generationKey(voterId("eu-west-1b")))],
  ["voter-a", "reads another voter's slot", get(other)],
  ["voter-a", "deletes an item", remove(own)],
  ["voter-a", "deletes a ballot", remove(ballotKey(group))],
  ["voter-a", "replaces a ballot as a whole", put(ballotKey(group))],
  ["voter-a", "declares a group", put(specKey(group))],
  ["voter-a", "changes what is declared", update(specKey(group))],
  ["voter-a", "writes a declaration in a batch with history", append(event, specKey(group))],
  ["voter-a", "deletes a publication in a batch", unappend(publicationKey(group))],
  ["voter-a", "lists history", list(ballotKey(group).pk)],
  ["voter-a", "writes a parameter elsewhere", parameter("/others/mymaster/topology")],
  ["voter-a", "writes a parameter whose name begins alike", parameter("/valkeeper-2/topology")],
  ["voter-a", "reads a parameter elsewhere", new GetParameterCommand({ Name: "/others/password" })],
  ["voter-a", "writes a record over whatever stands", record("UPSERT")],
  ["voter-a", "delegates a zone", record("CREATE", "NS")],
  ["voter-a", "writes the zone's own name", recordsAt("Valkey.Internal.")],
  ["voter-a", "writes the zone's own name with another", recordsAt("mymaster.valkey.internal", "valkey.internal")],
  ["publisher", "writes the zone's own name", recordsAt("valkey.internal")],
  ["voter-a", "writes another zone", record("CREATE", "A", "Z999")],
  ["voter-a", "reads another secret", secret("somebody/else")],
  ["voter-a", "reads a secret whose name begins alike", secret(`${SECRET_NAME}-of-another`)],
  ["voter-a", "tells the bus", tell("valkeeper")],
  ["publisher", "writes a ballot", update(ballotKey(group))],
  ["publisher", "deletes a publication", remove(publicationKey(group))],
  ["publisher", "deletes a publication in a batch", unappend(copiesKey(group))],
  ["publisher", "writes a slot", put(own)],
  ["publisher", "declares a group", put(specKey(group))],
  ["publisher", "writes a record over whatever stands", record("UPSERT")],
  ["publisher", "writes a parameter elsewhere", parameter("/others/mymaster/topology")],
  ["publisher", "reads the nodes' password", secret(SECRET_NAME)],
  ["notifier", "reads a ballot", get(ballotKey(group))],
  ["notifier", "lists what is declared", list(SPEC_PARTITION)],
  ["notifier", "writes history", append(event)],
  ["notifier", "tells in somebody else's name", tell("aws.ec2")],
  ["notifier", "tells another bus", tell("valkeeper", "others")],
  ["notifier", "tells another topic", publish(`${TOPIC_ARN}-2`)],
  ["notifier", "reads the nodes' password", secret(SECRET_NAME)],
  ["stopper", "stops an instance that is tagged for no group", stopInstance("i-other")],
  ["stopper", "asks whether such a one is protected", protection("i-other")],
  ["stopper", "terminates an instance", new TerminateInstancesCommand({ InstanceIds: [TAGGED] })],
  ["stopper", "starts an instance", new StartInstancesCommand({ InstanceIds: [TAGGED] })],
  ["stopper", "tags an instance", new CreateTagsCommand({ Resources: [TAGGED], Tags: [] })],
  ["stopper", "stops a task that is tagged for no group", stopTask("prod", "other")],
  ["stopper", "stops a task of another cluster", stopTask("others", TAGGED)],
  ["stopper", "looks for tasks of another cluster", new ListTasksCommand({ cluster: "others" })],
  ["stopper", "replaces a ballot as a whole", put(ballotKey(group))],
  ["stopper", "deletes a ballot", remove(ballotKey(group))],
  ["stopper", "publishes", put(publicationKey(group))],
  ["stopper", "declares a group", put(specKey(group))],
  ["stopper", "writes a slot", put(own)],
  ["stopper", "reads the nodes' password", secret(SECRET_NAME)],
  ["evacuator", "lets an instance of an Auto Scaling group go that is tagged for no group", letGo("other")],
  ["evacuator", "stops an instance", stopInstance(TAGGED)],
  ["evacuator", "terminates an instance", new TerminateInstancesCommand({ InstanceIds: [TAGGED] })],
  ["evacuator", "stops a task", stopTask("prod", TAGGED)],
  ["evacuator", "looks for tasks of another cluster", new ListTasksCommand({ cluster: "others" })],
  ["evacuator", "tells in the notifier's name", tell("valkeeper")],
  ["evacuator", "tells another bus", tell("valkeeper.evacuator", "other")],
  ["evacuator", "deletes a ballot", remove(ballotKey(group))],
  ["evacuator", "publishes", put(publicationKey(group))],
  ["evacuator", "declares a group", put(specKey(group))],
  ["evacuator", "writes a slot", put(own)],
  ["evacuator", "reads the nodes' password", secret(SECRET_NAME)],
  ["voter-a", "stops an instance", stopInstance(TAGGED)],
  ["publisher", "stops an instance", stopInstance(TAGGED)],
  ["registrar", "reads a ballot", get(ballotKey(group))],
  ["registrar", "writes a ballot", put(ballotKey(group))],
  ["registrar", "updates a ballot", update(ballotKey(group))],
  ["registrar", "writes a publication", put(publicationKey(group))],
  ["registrar", "deletes a slot", remove(own)],
  ["registrar", "reads the nodes' password", secret(SECRET_NAME)],
  ["operator", "registers a group", put(specKey(group))],
  ["operator", "removes a group", remove(specKey(group))],
  ["operator", "deletes a ballot", remove(ballotKey(group))],
  ["operator", "deletes history in a batch", unappend(event)],
  ["operator", "publishes", put(publicationKey(group))],
  ["operator", "writes a voter's view", put(own)],
  ["operator", "writes a parameter", parameter("/valkeeper/mymaster/primary")],
  ["operator", "reads the nodes' password", secret(SECRET_NAME)],
  ["administrator", "publishes", put(publicationKey(group))],
  ["administrator", "writes a voter's view", put(own)],
  ["administrator", "reads the nodes' password", secret(SECRET_NAME)],
  ["application", "reads another group's parameter", new GetParameterCommand({ Name: "/valkeeper/other/primary" })],
  ["application", "reads what is published of another group", get(publicationKey(groupName("other")))],
  ["application", "reads a ballot", get(ballotKey(group))],
  ["application", "lists what is declared", list(SPEC_PARTITION)],
  ["application", "publishes", put(publicationKey(group))],
  ["application", "writes a parameter", parameter("/valkeeper/mymaster/primary")],
  ...[
    "voter-a",
    "publisher",
    "notifier",
    "registrar",
    "stopper",
    "evacuator",
    "operator",
    "administrator",
    "application",
  ].map((role) => [role, "scans the table", scan] as const),
];

const ofTable = (role: string): readonly PolicyStatement[] =>
  (secured.roles.get(role) ?? []).filter(({ Condition }) =>
    JSON.stringify(Condition ?? "").includes("dynamodb:LeadingKeys"),
  );

/** Each action and partition by itself: the CDK merges statements of one role. */
const lines = (statements: readonly PolicyStatement[]): readonly string[] =>
  statements
    .flatMap(({ Action, Condition }) =>
      [Action]
        .flat()
        .flatMap((action) =>
          [Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"]]
            .flat()
            .map((partition) => JSON.stringify([action, partition, Condition?.["Null"]])),
        ),
    )
    .sort();

describe("network interfaces", () => {
  const actions = ["CreateNetworkInterface", "DeleteNetworkInterface", "DescribeSubnets", "AssignPrivateIpAddresses"];
  const ask = (action: string, context = {}) =>
    allows(secured.roles.get("voter-a") ?? [], { action: `ec2:${action}`, resource: "*", context });

  it.each(actions)("ec2:%s is Lambda's to ask in the voter's name, and not its code's", (action) => {
    const byCode = { "lambda:SourceFunctionArn": ["arn:aws:lambda:eu-west-1:123456789012:function:Voter1"] };
    expect([ask(action), ask(action, byCode)]).toEqual([true, false]);
  });
});

describe("least privilege", () => {
  it.each([
    ["voter", "voter-a"],
    ["publisher", "publisher"],
    ["registrar", "registrar"],
    ["stopper", "stopper"],
    ["evacuator", "evacuator"],
    ["operator", "operator"],
    ["application", "application"],
  ])("docs/security.md says what the %s may do in the table", (documented, role) => {
    expect(lines(documentedStatements(secured.tableArn).get(documented) ?? [])).toEqual(lines(ofTable(role)));
  });

  it("docs/security.md says what an administrator may do in the table beside that", () => {
    const documented = documentedStatements(secured.tableArn);
    const both = [...(documented.get("operator") ?? []), ...(documented.get("administrator") ?? [])];
    expect(lines(both)).toEqual(lines(ofTable("administrator")));
  });

  it.each(allowed)("%s %s", (role, _, command) => {
    expect(may(role, command)).toBe(true);
  });

  it.each(conceded)("%s %s, which IAM cannot tell apart", (role, _, command) => {
    expect(may(role, command)).toBe(true);
  });

  it.each(refused)("never: %s %s", (role, _, command) => {
    expect(may(role, command)).toBe(false);
  });
});
