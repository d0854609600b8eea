// CloudFormation waits for an answer by HTTP, for up to an hour, whatever happens here: so every path through this file
// ends in one.

import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from "aws-lambda";
import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { messageOf } from "../../lib/core/errors.ts";
import { shardsOf } from "../../lib/core/placement.ts";
import type { GroupName } from "../../lib/core/types.ts";
import type { RegistrarEnvironment } from "../../lib/runtime/environment.ts";
import { registerDeclared, type SpecStore, withdrawDeclared } from "../../lib/runtime/registration.ts";

/** The id of a resource that never came to be: CloudFormation asks to delete that too, and another's group may have the name. */
const NOT_REGISTERED = "not-registered";
/** A put of the answer takes milliseconds; with this it can fail once and be tried again. */
const ANSWER_TIMEOUT_MS = 10_000;
const ANSWER_ATTEMPTS = 3;

export function makeRegistrar(environment: RegistrarEnvironment) {
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const clients = createAwsClients({ region: environment.region });
    try {
      const store = createDynamodbStore({ client: clients.dynamodb, table: environment.table });
      await answer(event, await carryOut(event, store, environment));
    } finally {
      clients.destroy();
    }
  };
}

type Outcome = { readonly group: string } | { readonly failure: string };

async function carryOut(
  event: CloudFormationCustomResourceEvent,
  store: SpecStore,
  { voters, hasStopper, shards, groupsPerVoter }: RegistrarEnvironment,
): Promise<Outcome> {
  try {
    const by = { stack: stackOf(event.StackId), resource: event.LogicalResourceId };
    if (event.RequestType === "Delete") {
      const group = event.PhysicalResourceId;
      if (group !== NOT_REGISTERED) await withdrawDeclared(store, group as GroupName, by);
      return { group };
    }
    const declaration = JSON.parse(String(event.ResourceProperties["Declaration"])) as { readonly name: string };
    const deployment = {
      ...{ voters, hasStopper, shards: shardsOf(shards, groupsPerVoter) },
      preferredShard: shardOf(event.ResourceProperties["Shard"]),
    };
    const declaring = { ...by, isNew: event.RequestType === "Create" };
    const registration = await registerDeclared(store, declaration, deployment, declaring);
    return registration.kind === "registered" ? { group: declaration.name } : { failure: registration.detail };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

/** A stack that is deleted and made again under its name has another ARN, and is the same to whoever deploys it. */
const stackOf = (arn: string): string => arn.replace(/(:stack\/[^/]+)\/.*$/, "$1");

/** CloudFormation makes a text of a number. Absent where there is one shard. */
const shardOf = (property: unknown): number | null => (typeof property === "string" ? Number(property) : null);

async function answer(event: CloudFormationCustomResourceEvent, outcome: Outcome): Promise<void> {
  const { StackId, RequestId, LogicalResourceId } = event;
  const standing = event.RequestType === "Create" ? NOT_REGISTERED : event.PhysicalResourceId;
  const common = { StackId, RequestId, LogicalResourceId };
  const response: CloudFormationCustomResourceResponse =
    "group" in outcome
      ? { ...common, Status: "SUCCESS", PhysicalResourceId: outcome.group }
      : { ...common, Status: "FAILED", PhysicalResourceId: standing, Reason: outcome.failure.slice(0, 1_000) };
  for (let attempt = 1; ; attempt += 1) {
    try {
      await put(event.ResponseURL, JSON.stringify(response));
      return;
    } catch (error) {
      // Without an answer the stack hangs until its time-out, so the failure is at least in the log.
      if (attempt === ANSWER_ATTEMPTS) throw error;
    }
  }
}

async function put(url: string, body: string): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetch(url, { method: "PUT", body, headers: { "content-type": "" }, signal });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`CloudFormation's answer address said ${response.status}`);
}
