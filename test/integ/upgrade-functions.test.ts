// Publisher, notifier and registrar of an earlier version, with the rights that this version gives their roles: an update
// changes a role before the last invocation of the code before has ended, and a roll back brings that code back. The voters
// are in upgrade.test.ts.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type * as Notifier from "../../functions/notifier/notifier.ts";
import type * as Publisher from "../../functions/publisher/publisher.ts";
import type * as Registrar from "../../functions/registrar/registrar.ts";
import { groupName } from "../../lib/core/types.ts";
import type * as Environment from "../../lib/runtime/environment.ts";
import { type SecuredStack, synthesizeSecured } from "../constructs/secured-stack.ts";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { unpackEarlierVersion } from "../support/earlier-version.ts";
import { allows } from "../support/iam-policy.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";
import { plantSecret } from "../support/planted-secret.ts";
import { type CalledFunctions, SecuredRun } from "./secured-run.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
const earlier = unpackEarlierVersion(group);
const name = groupName("mymaster");
let run: SecuredRun;
let secured: SecuredStack;

async function functionsAt(root: string): Promise<CalledFunctions> {
  const load = (...path: readonly string[]): Promise<unknown> => import(pathToFileURL(join(root, ...path)).href);
  const { makeRegistrar } = (await load("functions", "registrar", "registrar.ts")) as typeof Registrar;
  const { makePublisher } = (await load("functions", "publisher", "publisher.ts")) as typeof Publisher;
  const { makeNotifier } = (await load("functions", "notifier", "notifier.ts")) as typeof Notifier;
  const environment = (await load("lib", "runtime", "environment.ts")) as typeof Environment;
  return {
    knowReaders: false,
    registrar: (variables) => makeRegistrar(environment.parseRegistrarEnvironment(variables)),
    publisher: (variables) => makePublisher(environment.parsePublisherEnvironment(variables)),
    notifier: (variables) => makeNotifier(environment.parseNotifierEnvironment(variables)),
  };
}

const isReady = async (): Promise<boolean> => {
  const ballot = await run.store.readBallot(name);
  return ballot !== null && isHealthy(ballot, run.nodes.length);
};

beforeAll(async () => {
  if (earlier.kind === "missing") return;
  run = new SecuredRun(endpoint(), await functionsAt(earlier.root));
  const coordinator = plantSecret();
  await run.prepare(group, { coordinator, replication: plantSecret() });
  secured = synthesizeSecured(run);
  await run.register("Create");
  await run.register("Update");
  run.startVoters(coordinator);
  await eventually("the group is healthy", isReady, 60_000);
  await run.publish();
  await run.spoilCopies();
  await run.publish();
  await run.notify();
  await run.keepRecords();
  await run.register("Delete");
  await run.close();
}, 180_000);
beforeEach((context) => context.skip(earlier.kind === "missing", earlier.kind === "missing" ? earlier.reason : ""));
afterAll(async () => {
  await run?.close();
});

/** What each must have asked, or nothing is shown by its being allowed. */
const asked: readonly (readonly [string, readonly string[]])[] = [
  ["publisher", ["Query", "BatchGetItem", "PutItem", "UpdateItem", "PutParameter", "ChangeResourceRecordSets"]],
  ["notifier", ["PublishBatch", "PutEvents"]],
  ["registrar", ["GetItem", "PutItem", "DeleteItem"]],
];

describe("functions of an earlier version", () => {
  it.each(asked)(
    "the %s's role, as this version grants it, allows everything that the earlier one asks",
    (role, wanted) => {
      const commands = new Set(run.recorder.commandsOf(role).map((each) => each.constructor.name));
      expect(wanted.filter((each) => !commands.has(`${each}Command`))).toEqual([]);
      const denied = run.recorder
        .requestsOf(role, secured.tableArn)
        .filter((request) => !allows(secured.roles.get(role) ?? [], request));
      expect(denied).toEqual([]);
    },
  );

  it("the registrar's answers, the publisher's and the notifier's results say that all was done", () => {
    const answers = (run.written.get("the registrar's answers") ?? "").match(/"Status":"\w+"/g);
    expect(answers).toEqual(Array(3).fill('"Status":"SUCCESS"'));
    expect(run.written.get("the publisher's results")).not.toMatch(/"failed":\{"/);
    expect(run.written.get("the notifier's results")).toMatch(/"batchItemFailures":\[\]/);
    expect(run.written.get("the functions' stdout")).not.toMatch(/record\.unreadable|setting\.left-out/);
  });
});
