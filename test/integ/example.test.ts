// The example of docs/deploy.md ("See it work"), as far as one machine goes: the document's own commands make the certificate, the
// local cloud gets the stack, and real servers run with the files that the machines' user data writes.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateSecretCommand, GetSecretValueCommand, ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import { Template } from "aws-cdk-lib/assertions";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { APPLICATION_USER } from "../../lib/constructs/example-node.ts";
import { CERTIFICATE_SECRET, EXAMPLE_GROUP } from "../../lib/constructs/example-stack.ts";
import { groupName } from "../../lib/core/types.ts";
import { clientsOf, deployApp, invokeNow } from "../../lib/local/deploy.ts";
import { isFree } from "../../lib/local/free-port.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import type { Program } from "../../lib/local/process-group.ts";
import { runProgram } from "../../lib/local/run-program.ts";
import { pathForPrograms, projectRoot, readTools } from "../../lib/local/tools.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { PATIENT } from "../contract/group-store-endpoints.ts";
import { userDataIn, withoutTypes } from "../support/example-template.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

/** All of 127/8 is this machine, on Linux; the example's addresses are then its own. */
const NETWORK = "127.47";
const PORT = 6379;
/** What the local cloud does not know, and would refuse the whole template for. */
const UNKNOWN_TO_THE_LOCAL_CLOUD = [
  "AWS::EC2::EIP",
  "AWS::EC2::Instance",
  "AWS::EC2::NatGateway",
  "AWS::EC2::SecurityGroupEgress",
  "AWS::EC2::SecurityGroupIngress",
];
const STACK = "ValkeeperExample";

const group = useProcessGroup();
const name = groupName(EXAMPLE_GROUP);
const path = `${join(projectRoot, "node_modules", ".bin")}:${pathForPrograms()}`;
let folder: string;
let cloud: LocalCloud;
let clients: ReturnType<typeof clientsOf>;
let store: OperatorStore;
let passwords: Passwords;
let nodes: readonly ExampleNode[];
let userData: readonly string[];
let voters: readonly string[];

/** The variables that the first part of the user data sets. */
interface Passwords {
  readonly coordinator: string;
  readonly replication: string;
  readonly application: string;
  readonly certificate: string;
}

/** Everything that is another on this machine than on the example's. */
const onThisMachine = (text: string, root: string): string =>
  text
    .replaceAll("/usr/bin/valkey-server", readTools().valkey.server)
    .replaceAll("/var/lib/valkey", `${root}/data`)
    .replaceAll("/etc/", `${root}/etc/`);

/** The server that a unit of the example starts. */
class ExampleNode {
  readonly address: string;
  readonly #root: string;
  #program: Program | undefined;

  constructor(index: number) {
    this.address = `${NETWORK}.${index}.10`;
    this.#root = group.makeFolder(`example-n${index + 1}`);
  }

  /** From where the files are made until they belong to their user; the shell is the machine's. */
  async writeFiles(text: string, values: Passwords): Promise<void> {
    const part = text.slice(text.indexOf("mkdir -p /etc/valkey"), text.indexOf("chown -R"));
    mkdirSync(join(this.#root, "etc/systemd/system"), { recursive: true });
    const script = join(this.#root, "files.sh");
    writeFileSync(script, `set -euo pipefail\numask 077\n${onThisMachine(part, this.#root)}`);
    const variables = Object.entries(values).map(([variable, value]) => `${variable}=${value}`);
    await runProgram("env", [...variables, "bash", script]);
  }

  async start(): Promise<void> {
    const unit = readFileSync(join(this.#root, "etc/systemd/system/valkey.service"), "utf8");
    const [command = "", ...args] = (/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "").split(" ");
    let isReady = false;
    const onLine = (line: string): void => {
      isReady ||= line.includes("Ready to accept connections");
    };
    const program = await group.spawn({ name: this.address, command, args, endedBy: "SIGKILL", onLine });
    this.#program = program;
    await eventually(`${this.address} is ready or ends`, () => isReady || !program.isRunning, 15_000);
    expect(isReady, program.output).toBe(true);
  }

  async kill(): Promise<void> {
    await this.#program?.stop({ signal: "SIGKILL" });
  }

  /** As an application, or as nobody. */
  async ask(user: string | null, ...[command = "", ...args]: readonly string[]): Promise<unknown> {
    const login = user === null ? {} : { username: user, password: passwords.application };
    const ca = readFileSync(inFolder("ca.pem"));
    const tls = { ca, servername: "valkeeper-example" };
    const client = new Redis({ host: this.address, port: PORT, tls, ...login, retryStrategy: () => null });
    client.on("error", () => undefined);
    try {
      return await client.call(command, ...args);
    } finally {
      client.disconnect();
    }
  }
}

/** Where the document's commands leave their files. */
const inFolder = (file: string): string => join(folder, "valkeeper-example", file);

/** The commands that come before the first one for AWS. */
function certificateCommands(): string {
  const text = readFileSync(join(projectRoot, "docs", "deploy.md"), "utf8");
  const [, block = ""] = text.slice(text.indexOf("## See it work")).split("```");
  return block.slice(0, block.indexOf("aws secretsmanager"));
}

async function makeCertificate(): Promise<void> {
  const script = join(folder, "certificate.sh");
  writeFileSync(script, `set -eu\n${certificateCommands()}`);
  await runProgram("env", [`HOME=${folder}`, "bash", script]);
  const SecretString = readFileSync(inFolder("node.pem"), "utf8");
  await clients.secretsManager.send(new CreateSecretCommand({ Name: CERTIFICATE_SECRET, SecretString }));
}

/** Synthesized as anybody's, deployed without what the local cloud does not know. */
async function deployExample(): Promise<void> {
  const assembly = join(folder, "cdk.out");
  const context = {
    ...(JSON.parse(readFileSync(join(projectRoot, "cdk.json"), "utf8")) as { readonly context: object }).context,
    ...{ authority: inFolder("ca.pem"), network: NETWORK, imageId: "ami-0123456789abcdef0" },
  };
  const environment = [`PATH=${path}`, `CDK_OUTDIR=${assembly}`, `CDK_CONTEXT_JSON=${JSON.stringify(context)}`];
  const program = [process.execPath, join(projectRoot, "bin", "example.ts")];
  await runProgram("env", ["-C", projectRoot, ...environment, ...program], { timeoutMs: 120_000 });
  const file = join(assembly, `${STACK}.template.json`);
  const whole = JSON.parse(readFileSync(file, "utf8")) as Parameters<typeof withoutTypes>[0];
  userData = userDataIn(Template.fromJSON(whole));
  writeFileSync(file, JSON.stringify(withoutTypes(whole, UNKNOWN_TO_THE_LOCAL_CLOUD)));
  const outputs = join(folder, "outputs.json");
  await deployApp({ group, cloud, cwd: projectRoot, path, args: ["--app", assembly, "--outputs-file", outputs] });
  const all = JSON.parse(readFileSync(outputs, "utf8")) as Record<string, Record<string, string>>;
  store = createDynamodbStore({ client: clients.dynamodb, table: all[STACK]?.["TableName"] ?? "", limits: PATIENT });
}

/** What CloudFormation has made up, read as a machine reads it. */
async function readPasswords(): Promise<Passwords> {
  const { SecretList = [] } = await clients.secretsManager.send(new ListSecretsCommand({}));
  const value = async (SecretId: string | undefined): Promise<string> =>
    (await clients.secretsManager.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? "";
  const of = (user: string): Promise<string> =>
    value(SecretList.find(({ Description = "" }) => Description.endsWith(`password of ${user}`))?.ARN);
  const [coordinator, replication, application, certificate] = await Promise.all([
    ...["coordinator", "replication", "application"].map(of),
    value(CERTIFICATE_SECRET),
  ]);
  // The shell cuts off the last line's end.
  const pem = certificate?.trimEnd() ?? "";
  return {
    coordinator: coordinator ?? "",
    replication: replication ?? "",
    application: application ?? "",
    certificate: pem,
  };
}

async function functionsCalled(part: string): Promise<readonly string[]> {
  const response = await fetch(`${cloud.endpoint}/2015-03-31/functions/`);
  const { Functions } = (await response.json()) as { readonly Functions: readonly { readonly FunctionName: string }[] };
  return Functions.map(({ FunctionName }) => FunctionName).filter((each) => each.includes(part));
}

const primary = async (): Promise<string | undefined> => (await store.readBallot(name))?.primary?.node;
const nodeOf = (id: string | undefined): ExampleNode => {
  const node = nodes[Number(id?.slice(1)) - 1];
  if (node === undefined) throw new Error(`no node ${id}`);
  return node;
};
const isReady = async (): Promise<boolean> => {
  const ballot = await store.readBallot(name);
  return ballot !== null && isHealthy(ballot, nodes.length);
};

describe.skipIf(process.platform !== "linux")("the example", () => {
  beforeAll(async () => {
    folder = group.makeFolder("example");
    nodes = [0, 1, 2].map((index) => new ExampleNode(index));
    for (const { address } of nodes) expect(await isFree(address, PORT), `${address}:${PORT} is taken`).toBe(true);
    cloud = await startLocalCloud({ group });
    clients = clientsOf(cloud);
    await makeCertificate();
    await deployExample();
    passwords = await readPasswords();
    await Promise.all(
      nodes.map(async (node, index) => {
        await node.writeFiles(userData[index] ?? "", passwords);
        await node.start();
      }),
    );
    voters = await functionsCalled("Voter");
    await Promise.all(voters.map((voter) => invokeNow(cloud, voter)));
  }, 240_000);
  afterAll(() => clients?.destroy());

  it("begins with the declared primary, and all nodes in sync", async () => {
    expect(voters).toHaveLength(3);
    await eventually("the group is healthy", isReady, 60_000);
    expect(await primary()).toBe("n1");
  }, 90_000);

  it("lets nobody in without a password, and an application do its work and no more", async () => {
    await expect(nodeOf("n1").ask(null, "GET", "key")).rejects.toThrow(/NOAUTH/);
    expect(await nodeOf("n1").ask(APPLICATION_USER, "SET", "key", "value")).toBe("OK");
    await expect(nodeOf("n1").ask(APPLICATION_USER, "REPLICAOF", "NO", "ONE")).rejects.toThrow(/NOPERM/);
  });

  it("fails over, keeps what was replicated, and takes the old primary back as a replica", async () => {
    const holds = (node: ExampleNode) => node.ask(APPLICATION_USER, "GET", "key");
    await eventually("it is replicated", async () => (await holds(nodeOf("n2"))) === "value");
    await eventually("it is replicated", async () => (await holds(nodeOf("n3"))) === "value");
    await nodeOf("n1").kill();
    await eventually("another primary is committed", async () => (await primary()) !== "n1", 30_000);
    const next = nodeOf(await primary());
    expect(await holds(next)).toBe("value");
    await nodeOf("n1").start();
    await eventually("all are in sync", isReady, 60_000);
    expect(await nodeOf("n1").ask(APPLICATION_USER, "ROLE")).toEqual(
      expect.arrayContaining(["slave", next.address, PORT, "connected"]),
    );
  }, 120_000);
});
