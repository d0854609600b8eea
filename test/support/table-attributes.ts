// What a command of DynamoDB does with the attributes of the items it names, told from its own expressions: IAM knows them by
// `dynamodb:Attributes`, and docs/security.md lists them by role.

import { EVENT_PREFIX, SLOT_DIRECTORY, SPEC_PARTITION } from "../../lib/adapters/dynamodb/keys.ts";
import { PARTITION_KEY, SORT_KEY } from "../../lib/runtime/table-schema.ts";

type Stored = Readonly<Record<string, { readonly S?: string }>>;

interface Batch {
  readonly Keys?: readonly Stored[];
  readonly ProjectionExpression?: string;
}

interface BatchedWrite {
  readonly PutRequest?: { readonly Item: Stored };
  readonly DeleteRequest?: { readonly Key: Stored };
}

/** What the inputs of the commands have in common. */
interface TableInput {
  readonly Key?: Stored;
  readonly Item?: Stored;
  readonly KeyConditionExpression?: string;
  readonly ProjectionExpression?: string;
  readonly FilterExpression?: string;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Stored;
  readonly RequestItems?: Readonly<Record<string, Batch | readonly BatchedWrite[]>>;
}

/** The attributes of one item, without its key; only those at the top, which are all that IAM knows. */
export interface Touched {
  /** As docs/security.md calls it: `ballot`, `request` and so on. */
  readonly item: string;
  /** `all`: the command names none and is given the whole item. */
  readonly reads: "none" | "all";
  readonly isDeleted: boolean;
  readonly sets: readonly string[];
  /** In the condition of a write. */
  readonly asks: readonly string[];
}

const NOTHING = { reads: "none", isDeleted: false, sets: [], asks: [] } as const;

/** One for each item; of a query, for what its key condition lets in. */
export function touchedBy(command: { readonly input: object }): readonly Touched[] {
  const input = command.input as TableInput;
  const { Key = {}, Item = {} } = input;
  if (input.ProjectionExpression !== undefined || input.FilterExpression !== undefined) {
    throw new Error("a projection or a filter is not read here");
  }
  const asks = pathsIn(input.ConditionExpression ?? "", input).filter((name) => !isKey(name));
  const name = command.constructor.name.replace(/Command$/, "");
  switch (name) {
    case "GetItem":
      return [{ ...NOTHING, item: itemAt(Key), reads: "all" }];
    case "Query":
      return [{ ...NOTHING, item: itemsOf(input), reads: "all" }];
    case "PutItem":
      return [{ ...NOTHING, item: itemAt(Item), sets: attributesOf(Item), asks }];
    case "UpdateItem":
      return [{ ...NOTHING, item: itemAt(Key), sets: targetsOf(input.UpdateExpression ?? "", input), asks }];
    case "DeleteItem":
      return [{ ...NOTHING, item: itemAt(Key), isDeleted: true, asks }];
    case "BatchGetItem":
    case "BatchWriteItem":
      return Object.values(input.RequestItems ?? {}).flatMap((batch) =>
        "map" in batch ? batch.map(written) : readIn(batch),
      );
    default:
      throw new Error(`${name}: what it does with attributes is not written here`);
  }
}

const written = ({ PutRequest, DeleteRequest }: BatchedWrite): Touched =>
  PutRequest === undefined
    ? { ...NOTHING, item: itemAt(DeleteRequest?.Key ?? {}), isDeleted: true }
    : { ...NOTHING, item: itemAt(PutRequest.Item), sets: attributesOf(PutRequest.Item) };

function readIn({ Keys = [], ProjectionExpression }: Batch): readonly Touched[] {
  if (ProjectionExpression !== undefined) throw new Error("a projection is not read here");
  return Keys.map((key) => ({ ...NOTHING, item: itemAt(key), reads: "all" }));
}

/** All that IAM is told in `dynamodb:Attributes`: those that the request names, the key's too. */
export function attributesNamed(command: { readonly input: object }): readonly string[] {
  const { KeyConditionExpression: condition } = command.input as TableInput;
  const keys = condition === undefined ? [PARTITION_KEY, SORT_KEY] : pathsIn(condition, {});
  return [...new Set([...keys, ...touchedBy(command).flatMap(({ sets, asks }) => [...sets, ...asks])])];
}

/** What is done with each kind of item, as a row of docs/security.md. */
export function attributeRows(role: string, touched: readonly Touched[]): readonly string[] {
  const textOf = (names: readonly string[]): string =>
    [...new Set(names)]
      .sort()
      .map((name) => `\`${name}\``)
      .join(", ") || "-";
  return [...new Set(touched.map(({ item }) => item))].sort().map((item) => {
    const own = touched.filter((each) => each.item === item);
    const reads = own.some((each) => each.reads === "all") ? "yes" : "-";
    const deletes = own.some((each) => each.isDeleted) ? " (deletes it)" : "";
    const [sets, asks] = [own.flatMap((each) => each.sets), own.flatMap((each) => each.asks)];
    return `| ${role} | ${item}${deletes} | ${reads} | ${textOf(sets)} | ${textOf(asks)} |`;
  });
}

const isKey = (name: string): boolean => name === PARTITION_KEY || name === SORT_KEY;
const attributesOf = (item: Stored): readonly string[] => Object.keys(item).filter((name) => !isKey(name));

function targetsOf(expression: string, input: TableInput): readonly string[] {
  const clauses = expression.split(/\b(SET|REMOVE|ADD|DELETE)\b/).slice(1);
  return clauses.flatMap((clause, index) => {
    if (index % 2 === 0) return [];
    const paths = clauses[index - 1] === "SET" ? (clause.match(/[#\w.]+(?=\s*=)/g) ?? []) : clause.split(",");
    return paths.map((path) => topOf(path.trim(), input));
  });
}

/** Paths stand anywhere but where a value (`:name`), a function or a word of the language does. */
function pathsIn(expression: string, input: TableInput): readonly string[] {
  const words = expression.match(/(?<![:.#\w])#?[A-Za-z_][\w.#]*(?![\w.#]*\s*\()/g) ?? [];
  const paths = words.filter((word) => !/^(AND|OR|NOT|BETWEEN|IN)$/.test(word));
  return [...new Set(paths.map((path) => topOf(path, input)))];
}

function topOf(path: string, { ExpressionAttributeNames: names = {} }: TableInput): string {
  const [top = ""] = path.split(".");
  return top.startsWith("#") ? (names[top] ?? "") : top;
}

function itemsOf({ ExpressionAttributeValues: values = {} }: TableInput): string {
  const texts = Object.values(values).map(({ S = "" }) => S);
  return itemAt({ pk: { S: texts[0] ?? "" }, sk: { S: texts[1] ?? "" } });
}

function itemAt({ pk, sk }: Stored): string {
  const [partition = "", sort = ""] = [pk?.S, sk?.S];
  if (partition === SPEC_PARTITION) return "declaration";
  if (partition === SLOT_DIRECTORY) return "list of voters";
  if (partition.startsWith("published#")) return sort === "copies" ? "note of the copies" : "publication";
  if (partition.endsWith("#generation")) return "last generation";
  if (partition.startsWith("voter#")) return "slot";
  if (partition.startsWith("group#")) return sort.startsWith(EVENT_PREFIX) ? "history" : sort;
  throw new Error(`no item of Valkeeper's: ${partition} ${sort}`);
}
