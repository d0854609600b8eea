import { describe, expect, it } from "vitest";
import { compileWrite, type Expressions } from "../../../lib/adapters/dynamodb/expression.ts";
import type { Change, Condition } from "../../../lib/core/ballot-write.ts";

const equals = (path: string, value: string | number | boolean): Condition => ({
  kind: "equals",
  path: path.split("/") as [string],
  value,
});
const absent = (path: string): Condition => ({ kind: "absent", path: path.split("/") as [string] });
const less = (path: string, than: number): Condition => ({ kind: "less", path: path.split("/") as [string], than });
const all = (...of: Condition[]): Condition => ({ kind: "all", of });
const any = (...of: Condition[]): Condition => ({ kind: "any", of });
const not = (of: Condition): Condition => ({ kind: "not", of });
const set = (path: string, value: Change["value"]): Change => ({ path: path.split("/") as [string], value });

const condition = (of: Condition): string => compileWrite({ condition: of, changes: [] }).ConditionExpression ?? "";
const update = (...changes: Change[]): Expressions => compileWrite({ condition: absent("x"), changes });

describe("the compiled condition", () => {
  it("has a placeholder for every name and value, one for each name however often it stands there", () => {
    expect(compileWrite({ condition: all(equals("status/a.b", 1), less("status/seq", 2)), changes: [] })).toEqual({
      ConditionExpression: "#n0.#n1 = :v0 AND #n0.#n2 < :v1",
      ExpressionAttributeNames: { "#n0": "status", "#n1": "a.b", "#n2": "seq" },
      ExpressionAttributeValues: { ":v0": { N: "1" }, ":v1": { N: "2" } },
    });
  });

  it("has no table of values when there are none", () => {
    expect(compileWrite({ condition: absent("schema"), changes: [] })).toEqual({
      ConditionExpression: "attribute_not_exists(#n0)",
      ExpressionAttributeNames: { "#n0": "schema" },
    });
  });

  it.each<readonly [string, Condition, string]>([
    ["an alternative inside a conjunction", all(absent("a"), any(absent("b"), absent("c"))), "A AND (B OR C)"],
    ["a conjunction inside an alternative", any(absent("a"), all(absent("b"), absent("c"))), "A OR (B AND C)"],
    ["a single one without parentheses, which would be redundant", all(any(absent("a"))), "A"],
    ["the inner of a single one with them", all(any(absent("a"), absent("b")), all(absent("c"))), "(A OR B) AND C"],
    ["a negation", not(any(absent("a"), absent("b"))), "NOT (A OR B)"],
    ["a double negation", not(not(absent("a"))), "NOT (NOT (A))"],
    ["a negation beside another", all(not(absent("a")), absent("b")), "NOT (A) AND B"],
    ["no condition", all(), "attribute_exists(pk) OR attribute_not_exists(pk)"],
    ["no alternative", any(), "attribute_exists(pk) AND attribute_not_exists(pk)"],
    ["no condition beside one", all(absent("a"), all()), "A AND (attribute_exists(pk) OR attribute_not_exists(pk))"],
  ])("has parentheses exactly where operators meet: %s", (_name, of, expected) => {
    const short = condition(of).replace(
      /attribute_not_exists\(#n(\d)\)/g,
      (_all, n: string) => "ABC"[Number(n)] ?? "?",
    );
    expect(short).toBe(expected);
  });

  it("compares booleans and texts", () => {
    const { ExpressionAttributeValues } = compileWrite({
      condition: all(equals("a", true), equals("b", "x")),
      changes: [],
    });
    expect(ExpressionAttributeValues).toEqual({ ":v0": { BOOL: true }, ":v1": { S: "x" } });
  });
});

describe("the compiled changes", () => {
  it("sets what has a value and removes what is null, voters' ids included", () => {
    expect(
      update(set("vote_az-a", { level: "down", seq: 3 }), set("lease", null), set("members/nodes/n-1", null)),
    ).toEqual({
      UpdateExpression: "SET #n0 = :v0 REMOVE #n1, #n2.#n3.#n4",
      ConditionExpression: "attribute_not_exists(#n5)",
      ExpressionAttributeNames: {
        "#n0": "vote_az-a",
        "#n1": "lease",
        "#n2": "members",
        "#n3": "nodes",
        "#n4": "n-1",
        "#n5": "x",
      },
      ExpressionAttributeValues: { ":v0": { M: { level: { S: "down" }, seq: { N: "3" } } } },
    });
  });

  it("stores nulls inside maps as absence, and keeps those of lists", () => {
    const { ExpressionAttributeValues } = update(set("a", { kept: 1, gone: null, list: [null, { gone: null }] }));
    expect(ExpressionAttributeValues).toEqual({
      ":v0": { M: { kept: { N: "1" }, list: { L: [{ NULL: true }, { M: {} }] } } },
    });
  });

  it("lets the later of two changes of one path win", () => {
    const { UpdateExpression, ExpressionAttributeValues } = update(set("a", 1), set("a", 2));
    expect(UpdateExpression).toBe("SET #n0 = :v0");
    expect(ExpressionAttributeValues).toEqual({ ":v0": { N: "2" } });
  });

  it("lets a change of the whole win over earlier ones of its parts", () => {
    const { UpdateExpression, ExpressionAttributeValues } = update(set("a/b", 1), set("a/c/d", 1), set("a", { e: 1 }));
    expect(UpdateExpression).toBe("SET #n0 = :v0");
    expect(ExpressionAttributeValues).toEqual({ ":v0": { M: { e: { N: "1" } } } });
  });

  it("puts a change of a part into an earlier one of the whole: DynamoDB refuses overlapping paths", () => {
    const { UpdateExpression, ExpressionAttributeValues } = update(
      set("a", { b: { c: 1 } }),
      set("a/b/c", 2),
      set("a/b/d", 3),
    );
    expect(UpdateExpression).toBe("SET #n0 = :v0");
    expect(ExpressionAttributeValues).toEqual({ ":v0": { M: { b: { M: { c: { N: "2" }, d: { N: "3" } } } } } });
  });

  it("refuses a change below what it removes", () => {
    expect(() => update(set("a", null), set("a/b", 1))).toThrow(/below a missing map/);
  });

  it("refuses numbers that cannot be stored", () => {
    expect(() => update(set("a", Number.NaN))).toThrow(/cannot be stored as an exact number/);
    expect(() => update(set("a", Number.POSITIVE_INFINITY))).toThrow(/cannot be stored as an exact number/);
  });
});
