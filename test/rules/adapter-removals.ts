// Rules that the shipped adapters keep, taken out of the adapters' own lines. Neither the simulation nor the exploration runs those;
// what runs them is the contract suite, on real servers and on DynamoDB's API, and each removal names the fact there that has to fail.

import type { Removal } from "./removal.ts";

export interface AdapterRemoval extends Removal {
  readonly file: string;
  /** Of that file: the one test that is run, and must fail. */
  readonly test: string;
}

const TRANSACTIONS = "lib/adapters/valkey/transactions.ts";
const ON_SERVERS = "test/contract/valkey-node-real.test.ts";
const ON_THE_TABLE = "test/contract/group-store-local-cloud.test.ts";

export const ADAPTER_REMOVALS: readonly AdapterRemoval[] = [
  {
    rule: "R1 shipped",
    what: "a freeze points the node nowhere",
    places: [
      {
        file: TRANSACTIONS,
        from: "return [before, follow(token.host, token.port), rewrite, ...kill, after];",
        to: "return token === null ? [] : [before, rewrite, ...kill, after];",
      },
    ],
    file: ON_SERVERS,
    test: "demotes a primary: frozen, it takes no more writes",
  },
  {
    rule: "R5 shipped",
    what: "a freeze is not written into the node's file",
    places: [
      {
        file: TRANSACTIONS,
        from: "return [before, follow(token.host, token.port), rewrite, ...kill, after];",
        to: "return [before, follow(token.host, token.port), ...kill, after];",
      },
    ],
    file: ON_SERVERS,
    test: "R5: a freeze outlives a restart",
  },
  {
    rule: "R6 shipped",
    what: "a promotion is sent whatever the node shows",
    places: [
      {
        file: "lib/adapters/valkey/valkey-node.ts",
        from: "const mismatch = whyNotAsExpected(reading, command.expect);",
        to: "const mismatch = reading.role === undefined ? whyNotAsExpected(reading, command.expect) : null;",
      },
    ],
    file: ON_SERVERS,
    test: "R6, R11: a promotion is not sent",
  },
  {
    rule: "R9 shipped",
    what: "a transaction leaves the connections of other coordinators open",
    places: [{ file: TRANSACTIONS, from: `    { part: "kill", words: killCoordinators(user) },\n`, to: "" }],
    file: ON_SERVERS,
    test: "R9: every change closes the connections of other coordinators",
  },
  {
    rule: "R8 shipped",
    what: "a publication is put over any other",
    places: [
      {
        file: "lib/adapters/dynamodb/publications.ts",
        from: `"attribute_not_exists(#epoch) OR #epoch < :epoch OR (#epoch = :epoch AND #revision < :revision)",`,
        to: `"attribute_not_exists(#epoch) OR #epoch <> :epoch OR #revision <> :revision",`,
      },
    ],
    file: ON_THE_TABLE,
    test: "S2, R8: takes only a larger (epoch, revision)",
  },
  {
    rule: "S1 shipped",
    what: "the ballot is written on no condition",
    places: [
      {
        file: "lib/adapters/dynamodb/expression.ts",
        from: "const condition = conditionExpression(write.condition, placeholders);",
        to: "const condition = conditionExpression(EVERY_TIME, placeholders);",
      },
      {
        file: "lib/adapters/dynamodb/expression.ts",
        from: "class Placeholders {",
        to: `const EVERY_TIME: Condition = { kind: "not", of: { kind: "absent", path: ["schema"] } };\n\nclass Placeholders {`,
      },
    ],
    file: ON_THE_TABLE,
    test: "S1: of 50 claims at once one wins",
  },
  {
    rule: "S7 shipped",
    what: "a generation is given to whoever asks for it",
    places: [
      {
        file: "lib/adapters/dynamodb/slots.ts",
        from: `condition: "attribute_not_exists(#generation) OR #generation < :generation",`,
        to: `condition: "attribute_not_exists(#generation) OR #generation <= :generation",`,
      },
    ],
    file: ON_THE_TABLE,
    test: "S7: gives no generation of a voter twice",
  },
];
