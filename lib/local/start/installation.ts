// The installation that `npm start` shows: three boot-fenced nodes, each at an address of its own, the local cloud with
// what an account has before Valkeeper comes to it (a secret, a hosted zone), and the stack.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CreateHostedZoneCommand, type Route53Client } from "@aws-sdk/client-route-53";
import { CreateSecretCommand, DeleteSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { AwsClients } from "../../adapters/aws/clients.ts";
import { createDynamodbStore } from "../../adapters/dynamodb/group-store.ts";
import { type GroupName, groupName } from "../../core/types.ts";
import type { OperatorStore, PublicationStore } from "../../ports/group-store.ts";
import { clientsOf, type Deployed, type DeployOptions, deployStack, destroyStack } from "../deploy.ts";
import { cloudAt, type LocalCloud, startLocalCloud } from "../local-cloud.ts";
import { PATIENT } from "../local-store.ts";
import type { ProcessGroup } from "../process-group.ts";
import { localAccess } from "../valkey-config.ts";
import { ValkeyProcess } from "../valkey-process.ts";

export const GROUP: GroupName = groupName("mymaster");
export const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] as const;
export const ZONE_NAME = "valkey.internal";

export interface Cloud {
  readonly cloud: LocalCloud;
  readonly clients: AwsClients;
  readonly hostedZoneId: string;
  readonly names: Names;
}

/** What is made at the endpoint is found by these. */
interface Names {
  readonly stack: string;
  readonly secret: string;
  readonly parameterPrefix: string;
}

/** An endpoint of somebody else's may hold what another run has made, or is still using. */
function namesAt(endpoint: string | undefined): Names {
  const own = endpoint === undefined ? "" : `-${randomBytes(4).toString("hex")}`;
  return { stack: `Valkeeper${own}`, secret: `valkey/coordinator${own}`, parameterPrefix: `/valkeeper${own}` };
}

export interface Installation extends Cloud {
  readonly nodes: readonly ValkeyProcess[];
  /** Each node writes its process id there, with every start anew. */
  readonly pidFolder: string;
  readonly deployed: Deployed;
  readonly store: OperatorStore;
}

export async function startNodes(group: ProcessGroup, pidFolder: string): Promise<readonly ValkeyProcess[]> {
  return Promise.all(
    ZONES.map((_, index) => {
      const host = addressOf(index);
      const id = `n${index + 1}`;
      return ValkeyProcess.start({
        group,
        host,
        id,
        boot: "fenced",
        access: localAccess,
        // Among loopback addresses the system would choose 127.0.0.1 as where a node's own connections come from.
        settings: { "replica-announce-ip": host, "bind-source-addr": host, pidfile: pidFile(pidFolder, id) },
      });
    }),
  );
}

const pidFile = (folder: string, id: string): string => join(folder, `${id}.pid`);

export const pidFileOf = ({ pidFolder }: Installation, { id }: ValkeyProcess): string => pidFile(pidFolder, id);

/** All of 127/8 is this machine on Linux only. */
const addressOf = (index: number): string => (process.platform === "linux" ? `127.1.0.${11 + index}` : "127.0.0.1");

export async function startCloud(group: ProcessGroup): Promise<Cloud> {
  const named = process.env["AWS_ENDPOINT_URL"];
  const cloud = named === undefined ? await startLocalCloud({ group }) : cloudAt(named, process.env["AWS_REGION"]);
  const clients = clientsOf(cloud);
  const names = namesAt(named);
  group.onClose(() => clients.destroy());
  const [hostedZoneId] = await Promise.all([
    createHostedZone(clients.route53),
    clients.secretsManager.send(
      new CreateSecretCommand({
        Name: names.secret,
        SecretString: JSON.stringify({ password: localAccess.coordinator.password }),
      }),
    ),
  ]);
  return { cloud, clients, hostedZoneId, names };
}

async function createHostedZone(route53: Route53Client): Promise<string> {
  const created = await route53.send(
    new CreateHostedZoneCommand({ Name: ZONE_NAME, CallerReference: randomBytes(8).toString("hex") }),
  );
  return (created.HostedZone?.Id ?? "").replace("/hostedzone/", "");
}

export const deploy = (
  group: ProcessGroup,
  cloud: Cloud,
  nodes: readonly ValkeyProcess[],
  onLine: (line: string) => void,
): Promise<Deployed> => deployStack({ ...stackOf(group, cloud, nodes), onLine });

/**
 * Takes the stack and the secret away where they would stay: at an endpoint that does not end with this process. The copies of the
 * publication stay, as they do when any stack goes, under a prefix and in a zone of this run's own.
 */
export async function takeDown(group: ProcessGroup, installation: Installation): Promise<void> {
  const { clients, nodes, names } = installation;
  await destroyStack(stackOf(group, installation, nodes));
  const secret = { SecretId: names.secret, ForceDeleteWithoutRecovery: true };
  await clients.secretsManager.send(new DeleteSecretCommand(secret));
}

export const isForeign = (): boolean => process.env["AWS_ENDPOINT_URL"] !== undefined;

function stackOf(
  group: ProcessGroup,
  { cloud, hostedZoneId, names }: Cloud,
  nodes: readonly ValkeyProcess[],
): DeployOptions {
  return {
    group,
    cloud,
    settings: {
      stackName: names.stack,
      vpc: {
        vpcId: "vpc-0123456789abcdef0",
        zones: ZONES,
        subnetIds: ZONES.map((_, index) => `subnet-0123456789abcdef${index}`),
        routeTableIds: ZONES.map((_, index) => `rtb-0123456789abcdef${index}`),
      },
      egress: "nat",
      credentials: { user: localAccess.coordinator.user, secretName: names.secret },
      publication: { parameterPrefix: names.parameterPrefix, hostedZone: { id: hostedZoneId, name: ZONE_NAME } },
      retainTable: false,
      groups: [
        {
          name: GROUP,
          primary: "n1",
          nodes: nodes.map((node, index) => ({ id: node.id, host: node.host, port: node.port, zone: ZONES[index] })),
          // The default is ten seconds: nobody wants to watch those.
          armAfterMs: 2_000,
        },
      ],
    },
  };
}

export const storeOf = (clients: AwsClients, table: string): OperatorStore =>
  createDynamodbStore({ client: clients.dynamodb, table, limits: PATIENT });

/** An application gives up sooner and asks again. */
export const storeForClients = ({ clients, deployed }: Installation): PublicationStore =>
  createDynamodbStore({ client: clients.dynamodb, table: deployed.table });
