import { describe, expect, it } from "vitest";
import {
  boolean,
  fields,
  fitting,
  list,
  map,
  nullable,
  number,
  oneOf,
  type Shape,
  text,
} from "../../lib/core/shape.ts";

function said(value: unknown, shape: Shape): string | null {
  try {
    expect(fitting(value, shape, "it", (mismatch) => new Error(mismatch))).toBe(value);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("a value that does not fit is described", () => {
  it.each<[string, unknown, Shape, string]>([
    ["text", 7, text, "it should be a text and is 7"],
    ["boolean", "true", boolean, 'it should be true or false and is "true"'],
    ["number", "7", number, 'it should be a number and is "7"'],
    ["number that is none", Number.NaN, number, "it should be a number and is null"],
    ["number without end", Number.POSITIVE_INFINITY, number, "it should be a number and is null"],
    ["word", "c", oneOf("a", "b"), 'it should be one of a, b and is "c"'],
    ["word of another kind", 7, oneOf("a"), "it should be one of a and is 7"],
    ["list", { 0: "a" }, list(text), 'it should be a list and is {"0":"a"}'],
    ["place in a list", ["a", 7, 8], list(text), "it[1] should be a text and is 7"],
    ["map", [], map(text), "it should be a map and is []"],
    ["key of a map", { a: "x", b: 7 }, map(text), "it.b should be a text and is 7"],
    ["record", "x", fields({}), 'it should be a map and is "x"'],
    ["record that is nothing", null, fields({}), "it should be a map and is null"],
    ["map that is nothing", null, map(text), "it should be a map and is null"],
    ["field that is missing", {}, fields({ a: text }), "it.a should be a text and is missing"],
    ["field inside a field", { a: { b: 1 } }, fields({ a: fields({ b: text }) }), "it.a.b should be a text and is 1"],
    ["value that JSON has no word for", () => 1, text, "it should be a text and is function"],
    ["symbol", Symbol("s"), number, "it should be a number and is symbol"],
  ])("%s", (_, value, shape, words) => {
    expect(said(value, shape)).toBe(words);
  });

  it("by no more than sixty letters of it", () => {
    expect(said("x".repeat(99), number)).toBe(`it should be a number and is "${"x".repeat(59)}`);
  });
});

describe("a value that fits is not described", () => {
  it.each<[unknown, Shape]>([
    ["", text],
    [false, boolean],
    [-1.5, number],
    [null, nullable(text)],
    [undefined, nullable(text)],
    ["x", nullable(text)],
    ["b", oneOf("a", "b")],
    [[], list(text)],
    [{}, map(text)],
    [{ a: "x", more: 1 }, fields({ a: text })],
  ])("%j", (value, shape) => {
    expect(said(value, shape)).toBe(null);
  });

  it("unless what may be left out is of another kind", () => {
    expect(said(7, nullable(text))).toBe("it should be a text and is 7");
  });
});
