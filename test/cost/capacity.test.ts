import { describe, expect, it } from "vitest";
import { itemBytes, readUnits, writeUnits } from "./capacity.ts";

describe("units of a request", () => {
  it("are whole blocks of 4 KB for reads, half of that eventually consistent, and of 1 KB for writes", () => {
    expect([0, 1, 4_096, 4_097].map((bytes) => readUnits(bytes, true))).toEqual([1, 1, 1, 2]);
    expect([0, 4_097].map((bytes) => readUnits(bytes, false))).toEqual([0.5, 1]);
    expect([0, 1_024, 1_025].map((bytes) => writeUnits(bytes))).toEqual([1, 1, 2]);
  });
});

describe("bytes of an item", () => {
  it("counts names as well as values, and what nesting adds", () => {
    expect(itemBytes({ pk: { S: "group#é" } })).toBe(2 + 8);
    expect(itemBytes({ a: { BOOL: true }, b: { NULL: true } })).toBe(4);
    expect(itemBytes({ a: { L: [{ S: "xy" }, { S: "z" }] } })).toBe(1 + 3 + 2 + 3);
    expect(itemBytes({ a: { M: { bc: { S: "d" } } } })).toBe(1 + 3 + 1 + 3);
  });

  it("counts two digits of a number as one byte, and its sign", () => {
    expect(itemBytes({ a: { N: "12345" } })).toBe(1 + 1 + 3);
    expect(itemBytes({ a: { N: "-1200" } })).toBe(1 + 1 + 1 + 1);
    expect(itemBytes({ a: { N: "0" } })).toBe(1 + 1);
  });
});
