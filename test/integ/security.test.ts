// One run of a whole installation, with a rotated password, a refused login, a refused command, evacuated hosts, a failover
// for which a host is stopped, a stopped task and Spot instance; then what was asked of AWS is held against the synthesized policies, and everything that was written is searched for the passwords.

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { groupName } from "../../lib/core/types.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { SPECS_EVERY_MS } from "../../lib/runtime/voter-loop.ts";
import { placedSecretText, SECRET_NAME, type SecuredStack, synthesizeSecured } from "../constructs/secured-stack.ts";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { type AwsRequest, allows, applies, type PolicyStatement } from "../support/iam-policy.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually, sleep, useProcessGroup } from "../support/local-group.ts";
import { findSecret, plantSecret } from "../support/planted-secret.ts";
import { attributeRows, type Touched, touchedBy } from "../support/table-attributes.ts";
import { SecuredRun } from "./secured-run.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
const name = groupName("mymaster");
const [first, second, replication] = [plantSecret(), plantSecret(), plantSecret()];
const { user } = localAccess.coordinator;
let run: SecuredRun;
let secured: SecuredStack;

const ballot = () => run.store.readBallot(name);
const isReady = async (): Promise<boolean> => {
  const standing = await ballot();
  return standing !== null && isHealthy(standing, run.nodes.length);
};

beforeAll(async () => {
  run = new SecuredRun(endpoint());
  await run.prepare(group, { coordinator: first, replication });
  process.stderr.write("whatever a function writes here is kept\n");
  secured = synthesizeSecured(run);
  run.written.set("the templates", `${secured.text}${placedSecretText()}`);
  await run.register("Create");
  run.startVoters(first);
  await eventually("the group is healthy", isReady, 60_000);
  await run.publish();
  await rotate();
  await refuseACommand();
  await evacuate();
  await failOver();
  expect(await run.hosts.stopOthers()).toMatchObject([
    { kind: "stopped", detail: run.hosts.others.task },
    { kind: "stopped", detail: run.hosts.others.instance },
  ]);
  await operate();
  await run.resolve(name);
  await run.notify();
  await loseTheBallot();
  await run.keepRecords();
  await run.register("Delete");
  await run.close();
}, 300_000);

afterAll(async () => {
  await run?.close();
});

/** First on one node, so that everybody's login fails there; then in the secret and on all nodes. */
async function rotate(): Promise<void> {
  await run.setPassword(run.nodes.slice(2), second);
  const isTold = async () => /n3 is misconfigured/.test(await run.valkeeper(["status", name]));
  await eventually("a refused login is shown", isTold, 30_000);
  await run.storeSecret(second);
  await run.setPassword(run.nodes, second);
  const isKnown = async () => !/wrong-password/.test(JSON.stringify((await run.store.listSlots()).slice(0, 2)));
  await eventually("the new password is known", isKnown, 30_000);
}

async function refuseACommand(): Promise<void> {
  const [, target] = run.nodes;
  await target?.ask("ACL", "SETUSER", user, "-replicaof");
  const order = run.valkeeper(["switchover", name, "--to", "n2", "--reason", "a test"]);
  const isRefused = () => run.written.get("the functions' stdout")?.includes("NOPERM") === true;
  await eventually("the promotion is refused", isRefused, 30_000);
  await order;
  await eventually("the group is healthy again, with the old primary", isReady, 30_000);
  await target?.ask("ACL", "SETUSER", user, "+replicaof");
}

async function evacuate(): Promise<void> {
  const old = (await ballot())?.primary?.node ?? "";
  await run.hosts.evacuate(old);
  expect((await ballot())?.primary?.node).not.toBe(old);
  await eventually("the group is healthy again, with another primary", isReady, 30_000);
}

async function failOver(): Promise<void> {
  await run.valkeeper(["groups", "set", name, "stopInstance=required"]);
  // The voters look at what is declared so often.
  await sleep(2 * SPECS_EVERY_MS);
  const old = (await ballot())?.primary?.node ?? "";
  await run.nodes.find((node) => node.id === old)?.kill();
  await run.hosts.stop();
  expect(await run.hosts.stateOf(old)).toBe("stopped");
  await eventually("another primary is committed", async () => (await ballot())?.primary?.node !== old, 60_000);
  await eventually("the failover is over", async () => (await ballot())?.operation === null, 60_000);
  await run.spoilCopies();
  await run.publish();
  // Once more, when all of it stands already.
  await run.publish();
}

/** As somebody does by hand; the voters adopt the group anew, which arms it: in a run without it they do so by chance. */
async function loseTheBallot(): Promise<void> {
  await run.removeBallot();
  await eventually("the group is adopted anew, and armed", async () => (await ballot())?.armed === true, 60_000);
}

async function operate(): Promise<void> {
  const inline = {
    name: "other",
    nodes: [{ id: "n1", host: "127.3.0.11", port: 7001, zone: "eu-west-1a" }],
    credentials: { password: first },
  };
  // As with a deployment that changes something else.
  await run.register("Update");
  await run.valkeeper(["groups", "add", "--file", "wrong.json"], { "wrong.json": JSON.stringify(inline) });
  const good = { ...inline, credentials: { secretId: SECRET_NAME, user } };
  await run.valkeeper(["groups", "add", "--file", "good.json", "--wait", "3s"], { "good.json": JSON.stringify(good) });
  for (const args of [
    ["groups", "remove", "other", "--yes"],
    ["groups", "list"],
    ["groups", "set", name, "nodes.n1.priority=0"],
    ["pause", name, "--reason", "a test", "--for", "5m"],
    ["resume", name],
    ["status", name],
    ["status", name, "--json"],
    ["why", name],
    ["history", name, "--limit", "500"],
  ]) {
    await run.valkeeper(args);
  }
}

const askedBy = (role: string): readonly AwsRequest[] =>
  run.recorder.requestsOf(role, secured.tableArn, run.hosts.tagged);

describe("the rights of each role", () => {
  it.each([
    ...["voter-a", "voter-b", "voter-c", "publisher", "notifier", "registrar", "stopper", "evacuator"],
    ...["operator", "administrator", "application"],
  ])("%s: everything that it asked of AWS is allowed", (role) => {
    const asked = askedBy(role);
    expect(asked.length).toBeGreaterThan(1);
    const denied = asked.filter((request) => !allows(secured.roles.get(role) ?? [], request));
    expect(denied).toEqual([]);
  });

  // What the services do in the function's name; and what the CDK grants with the secret.
  const unasked =
    /^(logs|sqs):|^ec2:\w+(NetworkInterfaces?|Subnets|PrivateIpAddresses)$|Stream|^dynamodb:Get(Records|ShardIterator)|DescribeSecret/;
  const rarelyAsked: Readonly<Record<string, readonly string[]>> = {
    // Where two publishers meet at one parameter.
    publisher: ["ssm:GetParameter"],
  };

  const together = new Map([
    ["voter-a", ["voter-a", "voter-b", "voter-c"]],
    // An administrator is an operator too.
    ["administrator", ["administrator", "operator"]],
  ]);

  it.each([
    ...["voter-a", "publisher", "notifier", "registrar", "stopper", "evacuator"],
    ...["operator", "administrator", "application"],
  ])("%s: everything that is granted was asked", (role) => {
    const asked = (together.get(role) ?? [role]).flatMap(askedBy).map(asVoterA);
    const unused = (secured.roles.get(role) ?? [])
      .flatMap(narrowest)
      .filter(({ Action }) => !unasked.test(String(Action)) && rarelyAsked[role]?.includes(String(Action)) !== true)
      .filter((statement) => !asked.some((request) => applies(statement, request)));
    expect(unused).toEqual([]);
  });
});

/** Which of the voters wins is not ours to say: what one asks of its own slot counts as asked by the first. */
const asVoterA = (request: AwsRequest): AwsRequest =>
  JSON.parse(JSON.stringify(request).replaceAll(/voter#eu-west-1[bc]#/g, "voter#eu-west-1a#")) as AwsRequest;

/** A statement for each action, and for each partition where it names some. */
function narrowest(statement: PolicyStatement): readonly PolicyStatement[] {
  const partitions = statement.Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"];
  return [statement.Action].flat().flatMap((Action) =>
    partitions === undefined
      ? [{ ...statement, Action }]
      : [partitions].flat().map((each) => ({
          ...statement,
          Action,
          Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": each } },
        })),
  );
}

/** By role as docs/security.md names it. */
const callers: readonly (readonly [string, readonly string[]])[] = [
  ["voter", ["voter-a", "voter-b", "voter-c"]],
  ...["publisher", "registrar", "stopper", "evacuator", "operator", "administrator", "application"].map(
    (role) => [role, [role]] as const,
  ),
];

/** IAM cannot confine them: what is asked is known from the requests alone. */
describe("the attributes of the table's items", () => {
  it.each(callers)(
    "that the %s's requests read, set and ask for are those of docs/security.md",
    (documented, roles) => {
      const touched = roles.flatMap((role) => touchedIn(role).map((each) => named(each, role)));
      const rows = new RegExp(`^\\| ${documented} \\| [^|]* \\| (?:yes|-) \\|.*$`, "gm");
      const text = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
      expect(attributeRows(documented, touched)).toEqual(text.match(rows));
    },
  );
});

const touchedIn = (role: string): readonly Touched[] =>
  run.recorder
    .commandsOf(role)
    .filter(
      ({ constructor: { name }, input }) =>
        name !== "DescribeTableCommand" && ("TableName" in input || "RequestItems" in input),
    )
    .flatMap(touchedBy);

/** Each voter's own vote apart from the others'. */
function named(touched: Touched, role: string): Touched {
  const nameOf = (attribute: string): string =>
    attribute
      .replace(`vote_eu-west-1${role.at(-1)}`, "vote_<its zone>")
      .replace(/vote_eu-west-1[abc]/, "vote_<another zone>");
  return { ...touched, sets: touched.sets.map(nameOf), asks: touched.asks.map(nameOf) };
}

const places = [
  "the functions' stdout",
  "the functions' stderr",
  "the functions' environments",
  "the voters' results",
  "the publisher's results",
  "the registrar's answers",
  "the notifier's results",
  "the stopper's results",
  "the evacuator's results",
  "the command line",
  "the table",
  "the parameters",
  "the DNS records",
  "the notifications",
  "the bus's events",
  "the requests",
  "the templates",
];

describe("the passwords", () => {
  it("were used, refused and changed in this run", () => {
    const log = run.written.get("the functions' stdout") ?? "";
    expect(log).toContain("wrong-password");
    expect(log).toContain("failover.completed");
    expect(run.written.get("the command line")).toMatch(/NOPERM|permission/);
  });

  it("are placed by CloudFormation, and so only named in the template", () => {
    expect(run.written.get("the templates")).toContain(`{{resolve:secretsmanager:`);
    expect(run.written.get("the templates")).toContain(`secret:${SECRET_NAME}:SecretString`);
  });

  it("are looked for wherever this run has written something", () => {
    expect([...run.written.keys()].toSorted()).toEqual(places.toSorted());
  });

  it.each(places)("are in no text of %s", (place) => {
    const text = run.written.get(place) ?? "";
    expect(text.length).toBeGreaterThan(10);
    for (const secret of [first, second, replication]) expect(findSecret(secret, new Map([[place, text]]))).toEqual([]);
  });
});
