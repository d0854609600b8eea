// The table as four reads and three conditional writes, in plain JSON, each bounded. Reads reject with `PortError`.
// Writes resolve to what is known, because every caller has something else to do about "refused" and "unknown".

import { setTimeout as sleep } from "node:timers/promises";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  type TableDescription,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Item, Json } from "../../core/ballot-write.ts";
import { PortError } from "../../core/errors.ts";
import { type Called, type CallLimits, call, type Failure, pauseMs } from "../aws/call.ts";
import { type Attributes, marshal, marshalItem, unmarshalItem } from "./attribute-value.ts";
import type { Expressions } from "./expression.ts";
import type { Key } from "./keys.ts";

/** What a conditional write is known to have done. The items are still attribute values: decoding may throw. */
export type Written =
  | { readonly kind: "applied"; readonly attributes: Attributes }
  /** `attributes`: the item that made the condition fail, null: there is none. */
  | { readonly kind: "refused"; readonly attributes: Attributes | null; readonly earlierAmbiguous: boolean }
  | { readonly kind: "failed"; readonly failure: Failure; readonly earlierAmbiguous: boolean };

/** A condition for a put or delete, and for updates that are not the ballot's. Names as `#x`, values as `:x`. */
export interface Guard {
  readonly condition: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, Json>>;
}

export interface Table {
  readonly name: string;
  tableId(): Promise<string>;
  get(port: string, key: Key, consistent: boolean): Promise<Item | null>;
  /** Eventually consistent; found items by key, in no order. */
  getMany(
    port: string,
    keys: readonly Key[],
  ): Promise<readonly { readonly key: Key; readonly attributes: Attributes }[]>;
  /** Consistent; sort keys ascending unless `newestFirst`. */
  query(port: string, query: TableQuery): Promise<readonly Attributes[]>;
  update(key: Key, expressions: Expressions): Promise<Written>;
  put(key: Key, item: Item, guard: Guard | null): Promise<Written>;
  remove(port: string, key: Key): Promise<void>;
  putMany(port: string, items: readonly { readonly key: Key; readonly item: Item }[]): Promise<void>;
}

export interface TableQuery {
  readonly partition: string;
  readonly prefix?: string;
  /** Exclusive. */
  readonly after?: string;
  readonly limit?: number;
  readonly newestFirst?: boolean;
}

const WANTED_KEY = "pk HASH S, sk RANGE S";
/** Service limits of one batch. */
const KEYS_PER_READ = 100;
const ITEMS_PER_WRITE = 25;

export function createTable(client: DynamoDBClient, name: string, limits: CallLimits): Table {
  const reader = new Reader(client, name, limits);
  const writer = new Writer(client, name, limits);
  return {
    name,
    // Asked each time: an environment outlives many invocations, and meanwhile a copy may have been restored by this name.
    tableId: () => describeTable(client, name, limits),
    get: (port, key, consistent) => reader.get(port, key, consistent),
    getMany: (port, keys) => reader.getMany(port, keys),
    query: (port, query) => reader.query(port, query),
    update: (key, expressions) => writer.update(key, expressions),
    put: (key, item, guard) => writer.put(key, item, guard),
    remove: (port, key) => writer.remove(port, key),
    putMany: (port, items) => writer.putMany(port, items),
  };
}

async function describeTable(client: DynamoDBClient, name: string, limits: CallLimits): Promise<string> {
  const command = new DescribeTableCommand({ TableName: name });
  const { Table } = orThrow("tableId", await call((abortSignal) => client.send(command, { abortSignal }), limits));
  checkKey(name, Table);
  if (Table?.TableId !== undefined) return Table.TableId;
  // AWS always gives one. Where an emulator does not, name and moment of creation tell a restored copy apart as well.
  const { TableArn: arn, CreationDateTime: created } = Table ?? {};
  if (arn === undefined || created === undefined) throw storeError("tableId", `the endpoint gives ${name} no id`);
  return `${arn}@${created.getTime()}`;
}

/** A table that somebody else made may be any: without this every read would fail with an error that tells nobody why. */
function checkKey(name: string, description: TableDescription | undefined): void {
  const { KeySchema: schema = [], AttributeDefinitions: definitions = [] } = description ?? {};
  const types = new Map(definitions.map((each) => [each.AttributeName, each.AttributeType]));
  const key = schema.map((each) => `${each.AttributeName} ${each.KeyType} ${types.get(each.AttributeName)}`);
  if (key.join(", ") === WANTED_KEY) return;
  throw storeError(
    "tableId",
    `${name} is no table of Valkeeper's: its key is (${key.join(", ")}), not (${WANTED_KEY})`,
  );
}

class Reader {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #limits: CallLimits;
  constructor(client: DynamoDBClient, name: string, limits: CallLimits) {
    this.#client = client;
    this.#name = name;
    this.#limits = limits;
  }

  async get(port: string, key: Key, consistent: boolean): Promise<Item | null> {
    const command = new GetItemCommand({ TableName: this.#name, Key: marshalKey(key), ConsistentRead: consistent });
    const answer = await call((abortSignal) => this.#client.send(command, { abortSignal }), this.#limits);
    const { Item: attributes } = orThrow(port, answer);
    return attributes === undefined ? null : plain(attributes);
  }

  async getMany(port: string, keys: readonly Key[]) {
    const parts = chunks(keys, KEYS_PER_READ).map((part) => this.#getPart(port, part));
    const found = (await Promise.all(parts)).flat();
    return found.map((attributes) => ({ key: keyOf(attributes), attributes }));
  }

  /** A throttled or large batch answers in part: what it left out is asked again, within one total bound. */
  async #getPart(port: string, keys: readonly Key[]): Promise<readonly Attributes[]> {
    const deadline = performance.now() + this.#limits.totalMs;
    const found: Attributes[] = [];
    let pending: Attributes[] = keys.map(marshalKey);
    for (let round = 1; pending.length > 0; round += 1) {
      const command = new BatchGetItemCommand({ RequestItems: { [this.#name]: { Keys: pending } } });
      const answer = orThrow(
        port,
        await call((abortSignal) => this.#client.send(command, { abortSignal }), this.#limits),
      );
      found.push(...(answer.Responses?.[this.#name] ?? []));
      pending = answer.UnprocessedKeys?.[this.#name]?.Keys ?? [];
      if (pending.length > 0) await pauseBeforeRest(port, round, deadline, pending.length);
    }
    return found;
  }

  async query(port: string, query: TableQuery): Promise<readonly Attributes[]> {
    const found: Attributes[] = [];
    let start: Attributes | undefined =
      query.after === undefined ? undefined : marshalKey({ pk: query.partition, sk: query.after });
    do {
      const limit = query.limit === undefined ? undefined : query.limit - found.length;
      const command = new QueryCommand(this.#queryInput(query, start, limit));
      const sent = await call((abortSignal) => this.#client.send(command, { abortSignal }), this.#limits);
      const answer: QueryCommandOutput = orThrow(port, sent);
      found.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
    } while (start !== undefined && (query.limit === undefined || found.length < query.limit));
    return found;
  }

  #queryInput(query: TableQuery, start: Attributes | undefined, limit: number | undefined): QueryCommandInput {
    const prefix = query.prefix ?? null;
    return {
      TableName: this.#name,
      ConsistentRead: true,
      KeyConditionExpression: prefix === null ? "pk = :pk" : "pk = :pk AND begins_with(sk, :prefix)",
      ExpressionAttributeValues: {
        ":pk": { S: query.partition },
        ...(prefix === null ? {} : { ":prefix": { S: prefix } }),
      },
      ScanIndexForward: query.newestFirst !== true,
      ...(start === undefined ? {} : { ExclusiveStartKey: { ...start } }),
      ...(limit === undefined ? {} : { Limit: limit }),
    };
  }
}

class Writer {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #limits: CallLimits;
  constructor(client: DynamoDBClient, name: string, limits: CallLimits) {
    this.#client = client;
    this.#name = name;
    this.#limits = limits;
  }

  async update(key: Key, expressions: Expressions): Promise<Written> {
    const command = new UpdateItemCommand({
      TableName: this.#name,
      Key: marshalKey(key),
      ...expressions,
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    const answer = await call((abortSignal) => this.#client.send(command, { abortSignal }), this.#limits);
    return written(answer, (output) => output.Attributes ?? {});
  }

  async put(key: Key, item: Item, guard: Guard | null): Promise<Written> {
    const attributes = { ...marshalItem(item), ...marshalKey(key) };
    const command = new PutItemCommand({
      TableName: this.#name,
      Item: attributes,
      ...(guard === null ? {} : guardExpressions(guard)),
      ...(guard === null ? {} : { ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const }),
    });
    const answer = await call((abortSignal) => this.#client.send(command, { abortSignal }), this.#limits);
    return written(answer, () => attributes);
  }

  async remove(port: string, key: Key): Promise<void> {
    const command = new DeleteItemCommand({ TableName: this.#name, Key: marshalKey(key) });
    orThrow(port, await call((abortSignal) => this.#client.send(command, { abortSignal }), this.#limits));
  }

  async putMany(port: string, items: readonly { readonly key: Key; readonly item: Item }[]): Promise<void> {
    const requests = items.map(({ key, item }) => ({
      PutRequest: { Item: { ...marshalItem(item), ...marshalKey(key) } },
    }));
    const deadline = performance.now() + this.#limits.totalMs;
    for (const part of chunks(requests, ITEMS_PER_WRITE)) {
      let pending = part;
      for (let round = 1; pending.length > 0; round += 1) {
        const command = new BatchWriteItemCommand({ RequestItems: { [this.#name]: pending } });
        const sent = await call((abortSignal) => this.#client.send(command, { abortSignal }), this.#limits);
        const rest = orThrow(port, sent).UnprocessedItems?.[this.#name] ?? [];
        pending = rest as typeof part;
        if (pending.length > 0) await pauseBeforeRest(port, round, deadline, pending.length);
      }
    }
  }
}

export function guardExpressions(guard: Guard): Expressions & { readonly ConditionExpression: string } {
  const values = Object.entries(guard.values ?? {}).map(([name, value]) => [name, marshal(value)] as const);
  return {
    ConditionExpression: guard.condition,
    ...(guard.names === undefined ? {} : { ExpressionAttributeNames: { ...guard.names } }),
    ...(values.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(values) }),
  };
}

function written<T>(answer: Called<T>, attributesOf: (value: T) => Attributes): Written {
  if (answer.kind === "answered") return { kind: "applied", attributes: attributesOf(answer.value) };
  const { failure, earlierAmbiguous } = answer;
  if (failure.kind !== "condition") return { kind: "failed", failure, earlierAmbiguous };
  const { Item: old } = failure.error as { readonly Item?: Attributes };
  const isThere = old !== undefined && Object.keys(old).length > 0;
  return { kind: "refused", attributes: isThere ? old : null, earlierAmbiguous };
}

/** The item without its key. */
export function plain(attributes: Attributes): Record<string, Json> {
  const { pk: _pk, sk: _sk, ...rest } = attributes;
  return unmarshalItem(rest);
}

export function keyOf(attributes: Attributes): Key {
  return { pk: attributes["pk"]?.S ?? "", sk: attributes["sk"]?.S ?? "" };
}

export const storeError = (port: string, detail: string, cause?: unknown): PortError =>
  new PortError("group-store", port, detail, cause);

/** For reads, and for writes whose caller is told by an exception. */
export function orThrow<T>(port: string, answer: Called<T>): T {
  if (answer.kind === "answered") return answer.value;
  throw storeError(port, answer.failure.detail, answer.failure.error);
}

const marshalKey = (key: Key) => ({ pk: { S: key.pk }, sk: { S: key.sk } });

async function pauseBeforeRest(port: string, round: number, deadline: number, left: number): Promise<void> {
  const pause = pauseMs(round);
  if (performance.now() + pause > deadline) throw storeError(port, `throttled: ${left} items left undone`);
  await sleep(pause);
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < all.length; start += size) parts.push(all.slice(start, start + size));
  return parts;
}
