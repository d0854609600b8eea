import { describe, expect, it } from "vitest";
import { allows, type PolicyStatement, textOf } from "./iam-policy.ts";

const table = "arn:aws:dynamodb:eu-west-1:123456789012:table/groups";
const statement = (more: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Effect: "Allow",
  Action: ["dynamodb:GetItem", "dynamodb:Put*"],
  Resource: table,
  ...more,
});
const keys = { Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["group#*", "voter#?#*"] } } };
const get = (...leading: readonly string[]) => ({
  action: "dynamodb:GetItem",
  resource: table,
  context: { "dynamodb:LeadingKeys": leading },
});

describe("the policy evaluator", () => {
  it.each([
    ["an action in other letters", { action: "dynamodb:getitem", resource: table }, true],
    ["an action by wildcard", { action: "dynamodb:PutItem", resource: table }, true],
    ["another action", { action: "dynamodb:DeleteItem", resource: table }, false],
    ["another resource that begins alike", { action: "dynamodb:GetItem", resource: `${table}/index/x` }, false],
    ["a resource in other letters", { action: "dynamodb:GetItem", resource: table.toUpperCase() }, false],
  ])("compares actions and resources: %s", (_, request, expected) => {
    expect(allows([statement()], request)).toBe(expected);
  });

  it("takes a point for a point", () => {
    expect(allows([statement({ Resource: "a.c*" })], { action: "dynamodb:GetItem", resource: "abc" })).toBe(false);
  });

  it.each([
    ["all of them match", get("group#a", "voter#a#0"), true],
    ["one of them does not", get("group#a", "groups"), false],
    ["a question mark is one character", get("voter#ab#0"), false],
    ["there is none, and nobody asked for one", { action: "dynamodb:GetItem", resource: table }, true],
  ])("ForAllValues: %s", (_, request, expected) => {
    expect(allows([statement(keys)], request)).toBe(expected);
  });

  it("Null asks for a key to be there, or not to be", () => {
    const asking = (value: string) => [statement({ Condition: { Null: { "dynamodb:LeadingKeys": value } } })];
    const without = { action: "dynamodb:GetItem", resource: table };
    expect([allows(asking("false"), get("a")), allows(asking("false"), without)]).toEqual([true, false]);
    expect([allows(asking("true"), get("a")), allows(asking("true"), without)]).toEqual([false, true]);
  });

  it("compares a single value, which must be there", () => {
    const policy = [statement({ Condition: { StringEquals: { source: "us" }, Bool: { secure: true } } })];
    const from = (context: Record<string, readonly string[]>) => ({
      action: "dynamodb:GetItem",
      resource: table,
      context,
    });
    expect(allows(policy, from({ source: ["us"], secure: ["true"] }))).toBe(true);
    expect(allows(policy, from({ source: ["us*"], secure: ["true"] }))).toBe(false);
    expect(allows(policy, from({ source: ["us"], secure: ["false"] }))).toBe(false);
    expect(allows(policy, from({ secure: ["true"] }))).toBe(false);
  });

  it("lets a denial win, and denies what nobody allows", () => {
    expect(allows([statement(), statement({ Effect: "Deny", ...keys })], get("group#a"))).toBe(false);
    expect(allows([statement(), statement({ Effect: "Deny", ...keys })], get("groups"))).toBe(true);
    expect(allows([], get("group#a"))).toBe(false);
  });

  it("reads what a template says for a text", () => {
    const joined = { "Fn::Join": ["", ["arn:", { Ref: "AWS::Partition" }, ":", { "Fn::GetAtt": ["T", "Arn"] }]] };
    expect(textOf(joined)).toBe("arn:aws:T.Arn");
  });

  it.each([
    ["an element", statement({ NotAction: "x" } as object)],
    ["an operator", statement({ Condition: { NumericLessThan: { a: "1" } } })],
    ["a set operator", statement({ Condition: { "ForAnyValue:StringLike": { a: "1" } } })],
    ["a function of the template", statement({ Resource: { "Fn::Sub": "x" } })],
  ])("refuses to judge by %s that it does not know", (_, unknown) => {
    expect(() => allows([unknown], get("group#a"))).toThrow();
  });
});
