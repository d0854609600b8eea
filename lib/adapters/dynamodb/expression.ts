// The one compiler from the language of core's conditional writes (core/ballot-write.ts) to DynamoDB's expressions. Every
// name and value goes in as a placeholder, since attributes carry voter ids (`vote_az-a`) and reserved words. Its meaning
// is `interpret` in core; a property test compares the two on random writes.

import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { withoutNulls } from "../../core/ballot-format.ts";
import type { Change, Condition, Json, Path } from "../../core/ballot-write.ts";
import { changed } from "../../core/ballot-write.ts";
import { marshal } from "./attribute-value.ts";

export interface Expressions {
  readonly UpdateExpression?: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

export function compileWrite(write: {
  readonly condition: Condition;
  readonly changes: readonly Change[];
}): Expressions {
  const placeholders = new Placeholders();
  const update = updateExpression(fold(write.changes), placeholders);
  const condition = conditionExpression(write.condition, placeholders);
  return {
    ...(update === "" ? {} : { UpdateExpression: update }),
    ConditionExpression: condition,
    ...placeholders.tables(),
  };
}

class Placeholders {
  readonly #names = new Map<string, string>();
  readonly #values: AttributeValue[] = [];

  path(path: Path): string {
    return path.map((key) => this.#name(key)).join(".");
  }

  value(value: Json): string {
    this.#values.push(marshal(value));
    return `:v${this.#values.length - 1}`;
  }

  #name(key: string): string {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const placeholder = `#n${this.#names.size}`;
    this.#names.set(key, placeholder);
    return placeholder;
  }

  /** DynamoDB refuses an empty table as well as an unused entry. */
  tables(): Pick<Expressions, "ExpressionAttributeNames" | "ExpressionAttributeValues"> {
    const names = [...this.#names].map(([key, placeholder]) => [placeholder, key] as const);
    const values = this.#values.map((value, index) => [`:v${index}`, value] as const);
    return {
      ...(names.length === 0 ? {} : { ExpressionAttributeNames: Object.fromEntries(names) }),
      ...(values.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(values) }),
    };
  }
}

function updateExpression(changes: readonly Change[], placeholders: Placeholders): string {
  const sets = changes
    .filter((change) => change.value !== null)
    .map((change) => `${placeholders.path(change.path)} = ${placeholders.value(withoutNulls(change.value))}`);
  const removes = changes.filter((change) => change.value === null).map((change) => placeholders.path(change.path));
  const clauses = [
    ...(sets.length === 0 ? [] : [`SET ${sets.join(", ")}`]),
    ...(removes.length === 0 ? [] : [`REMOVE ${removes.join(", ")}`]),
  ];
  return clauses.join(" ");
}

/**
 * The same changes with no path above, below or equal to another: core applies them one after the other, DynamoDB all at
 * once and refuses overlapping paths. A later change wins over what lies below it and goes into what lies above it.
 */
function fold(changes: readonly Change[]): readonly Change[] {
  let folded: readonly Change[] = [];
  for (const change of changes) {
    const above = folded.find((each) => isPrefix(each.path, change.path) && each.path.length < change.path.length);
    if (above === undefined) {
      folded = [...folded.filter((each) => !isPrefix(change.path, each.path)), change];
      continue;
    }
    const below: Path = ["value", ...change.path.slice(above.path.length)];
    const { value } = changed({ value: above.value }, [{ path: below, value: change.value }]);
    folded = folded.map((each) => (each === above ? { path: each.path, value: value ?? null } : each));
  }
  return folded;
}

const isPrefix = (short: Path, long: Path): boolean =>
  short.length <= long.length && short.every((key, index) => key === long[index]);

/** Every item has its key: these are DynamoDB's only constants. An item that is not there has none, hence two halves. */
const ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)";
const NEVER = "attribute_exists(pk) AND attribute_not_exists(pk)";

function conditionExpression(condition: Condition, placeholders: Placeholders): string {
  switch (condition.kind) {
    case "equals":
      return `${placeholders.path(condition.path)} = ${placeholders.value(condition.value)}`;
    case "less":
      return `${placeholders.path(condition.path)} < ${placeholders.value(condition.than)}`;
    case "absent":
      return `attribute_not_exists(${placeholders.path(condition.path)})`;
    case "all":
      return joined(condition.of, " AND ", ALWAYS, placeholders);
    case "any":
      return joined(condition.of, " OR ", NEVER, placeholders);
    case "not":
      return `NOT (${conditionExpression(condition.of, placeholders)})`;
  }
}

/** Parentheses exactly where two operators meet: DynamoDB also refuses redundant ones. */
function joined(of: readonly Condition[], operator: string, empty: string, placeholders: Placeholders): string {
  const [only, ...others] = of;
  if (only === undefined) return empty;
  if (others.length === 0) return conditionExpression(only, placeholders);
  return of.map((each) => inner(each, placeholders)).join(operator);
}

function inner(condition: Condition, placeholders: Placeholders): string {
  const text = conditionExpression(condition, placeholders);
  return isComposite(condition) ? `(${text})` : text;
}

function isComposite(condition: Condition): boolean {
  if (condition.kind !== "all" && condition.kind !== "any") return false;
  const [only, ...others] = condition.of;
  return only === undefined || others.length > 0 || isComposite(only);
}
