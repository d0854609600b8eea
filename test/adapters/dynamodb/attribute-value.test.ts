import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { marshal, marshalItem, unmarshalItem } from "../../../lib/adapters/dynamodb/attribute-value.ts";
import type { Json } from "../../../lib/core/ballot-write.ts";

describe("attribute values", () => {
  it("return every JSON value as it went in", () => {
    const isExact = (text: string): boolean => !/\d{16}|e\+/.test(text);
    const value = fc
      .jsonValue({ depthSize: "small", maxDepth: 4 })
      .filter((each) => isExact(JSON.stringify(each)))
      .map((each) => each as Json);
    fc.assert(
      fc.property(value, (each) => {
        const back = unmarshalItem(marshalItem({ value: each }))["value"];
        expect(back).toEqual(withoutMinusZero(each));
      }),
    );
  });

  it.each([0, -0, 1, -17, 0.1, 1.5e-7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])("keep %s exact", (value) => {
    expect(unmarshalItem({ a: marshal(value) })["a"]).toBe(value + 0);
  });

  it("leave out what is undefined, as JSON does", () => {
    expect(marshalItem({ a: 1, b: undefined as unknown as Json })).toEqual({ a: { N: "1" } });
  });

  it.each(["9007199254740993", "123456789012345678901234567890", "1e400", "abc"])(
    "refuse the number %s, which would not be exact",
    (text) => {
      expect(() => unmarshalItem({ deep: { M: { offset: { N: text } } } })).toThrow(/deep\.offset is .*exactly/);
    },
  );

  it("refuse to store a whole number that is not exact", () => {
    expect(() => marshal(2 ** 53)).toThrow(/cannot be stored as an exact number/);
  });

  it.each([[{ SS: ["a"] }], [{ NS: ["1"] }], [{ B: new Uint8Array([1]) }]])("refuse %o, which is not ours", (value) => {
    expect(() => unmarshalItem({ list: { L: [value] } })).toThrow(/list\[0\] has a type that no record/);
  });
});

const withoutMinusZero = (value: Json): Json =>
  JSON.parse(JSON.stringify(value), (_key, each: unknown) => (Object.is(each, -0) ? 0 : each)) as Json;
