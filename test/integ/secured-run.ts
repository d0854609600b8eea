// Everything that an installation runs, as deployed, in this process and on real nodes that need a password: each function
// in the name of its role, so that what it asks of AWS is known, and everything that anybody writes is kept.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DeleteItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
} from "@aws-sdk/client-route-53";
import { CreateSecretCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import {
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  PutParameterCommand,
} from "@aws-sdk/client-ssm";
import type { CloudFormationCustomResourceEvent } from "aws-lambda";
import { vi } from "vitest";
import { makeNotifier } from "../../functions/notifier/notifier.ts";
import { makePublisher } from "../../functions/publisher/publisher.ts";
import { makeRegistrar } from "../../functions/registrar/registrar.ts";
import { makeVoter } from "../../functions/voter/voter.ts";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { marshalItem } from "../../lib/adapters/dynamodb/attribute-value.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { ballotKey, eventKey } from "../../lib/adapters/dynamodb/keys.ts";
import { runCli } from "../../lib/cli/program.ts";
import { type GroupName, groupName, wallTime } from "../../lib/core/types.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import {
  parseNotifierEnvironment,
  parsePublisherEnvironment,
  parseRegistrarEnvironment,
  parseVoterEnvironment,
} from "../../lib/runtime/environment.ts";
import { SECRET_NAME } from "../constructs/secured-stack.ts";
import { clientsFor, makeTable, PATIENT } from "../contract/group-store-endpoints.ts";
import { RequestRecorder } from "../support/aws-requests.ts";
import { Inbox } from "../support/inbox.ts";
import { eventually } from "../support/local-group.ts";
import { SecuredHosts } from "./secured-hosts.ts";

const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const NAME = groupName("mymaster");
/** All of 127/8 is this machine on Linux only; a DNS record has no port, so each node has an address of its own. */
const HOSTS = ZONES.map((_, index) => (process.platform === "linux" ? `127.3.0.${11 + index}` : "127.0.0.1"));
/** One invocation; the next one follows at once, as the schedule's do. */
const LIFE_MS = 40_000;

type Variables = Readonly<Record<string, string>>;

/** The functions that are called here one by one, of whichever version. */
export interface CalledFunctions {
  /** Whether they know a group's `readersName`. */
  readonly knowReaders: boolean;
  readonly registrar: (variables: Variables) => ReturnType<typeof makeRegistrar>;
  readonly publisher: (variables: Variables) => ReturnType<typeof makePublisher>;
  readonly notifier: (variables: Variables) => ReturnType<typeof makeNotifier>;
}

const presentFunctions: CalledFunctions = {
  knowReaders: true,
  registrar: (variables) => makeRegistrar(parseRegistrarEnvironment(variables)),
  publisher: (variables) => makePublisher(parsePublisherEnvironment(variables)),
  notifier: (variables) => makeNotifier(parseNotifierEnvironment(variables)),
};

interface Passwords {
  readonly coordinator: string;
  /** Nodes tell it to whoever asks for their settings, as the voters do. */
  readonly replication: string;
}

export class SecuredRun {
  readonly recorder = new RequestRecorder();
  /** All texts that were written, by place. */
  readonly written = new Map<string, string>();
  readonly clients: AwsClients;
  store!: OperatorStore;
  hosts!: SecuredHosts;
  nodes: readonly ValkeyProcess[] = [];
  table = "";
  zoneId = "";
  topicArn = "";
  readonly #inbox: Inbox;
  readonly #endpoint: string;
  readonly #functions: CalledFunctions;
  readonly #answers: Server;
  readonly #voters: Promise<void>[] = [];
  #isOver = false;

  constructor(endpoint: string, functions = presentFunctions) {
    this.#endpoint = endpoint;
    this.#functions = functions;
    this.clients = clientsFor(endpoint);
    this.#inbox = new Inbox(endpoint);
    this.#answers = createServer((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => this.#keep("the registrar's answers", text));
      request.on("end", () => response.end());
    });
  }

  async prepare(group: ProcessGroup, { coordinator, replication }: Passwords): Promise<void> {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "test");
    vi.stubEnv("AWS_ENDPOINT_URL", this.#endpoint);
    for (const stream of ["stdout", "stderr"] as const) {
      vi.spyOn(process[stream], "write").mockImplementation((text) => this.#keep(`the functions' ${stream}`, text));
    }
    const access = {
      ...localAccess,
      coordinator: { ...localAccess.coordinator, password: coordinator },
      replication: { ...localAccess.replication, password: replication },
    };
    this.nodes = await Promise.all(
      HOSTS.map((host, index) => {
        const settings = { "replica-announce-ip": host, "bind-source-addr": host };
        return ValkeyProcess.start({ group, host, id: `n${index + 1}`, access, boot: "fenced", settings });
      }),
    );
    await new Promise<void>((resolve) => this.#answers.listen(0, "127.0.0.1", resolve));
    const [zone] = await Promise.all([
      this.clients.route53.send(new CreateHostedZoneCommand({ Name: "valkey.internal", CallerReference: "secured" })),
      this.clients.secretsManager.send(
        new CreateSecretCommand({ Name: SECRET_NAME, SecretString: JSON.stringify({ password: coordinator }) }),
      ),
    ]);
    this.zoneId = (zone.HostedZone?.Id ?? "").replace("/hostedzone/", "");
    this.topicArn = await this.#inbox.subscribe("steps");
    await this.#inbox.follow("bus", { eventBus: "default", pattern: { source: ["valkeeper"] } });
    this.table = await makeTable(this.clients);
    this.store = createDynamodbStore({ client: this.clients.dynamodb, table: this.table, limits: PATIENT });
    const { clients, store, recorder } = this;
    const keep = (place: string, text: string): void => void this.#keep(place, text);
    this.hosts = new SecuredHosts({
      clients,
      store,
      recorder,
      group: NAME,
      variables: this.#told(this.#variables),
      keep,
    });
    await this.hosts.prepare(this.nodes);
  }

  #keep(place: string, text: unknown): boolean {
    this.written.set(place, `${this.written.get(place) ?? ""}${String(text)}\n`);
    return true;
  }

  /** What a function's environment holds, but for the password that is placed into it on purpose. */
  #told<T extends Variables>(variables: T): T {
    this.#keep("the functions' environments", JSON.stringify(variables));
    return variables;
  }

  get #variables(): Record<string, string> {
    return { AWS_REGION: "eu-west-1", VALKEEPER_TABLE: this.table, VALKEEPER_VOTERS: ZONES.join(",") };
  }

  /** As CloudFormation does with the resource of a declared group. */
  async register(RequestType: "Create" | "Update" | "Delete"): Promise<void> {
    const declaration = {
      name: NAME,
      nodes: this.nodes.map(({ id, host, port }, index) => ({ id, host, port, zone: ZONES[index] })),
      downAfterMs: 2_000,
      armAfterMs: 300,
      credentials: { user: localAccess.coordinator.user, secretId: SECRET_NAME },
      publication: {
        dns: {
          hostedZoneId: this.zoneId,
          name: `${NAME}.valkey.internal`,
          ttlSeconds: 1,
          ...(process.platform === "linux" && this.#functions.knowReaders
            ? { readersName: `readers-${NAME}.valkey.internal` }
            : {}),
        },
      },
    };
    const event = {
      ...{ RequestType, StackId: "stack", RequestId: "request", LogicalResourceId: NAME, PhysicalResourceId: NAME },
      ResponseURL: `http://127.0.0.1:${(this.#answers.address() as AddressInfo).port}/`,
      ResourceProperties: { Declaration: JSON.stringify(declaration) },
    } as unknown as CloudFormationCustomResourceEvent;
    const registrar = this.#functions.registrar(this.#told(this.#variables));
    await this.recorder.as("registrar", () => registrar(event));
  }

  /** The third is given its password at deployment, as with egress `none`. */
  startVoters(placedPassword: string): void {
    for (const [index, VALKEEPER_VOTER] of ZONES.entries()) {
      const isPlaced = index === 2;
      const variables = this.#told({
        ...this.#variables,
        VALKEEPER_VOTER,
        VALKEEPER_PUBLISHES: isPlaced ? "" : "ssm,dns",
        VALKEEPER_METRICS: "groups",
        ...(isPlaced ? { VALKEEPER_SECRET_ID: SECRET_NAME } : {}),
      });
      const placed = isPlaced ? { VALKEEPER_SECRET_VALUE: placedPassword } : {};
      const voter = makeVoter(parseVoterEnvironment({ ...variables, ...placed }));
      const role = `voter-${"abc"[index]}`;
      this.#voters.push(this.recorder.as(role, () => this.#serve(role, voter)));
    }
  }

  async #serve(role: string, voter: ReturnType<typeof makeVoter>): Promise<void> {
    for (let call = 1; !this.#isOver; call += 1) {
      const invocation = { awsRequestId: `${role}-${call}`, getRemainingTimeInMillis: () => LIFE_MS };
      const result = await voter({}, invocation).catch((error: unknown) => error);
      this.#keep("the voters' results", result instanceof Error ? result.stack : JSON.stringify(result));
    }
  }

  async publish(): Promise<void> {
    const publisher = this.#functions.publisher(this.#told({ ...this.#variables, VALKEEPER_METRICS: "groups" }));
    const result = await this.recorder.as("publisher", () => publisher({}, { getRemainingTimeInMillis: () => 60_000 }));
    this.#keep("the publisher's results", JSON.stringify(result));
  }

  /** A hand that leaves the publisher something to write, once the voters have published what they had to. */
  async spoilCopies(): Promise<void> {
    const isPublished = async (): Promise<boolean> => {
      const [{ ssm, dns }, ballot] = await Promise.all([this.store.readCopies(NAME), this.store.readBallot(NAME)]);
      const committed = ballot?.primary?.epoch;
      return ssm?.epoch === committed && dns?.epoch === committed;
    };
    await eventually("the copies are published", isPublished, 30_000);
    const Name = `/valkeeper/${NAME}/topology`;
    const edit = new PutParameterCommand({ Name, Value: "edited by hand", Type: "String", Overwrite: true });
    await this.clients.ssm.send(edit);
    const HostedZoneId = this.zoneId;
    const list = new ListResourceRecordSetsCommand({ HostedZoneId });
    const { ResourceRecordSets = [] } = await this.clients.route53.send(list);
    const ours = ResourceRecordSets.filter(({ Type }) => Type === "A" || Type === "TXT");
    const Changes = ours.map((ResourceRecordSet) => ({ Action: "DELETE" as const, ResourceRecordSet }));
    await this.clients.route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
  }

  /** Everything in the group's history, as the stream brings it. */
  async notify(): Promise<void> {
    const history = await this.store.readHistory(NAME, { limit: 1_000, newestFirst: false });
    const Records = history.map((step, index) => {
      const { pk, sk } = eventKey(NAME, step.id);
      const Keys = { pk: { S: pk }, sk: { S: sk } };
      const NewImage = { ...marshalItem(step as never), ...Keys };
      return { eventName: "INSERT", dynamodb: { Keys, NewImage, SequenceNumber: String(index) } };
    });
    const bound = { VALKEEPER_TOPIC_ARN: this.topicArn, VALKEEPER_EVENT_BUS: "default" };
    const notifier = this.#functions.notifier(this.#told({ ...this.#variables, ...bound }));
    const result = await this.recorder.as("notifier", () => notifier({ Records }));
    this.#keep("the notifier's results", JSON.stringify(result));
    const messages = await this.#inbox.received("steps", history.length, 20_000);
    for (const message of messages) this.#keep("the notifications", JSON.stringify(message));
    const events = await this.#inbox.received("bus", history.length, 20_000);
    for (const event of events) this.#keep("the bus's events", JSON.stringify(event));
  }

  /** The command line's text; `files` are what it may read. */
  async valkeeper(args: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<string> {
    let text = "";
    const tell = (each: string): void => {
      text += `${each}\n`;
    };
    const role = args[0] === "groups" ? "administrator" : "operator";
    const exit = await this.recorder.as(role, () =>
      runCli(
        {
          version: "0",
          variables: this.#variables,
          openStore: ({ table }) => createDynamodbStore({ client: this.clients.dynamodb, table, limits: PATIENT }),
          screen: {
            out: tell,
            note: tell,
            isTerminal: false,
            hasColours: false,
            replace: tell,
            settle: () => undefined,
          },
          wallTime: () => wallTime(Date.now()),
          pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
          interrupted: new AbortController().signal,
          operator: "kim@laptop",
          newId: () => crypto.randomUUID(),
          readText: (path) => Promise.resolve(files[path] ?? ""),
          writeText: (path, text) => Promise.resolve(void this.#keep(`the file ${path}`, text)),
          runLocal: () => Promise.resolve(0),
        },
        args,
      ),
    );
    this.#keep("the command line", text);
    return `${text}exit ${exit}`;
  }

  /** Finds the primary as an application does: by the parameters, and by the table's own item. */
  async resolve(group: GroupName): Promise<void> {
    const names = ["primary", "topology"].map((each) => `/valkeeper/${group}/${each}`);
    await this.recorder.as("application", async () => {
      await this.clients.ssm.send(new GetParameterCommand({ Name: names[0] }));
      await this.clients.ssm.send(new GetParametersCommand({ Names: names }));
      await this.store.readPublication(group);
    });
  }

  async removeBallot(): Promise<void> {
    const { pk, sk } = ballotKey(NAME);
    const Key = { pk: { S: pk }, sk: { S: sk } };
    await this.clients.dynamodb.send(new DeleteItemCommand({ TableName: this.table, Key }));
  }

  /** Where a password is changed by hand: in the secret. */
  async storeSecret(password: string): Promise<void> {
    const SecretString = JSON.stringify({ password });
    await this.clients.secretsManager.send(new PutSecretValueCommand({ SecretId: SECRET_NAME, SecretString }));
  }

  /** And on the nodes, where it also ends the coordinator's connections. */
  async setPassword(nodes: readonly ValkeyProcess[], password: string): Promise<void> {
    const { user } = localAccess.coordinator;
    for (const node of nodes) {
      await node.ask("ACL", "SETUSER", user, "resetpass", `>${password}`);
      await node.ask("CLIENT", "KILL", "USER", user);
    }
  }

  /** What stands in AWS, and all that was sent there. */
  async keepRecords(): Promise<void> {
    const { Items = [] } = await this.clients.dynamodb.send(new ScanCommand({ TableName: this.table }));
    this.#keep("the table", JSON.stringify(Items));
    const parameters = new GetParametersByPathCommand({ Path: `/valkeeper/${NAME}`, Recursive: true });
    this.#keep("the parameters", JSON.stringify((await this.clients.ssm.send(parameters)).Parameters));
    const records = new ListResourceRecordSetsCommand({ HostedZoneId: this.zoneId });
    this.#keep("the DNS records", JSON.stringify((await this.clients.route53.send(records)).ResourceRecordSets));
    this.#keep("the requests", JSON.stringify(this.recorder.sent.map(({ command }) => command.input)));
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#voters);
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    this.recorder.restore();
    this.#inbox.close();
    this.clients.destroy();
    this.#answers.close();
  }
}
