// Voters of an earlier version and of this one, beside each other at one group of real servers: an update in the middle of
// which things fail, and the way back. docs/upgrades.md tells operators what is tried here.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { VoterId } from "../../lib/core/types.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { VARIABLES } from "../../lib/runtime/environment.ts";
import { synthesizeSecured } from "../constructs/secured-stack.ts";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { commandOf, requestsOf, type SdkCommand } from "../support/aws-requests.ts";
import { type EarlierVersion, unpackEarlierVersion } from "../support/earlier-version.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { allows } from "../support/iam-policy.ts";
import { LiveGroup } from "../support/live-group.ts";
import { eventually, sleep, useProcessGroup } from "../support/local-group.ts";
import { type CodeVersion, presentVersion, RollingVoter, type ToldLine } from "../support/rolling-voter.ts";

const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const endpoint = localCloudForFile();
const group = useProcessGroup();
const earlier: EarlierVersion = unpackEarlierVersion(group);
const past: CodeVersion = earlier.kind === "unpacked" ? { name: "earlier", root: earlier.root } : presentVersion;
const told: ToldLine[] = [];
/** What each voter asked of AWS, whichever version of it. */
const asked = new Map<VoterId, SdkCommand[]>();
const secured = synthesizeSecured();
let onTold: (line: ToldLine) => void = () => undefined;
let live: LiveGroup;
let a: RollingVoter;
let b: RollingVoter;
let c: RollingVoter;

beforeAll(async () => {
  if (earlier.kind === "missing") return;
  const settings = { downAfterMs: 1_000, publication: { parameterPrefix: "/valkeeper", dns: null } };
  live = await LiveGroup.create({ group, endpoint: endpoint(), voters: ZONES, settings });
  [a, b, c] = (await Promise.all(live.voterIds.map(makeVoter))) as [RollingVoter, RollingVoter, RollingVoter];
  for (const voter of [a, b, c]) await voter.begin(past);
  await live.healthy(30_000);
  expect([...asked.values()].flat().length).toBeGreaterThan(10);
}, 60_000);
beforeEach((context) => context.skip(earlier.kind === "missing", earlier.kind === "missing" ? earlier.reason : ""));
afterAll(async () => {
  for (const voter of [a, b, c]) await voter?.kill();
  live?.close();
});

async function makeVoter(id: VoterId): Promise<RollingVoter> {
  const proxy = await FaultProxy.before(endpoint());
  group.onClose(() => proxy.refuse());
  const commands: SdkCommand[] = [];
  asked.set(id, commands);
  proxy.onRequest = (operation, body) => commands.push(commandOf(operation, JSON.parse(body) as object));
  return new RollingVoter({
    group,
    store: live.store,
    id,
    environment: {
      AWS_ENDPOINT_URL: proxy.endpoint,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      [VARIABLES.region]: "eu-west-1",
      [VARIABLES.table]: live.table,
      [VARIABLES.voter]: id,
      [VARIABLES.voters]: live.voterIds.join(","),
      [VARIABLES.publishes]: "ssm",
      // What the group's registration refers to.
      [VARIABLES.secretId]: "unused-here",
      [VARIABLES.secretValue]: localAccess.coordinator.password,
    },
    onLine: (line) => {
      told.push(line);
      onTold(line);
    },
  });
}

/** Another primary is committed and published where clients look, within downAfterMs and a loaded machine's delay. */
async function failedOver(old: ValkeyProcess): Promise<void> {
  await live.healthyWithout(old.id, 20_000);
  const published = async () => (await live.store.readPublication(live.name))?.primary.node;
  const next = await live.primary();
  await eventually("the new primary is published", async () => (await published()) === next.id);
  expect(await next.ask("SET", "after", old.id)).toBe("OK");
  await old.restart();
  await live.healthy(30_000);
}

async function fails(): Promise<void> {
  const old = await live.primary();
  await old.kill();
  await failedOver(old);
}

/**
 * A switchover is begun by a voter of one version that is the only one, and killed in the middle; a voter of the other version
 * comes, and has nothing but the record. What it makes of it, the old primary again or the new one, is the protocol's affair.
 */
async function finishedByAnother(holder: CodeVersion, finisher: CodeVersion): Promise<void> {
  for (const voter of [a, b, c]) await voter.kill();
  await a.begin(holder);
  let stopped = false;
  for (let round = 1; !stopped; round += 1) {
    expect(round).toBeLessThan(10);
    const granted = new Promise<void>((resolve) => {
      onTold = ({ event }) => {
        if (event !== "lease.acquired") return;
        a.signal("SIGSTOP");
        resolve();
      };
    });
    const before = await live.healthy(30_000);
    const id = await live.request("switchover");
    await granted;
    onTold = () => undefined;
    // What it had sent is carried out; then the record says whether it was still at work.
    await sleep(200);
    const ballot = await live.store.readBallot(live.name);
    stopped = ballot?.lease != null && ballot.operation !== null && ballot.epoch > before.epoch;
    if (!stopped) {
      a.signal("SIGCONT");
      await live.result(id);
    }
  }
  await a.kill();
  const since = told.length;
  await b.begin(finisher);
  const isTakenOver = () => told.slice(since).some(({ event }) => event === "lease.taken-over");
  await eventually("the other version takes it over", isTakenOver, 30_000);
  await live.healthy(30_000);
  expect((await live.store.readBallot(live.name))?.operation).toBeNull();
  await a.begin(finisher);
  await c.begin(finisher);
}

/** What no voter of either version may say because of the other's records. */
const COMPLAINTS = ["record.unreadable", "group.held", "group.failed", "setting.left-out", "function.failed"];

describe("an earlier version and this one", () => {
  it("L2: a failover while the first voter has an invocation of each", async () => {
    const before = await a.generation();
    await a.begin(presentVersion);
    // It has taken the slot and calls nothing regular yet: the earlier one stays as long as that is so.
    await eventually("the new version begins", async () => (await a.generation()) > before, 20_000);
    await fails();
    await a.untilAlone(before);
  }, 90_000);

  it("S3: the votes of one of each make a quorum", async () => {
    await c.kill();
    const since = told.length;
    await fails();
    const voted = told
      .slice(since)
      .filter(({ event }) => event === "primary.subjectively-down")
      .map(({ version }) => version);
    expect(new Set(voted)).toEqual(new Set(["earlier", "present"]));
  }, 90_000);

  it("an order is carried out when two of three have this version", async () => {
    await c.begin(presentVersion);
    const from = await live.primary();
    const id = await live.request("switchover");
    expect(await live.result(id)).toMatchObject({ kind: "done" });
    expect((await live.healthy()).primary?.node).not.toBe(from.id);
    await b.replace(presentVersion);
  }, 90_000);

  it("S11: what the earlier one began is finished by this one", async () => {
    await finishedByAnother(past, presentVersion);
  }, 120_000);

  it("S11: what this one began is finished by the earlier one, and rolled back the group fails over", async () => {
    await finishedByAnother(presentVersion, past);
    await fails();
  }, 150_000);

  it("a voter's role, as this version grants it, allows everything that either asked of AWS", () => {
    for (const [index, id] of live.voterIds.entries()) {
      const statements = secured.roles.get(`voter-${"abc"[index]}`) ?? [];
      const requests = (asked.get(id) ?? []).flatMap((command) => requestsOf(command, secured.tableArn));
      const denied = requests.filter((request) => !allows(statements, request));
      expect(new Set(denied.map((request) => JSON.stringify(request))), id).toEqual(new Set());
    }
    const actions = new Set([...asked.values()].flat().map((command) => command.constructor.name));
    const wanted = ["GetItem", "PutItem", "UpdateItem", "BatchWriteItem", "PutParameter"];
    expect(wanted.filter((action) => !actions.has(`${action}Command`))).toEqual([]);
  });

  it("no voter of either met a record or a setting that it could not read", () => {
    expect(told.filter(({ event }) => COMPLAINTS.includes(event))).toEqual([]);
  });
});
