// Where applications are told to read, with real nodes, three voters and the publisher's own loop: replicas that stop, lose
// their link or fall behind leave the parameter and the record, and come back.

import { randomUUID } from "node:crypto";
import { CreateHostedZoneCommand, ListResourceRecordSetsCommand } from "@aws-sdk/client-route-53";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterEach, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import { after } from "../../lib/core/types.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { publishGroups } from "../../lib/runtime/publisher-loop.ts";
import { clientsFor, localCloudForFile } from "../contract/group-store-endpoints.ts";
import { testPrefix } from "../support/cloud-under-test.ts";
import { LiveGroup } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const NAME = "readers.example.org";
const DOWN_AFTER_MS = 1_000;
/** What the parameter and the record say is read so often; a look of the publisher's costs as much. */
const LOOK_MS = 200;

const endpoint = localCloudForFile();
const group = useProcessGroup();
const hosts = [1, 2, 3].map((last) => `127.0.47.${last}`);
let live: LiveGroup | undefined;
let clients: AwsClients | undefined;

afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
  live?.close();
  clients?.destroy();
  for (const node of live?.nodes ?? []) {
    node.wake();
    await node.kill();
  }
});

async function start() {
  const aws = clientsFor(endpoint());
  clients = aws;
  const zone = new CreateHostedZoneCommand({ Name: "example.org", CallerReference: randomUUID() });
  const hostedZoneId = ((await aws.route53.send(zone)).HostedZone?.Id ?? "").replace("/hostedzone/", "");
  const dns = { hostedZoneId, name: "primary.example.org", ttlSeconds: 1, readersName: NAME };
  const parameterPrefix = `/${testPrefix()}`;
  live = await LiveGroup.create({
    group,
    endpoint: endpoint(),
    nodes: hosts.map((host) => ({ host })),
    settings: { downAfterMs: DOWN_AFTER_MS, publication: { parameterPrefix, dns } },
  });
  const { store, name, log } = live;
  const clock = new SystemClock();
  const publisher = createPublisher({ store, ssm: aws.ssm, route53: aws.route53, clock });
  const journal = { write: () => undefined };
  const publish = () =>
    publishGroups({ store, publisher, clock, journal }, { only: null, deadline: after(clock.now(), 20_000) });
  const parameter = async () => {
    const command = new GetParameterCommand({ Name: `${parameterPrefix}/${name}/readers` });
    return (await aws.ssm.send(command)).Parameter?.Value;
  };
  const record = async () => {
    const command = new ListResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, StartRecordName: NAME });
    const { ResourceRecordSets: [first] = [] } = await aws.route53.send(command);
    return first?.ResourceRecords?.map((each) => each.Value);
  };
  live.startVoters();
  return { live, log, publish, parameter, record };
}

describe("the readers of a group", () => {
  it("are its healthy, in-sync replicas, and the primary while there is none", async () => {
    const { live: it, log, publish, parameter, record } = await start();
    const ballot = await it.healthy();
    const primary = it.node(ballot.primary?.node ?? "");
    const [one, other] = it.nodes.filter((node) => node !== primary) as [typeof primary, typeof primary];
    const say = (...nodes: readonly (typeof primary)[]) => ({
      text: nodes.map(({ host, port }) => `${host}:${port}`).join(","),
      values: nodes.map(({ host }) => host).sort(),
    });
    const published = (what: string, { text, values }: ReturnType<typeof say>, withinMs: number) =>
      eventually(
        what,
        async () => {
          await publish();
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
          return (await parameter()) === text && JSON.stringify(await record()) === JSON.stringify(values);
        },
        withinMs,
      );
    await published("both replicas are readers", say(one, other), 10_000);

    // It answers and says that its link is down: for the whole of down-after, and a little for everything else.
    await other.ask("CONFIG", "SET", "masterauth", "wrong");
    await other.ask("CLIENT", "KILL", "TYPE", "master");
    await published("the one without a link has left", say(one), DOWN_AFTER_MS + 5_000);

    // It answers nobody, and its primary holds it for linked: until it has not acknowledged anything for three seconds.
    one.hang();
    await published("the primary stands in for both", say(primary), DOWN_AFTER_MS + 8_000);

    one.wake();
    await other.ask("CONFIG", "SET", "masterauth", localAccess.replication.password);
    await published("both are back", say(one, other), 30_000);

    const told = log.filter(({ event }) => event.startsWith("replica.set-aside") || event === "replica.readmitted");
    expect(told.map(({ event, node }) => `${event} ${node}`)).toEqual([
      `replica.set-aside ${other.id}`,
      `replica.set-aside ${one.id}`,
      expect.stringMatching(/^replica\.readmitted/),
      expect.stringMatching(/^replica\.readmitted/),
    ]);
    expect(log.filter(({ event }) => event === "lease.acquired").length).toBe(1);
  }, 90_000);
});
