// Does DynamoDB understand what the compiler says as core's interpreter means it? Random items, random writes, two
// implementations: the local cloud's, and Amazon's own where Java is there to run it.

import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { marshalItem } from "../../lib/adapters/dynamodb/attribute-value.ts";
import { compileWrite, type Expressions } from "../../lib/adapters/dynamodb/expression.ts";
import { createTable, plain, type Table } from "../../lib/adapters/dynamodb/table.ts";
import { withoutNulls } from "../../lib/core/ballot-format.ts";
import {
  type BallotWrite,
  type Change,
  type Condition,
  changed,
  holds,
  type Item,
  interpret,
  type Json,
  type Path,
} from "../../lib/core/ballot-write.ts";
import { attemptId, groupName } from "../../lib/core/types.ts";
import { startDynamodbLocal, whyNoDynamodbLocal } from "../../lib/local/dynamodb-local.ts";
import {
  type EndpointStore,
  endpointForFile,
  localCloudForFile,
  makeStoreAt,
  PATIENT,
} from "./group-store-endpoints.ts";

const RUNS = 120;
const key = { pk: "group#random", sk: "ballot" };

// Few names, so that conditions and changes meet what is there: reserved words, dots and hyphens among them.
const name = fc.constantFrom("status", "name", "vote_az-a", "a.b", "x", "#n0", ":v0");
const path: fc.Arbitrary<Path> = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map(([first = "x", ...rest]): Path => [first, ...rest]);
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom("", "down", "0", "1"),
  fc.boolean(),
  fc.constantFrom(0.1, Number.MAX_SAFE_INTEGER, -1.5e-7),
);
const { value } = fc.letrec<{ value: Json; map: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    scalar,
    fc.constant(null),
    fc.array(scalar, { maxLength: 2 }),
    tie("map"),
  ),
  map: fc.dictionary(name, tie("value"), { maxKeys: 3 }),
}));
const item: fc.Arbitrary<Item | null> = fc.option(
  fc.dictionary(name, value, { maxKeys: 5 }).map((each) => withoutNulls(each) as Item),
  { freq: 6 },
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.record({ kind: fc.constant("equals" as const), path, value: scalar }),
    fc.record({ kind: fc.constant("absent" as const), path }),
    fc.record({ kind: fc.constant("less" as const), path, than: fc.integer({ min: -2, max: 3 }) }),
    fc.record({ kind: fc.constant("all" as const), of: fc.array(tie("condition"), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant("any" as const), of: fc.array(tie("condition"), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant("not" as const), of: tie("condition") }),
  ),
}));
const isAbove = (short: Path, long: Path): boolean =>
  short.length < long.length && short.every((part, index) => part === long[index]);
/** A part that is changed before its whole is replaced matters to nobody, so the compiler does not look whether it could be. */
const hasIdleChange = (all: readonly Change[]): boolean =>
  all.some((later, index) => all.slice(0, index).some((earlier) => isAbove(later.path, earlier.path)));
const changes: fc.Arbitrary<readonly Change[]> = fc
  .array(fc.record({ path, value }), { minLength: 1, maxLength: 4 })
  .filter((all) => !hasIdleChange(all));

/** `removesBelow`: also values inside maps are removed, which core never does and the local cloud allows below nothing. */
const writes = (removesBelow: boolean): fc.Arbitrary<BallotWrite> =>
  fc.record({
    name: fc.constant("random"),
    group: fc.constant(groupName("random")),
    attempt: fc.constant({ path: ["attempt"] as Path, id: attemptId("random") }),
    condition,
    changes: changes.filter(
      (all) => removesBelow || all.every((each) => each.value !== null || each.path.length === 1),
    ),
  });

/** What the interpreter expects: the item afterwards, and whether it was changed, refused or invalid. */
function expected(before: Item | null, random: BallotWrite): { readonly kind: string; readonly item: Item | null } {
  if (!holds(before ?? {}, random.condition)) return { kind: "refused", item: before };
  try {
    const { item: after } = interpret(before, random);
    return { kind: "applied", item: after === null ? null : (withoutNulls(after) as Item) };
  } catch {
    return { kind: "failed", item: before };
  }
}

function compiled(before: Item | null, random: BallotWrite): Expressions | null {
  try {
    return compileWrite(random);
  } catch {
    // Only what core itself cannot apply to anything may have no expression.
    expect(() => changed(before ?? {}, random.changes)).toThrow();
    return null;
  }
}

function describeAgreement(of: string, endpoint: () => string, write: fc.Arbitrary<BallotWrite>): void {
  describe(`the compiler and the interpreter agree: ${of}`, () => {
    let made: EndpointStore;
    let table: Table;
    beforeAll(async () => {
      made = await makeStoreAt(endpoint());
      table = createTable(made.clients.dynamodb, made.table, PATIENT);
    });
    afterAll(() => made?.close());

    async function put(before: Item | null): Promise<void> {
      const { dynamodb } = made.clients;
      const attributes = marshalItem({ ...(before ?? {}), ...key });
      if (before !== null) await dynamodb.send(new PutItemCommand({ TableName: made.table, Item: attributes }));
      else await dynamodb.send(new DeleteItemCommand({ TableName: made.table, Key: marshalItem({ ...key }) }));
    }

    it(`on ${RUNS} random items and writes`, async () => {
      const seen = { applied: 0, refused: 0, failed: 0 };
      await fc.assert(
        fc.asyncProperty(item, write, async (before, random) => {
          const expressions = compiled(before, random);
          if (expressions === null) return;
          await put(before);
          const wanted = expected(before, random);
          const written = await table.update(key, expressions);
          expect(written.kind).toBe(wanted.kind);
          seen[written.kind] += 1;
          if (written.kind === "applied") expect(plain(written.attributes)).toEqual(wanted.item);
          if (written.kind === "refused") {
            expect(written.attributes === null ? null : plain(written.attributes)).toEqual(before);
          }
          expect(await table.get("test", key, true)).toEqual(wanted.item);
        }),
        { numRuns: RUNS },
      );
      // A generator that never ends in one of these ways would agree with anything; of the rarest there are some eight.
      expect(Math.min(seen.applied, seen.refused, seen.failed)).toBeGreaterThan(0);
    }, 120_000);
  });
}

describeAgreement("the local cloud", localCloudForFile(), writes(false));

const missing = whyNoDynamodbLocal();
if (missing === undefined) {
  describeAgreement(
    "DynamoDB Local",
    endpointForFile((group) => startDynamodbLocal({ group })),
    writes(true),
  );
} else {
  it("the compiler and the interpreter agree: DynamoDB Local", ({ skip }) => skip(missing));
}
