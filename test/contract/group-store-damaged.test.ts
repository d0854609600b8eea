// Records that somebody damaged, or that another version wrote: nothing is guessed, and one record holds nothing up but
// itself.

import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { marshalItem } from "../../lib/adapters/dynamodb/attribute-value.ts";
import { copiesKey, type Key, publicationKey, requestKey, slotKey, specKey } from "../../lib/adapters/dynamodb/keys.ts";
import type { Item } from "../../lib/core/ballot-write.ts";
import { wallTime } from "../../lib/core/types.ts";
import {
  az,
  ballotOf,
  createBallot,
  freshGroup,
  historyOf,
  publicationAt,
  requestOf,
  slotOf,
  specOf,
} from "./group-store-builders.ts";
import { type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
let made: EndpointStore;
let unreadable: string[];

beforeAll(async () => {
  made = await makeStoreAt(endpoint(), {
    onUnreadable: ({ kind, name, detail }) => unreadable.push(`${kind} ${name}: ${detail}`),
  });
});
afterAll(() => made?.close());
beforeEach(() => {
  unreadable = [];
});

async function put(key: Key, item: unknown): Promise<void> {
  const attributes = marshalItem({ ...(item as Item), ...key });
  await made.clients.dynamodb.send(new PutItemCommand({ TableName: made.table, Item: attributes }));
}

const UNREADABLE = { code: "RecordFormatError" };

describe("a damaged record among others", () => {
  it("a spec is named instead of listed, and told", async () => {
    const [healthy, damaged] = [freshGroup(), freshGroup()];
    await made.store.writeSpec(specOf(healthy), 0);
    await put(specKey(damaged), { ...specOf(damaged), schema: 7 });
    const { specs, damaged: named } = await made.store.listSpecs();
    expect(specs.map((spec) => spec.group)).toEqual([healthy]);
    expect(named).toEqual([damaged]);
    expect(unreadable).toEqual([`spec ${damaged}: the spec has schema 7 and this version knows 1: update Valkeeper`]);
    await expect(made.store.readSpec(damaged)).rejects.toMatchObject(UNREADABLE);
  });

  it("a slot is left out of the list, and told", async () => {
    const [healthy, damaged] = [az("a"), az("b")];
    await made.store.takeSlot(healthy, 0, "owner", wallTime(1));
    await made.store.takeSlot(damaged, 0, "owner", wallTime(1));
    await put(slotKey(damaged, 0), { ...slotOf(damaged, 1), groups: { g: { at: "yesterday" } } });
    expect((await made.store.listSlots()).map((slot) => slot.voter)).toEqual([healthy]);
    expect(unreadable).toEqual([expect.stringMatching(/^slot voter#az-b#0: slot\.groups\.g\.at should be a number/)]);
  });

  it("a request is not carried out, and the group goes on", async () => {
    const { group } = await createBallot(made.store, ballotOf(freshGroup()));
    await put(requestKey(group), { ...requestOf("r"), kind: "explode" });
    expect((await made.store.glance([group])).get(group)).toMatchObject({
      ballot: { group },
      request: null,
      unreadable: null,
    });
    expect(unreadable).toEqual([expect.stringMatching(`^request ${group}: request\\.kind should be one of failover`)]);
    await expect(made.store.readRequest(group)).rejects.toMatchObject(UNREADABLE);
  });
});

describe("a damaged record by itself", () => {
  it.each<readonly [string, (group: ReturnType<typeof freshGroup>) => PromiseLike<unknown>]>([
    [
      "publication",
      async (group) => {
        await put(publicationKey(group), { ...publicationAt(group, { epoch: 4, revision: 0 }), primary: "n1" });
        return made.store.readPublication(group);
      },
    ],
    [
      "record of copies",
      async (group) => {
        await put(copiesKey(group), { ssm: { epoch: 4 } });
        return made.store.readCopies(group);
      },
    ],
    [
      "history entry",
      async (group) => {
        await made.store.appendHistory([{ ...historyOf(group, 1), epoch: "one" as never }]);
        return made.store.readHistory(group, { limit: 5, newestFirst: false });
      },
    ],
  ])("is refused with the field's name: %s", async (_name, read) => {
    await expect(read(freshGroup())).rejects.toMatchObject({
      ...UNREADABLE,
      message: expect.stringContaining("should be"),
    });
  });

  it("a publication that names no epoch is replaced by the next one", async () => {
    const group = freshGroup();
    await put(publicationKey(group), { note: "edited by hand" });
    expect(await made.store.writePublication(publicationAt(group, { epoch: 4, revision: 0 }))).toBe(true);
  });
});

describe("a record that is too large for the table", () => {
  it("is refused with the service's words", async () => {
    const spec = specOf(freshGroup(), { owner: "cli" });
    const large = { ...spec, declared: { ...spec.declared, primary: "n".repeat(500_000) as never } };
    await expect(made.store.writeSpec(large, 0)).rejects.toMatchObject({
      code: "PortError",
      message: expect.stringMatching(/writeSpec: ValidationException/),
    });
  });
});
