import { randomUUID } from "node:crypto";
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from "@aws-sdk/client-route-53";
import { GetParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import type { GroupName } from "../../lib/core/types.ts";
import { givenZone, testPrefix } from "../support/cloud-under-test.ts";
import { type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";
import { configOf, publicationAt, publisherAt } from "./publication-setting.ts";
import { type Copy, describePublisherContract, type PublisherWorld } from "./publisher.contract.ts";

const endpoint = localCloudForFile();
const ZONE = givenZone()?.name ?? "example.com";
const PREFIX = `/${testPrefix()}`;
const PORT = 6379;

describePublisherContract("SSM and Route 53 adapters, local cloud", async () => {
  const made = await makeStoreAt(endpoint());
  return new RealWorld(made, givenZone()?.id ?? (await makeZone(made)));
});

async function makeZone({ clients }: EndpointStore): Promise<string> {
  const command = new CreateHostedZoneCommand({ Name: ZONE, CallerReference: randomUUID() });
  return (await clients.route53.send(command)).HostedZone?.Id ?? "";
}

class RealWorld implements PublisherWorld {
  readonly #made: EndpointStore;
  readonly #zone: string;
  readonly #publishers: readonly ReturnType<typeof publisherAt>[];

  constructor(made: EndpointStore, zone: string) {
    this.#made = made;
    this.#zone = zone;
    this.#publishers = [publisherAt(made), publisherAt(made)];
  }

  publish(...[copy, group, order, by = 0]: Parameters<PublisherWorld["publish"]>) {
    return this.#publisher(by).publish(copy, publicationAt(group, order), this.#config(group));
  }

  publishNowhere(...[copy, group, order]: Parameters<PublisherWorld["publishNowhere"]>) {
    const nowhere = configOf(group, { parameterPrefix: null, dns: null });
    return this.#publisher(0).publish(copy, publicationAt(group, order), nowhere);
  }

  async standing(group: GroupName): Promise<number> {
    return (await this.#publisher(0).standing(this.#config(group))).epoch;
  }

  async confirmed(group: GroupName) {
    return this.#made.store.readCopies(group);
  }

  read(copy: Copy, group: GroupName): Promise<string | null> {
    return copy === "ssm" ? this.#parameters(group) : this.#records(group);
  }

  async rename(copy: Copy, group: GroupName, host: string): Promise<void> {
    if (copy === "ssm") {
      const Name = `${PREFIX}/${group}/primary`;
      await this.#made.clients.ssm.send(new PutParameterCommand({ Name, Value: `${host}:${PORT}`, Overwrite: true }));
      return;
    }
    await this.#change({ Action: "UPSERT", ResourceRecordSet: addressOf(group, host) });
  }

  async exchange(group: GroupName, { from, to }: { readonly from: string; readonly to: string }): Promise<boolean> {
    try {
      await this.#change(
        { Action: "DELETE", ResourceRecordSet: addressOf(group, from) },
        { Action: "CREATE", ResourceRecordSet: addressOf(group, to) },
      );
      return true;
    } catch (error) {
      if ((error as Error).name !== "InvalidChangeBatch") throw error;
      return false;
    }
  }

  async #change(...Changes: Change[]): Promise<void> {
    const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: this.#zone, ChangeBatch: { Changes } });
    await this.#made.clients.route53.send(command);
  }

  async close(): Promise<void> {
    await this.#made.close();
  }

  #publisher(by: 0 | 1) {
    return this.#publishers[by] as ReturnType<typeof publisherAt>;
  }

  #config(group: GroupName) {
    const dns = { hostedZoneId: this.#zone, name: hostOf(group), ttlSeconds: 5 };
    return configOf(group, { parameterPrefix: PREFIX, dns });
  }

  /** The order is the topology's, the host is what simple clients read. */
  async #parameters(group: GroupName): Promise<string | null> {
    const [topology, primary] = await Promise.all(["topology", "primary"].map((name) => this.#parameter(group, name)));
    if (topology == null || primary == null) return null;
    const { epoch, revision } = JSON.parse(topology) as { epoch: number; revision: number };
    return `${epoch}.${revision} ${primary.replace(`:${PORT}`, "")}`;
  }

  async #parameter(group: GroupName, name: string): Promise<string | null> {
    try {
      const answer = await this.#made.clients.ssm.send(new GetParameterCommand({ Name: `${PREFIX}/${group}/${name}` }));
      return answer.Parameter?.Value ?? null;
    } catch (error) {
      if ((error as Error).name !== "ParameterNotFound") throw error;
      return null;
    }
  }

  /** The order is the twin's. */
  async #records(group: GroupName): Promise<string | null> {
    const of = (name: string, type: string) => this.#record(name, type);
    const twin = await of(`_valkeeper.${hostOf(group)}`, "TXT");
    const address = await of(hostOf(group), "A");
    const order = /epoch=(\d+) revision=(\d+)/.exec(twin ?? "");
    return order === null || address === null ? null : `${order[1]}.${order[2]} ${address}`;
  }

  async #record(name: string, type: string): Promise<string | null> {
    const command = new ListResourceRecordSetsCommand({
      HostedZoneId: this.#zone,
      StartRecordName: name,
      MaxItems: 10,
    });
    const { ResourceRecordSets: all = [] } = await this.#made.clients.route53.send(command);
    const found = all.find((each) => each.Name === `${name}.` && each.Type === type);
    return found?.ResourceRecords?.[0]?.Value ?? null;
  }
}

const addressOf = (group: GroupName, host: string): ResourceRecordSet => ({
  Name: hostOf(group),
  Type: "A",
  TTL: 5,
  ResourceRecords: [{ Value: host }],
});

const hostOf = (group: GroupName): string => `${group}.${ZONE}`;
