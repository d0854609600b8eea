import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NUMBERS, SETTINGS, WORDS } from "../../lib/core/config-bounds.ts";
import { checkConfig, checkDeclaration } from "../../lib/core/config-check.ts";
import { completeConfig, majority } from "../../lib/core/config-defaults.ts";
import { ConfigurationError } from "../../lib/core/errors.ts";
import type { VoterId } from "../../lib/core/types.ts";

const voters = ["az-a", "az-b", "az-c"] as VoterId[];
const anything = fc.anything({
  withBigInt: true,
  withNullPrototype: true,
  withSparseArray: true,
  withObjectString: true,
});

/** Settings that exist, with values that often fit. */
const setting = fc.oneof(
  fc
    .constantFrom(...Object.keys(NUMBERS))
    .chain((name) => fc.tuple(fc.constant(name), fc.oneof(fc.nat({ max: 20_000 }), fc.integer(), anything))),
  fc
    .constantFrom(...Object.entries(WORDS))
    .chain(([name, words]) => fc.tuple(fc.constant(name), fc.oneof(fc.constantFrom<unknown>(...words), anything))),
  fc.tuple(fc.constantFrom(...SETTINGS), anything),
);
const node = fc.record({
  id: fc.constantFrom("n1", "n2", "n3", "n4"),
  host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.string()),
  port: fc.nat({ max: 70_000 }),
});
const input = fc
  .tuple(fc.array(node, { maxLength: 4 }), fc.array(setting, { maxLength: 6 }))
  .map(([nodes, settings]) => ({ name: "g", nodes, ...Object.fromEntries(settings) }));

function outcome(value: unknown) {
  try {
    return { config: checkConfig(value, { voters }) };
  } catch (error) {
    return { error };
  }
}

describe("checkConfig, whatever it is given", () => {
  it("throws nothing but ConfigurationError with at least one issue", () => {
    fc.assert(
      fc.property(fc.oneof(anything, input, fc.jsonValue()), (value) => {
        const { error } = outcome(value);
        if (error === undefined) return;
        expect(error).toBeInstanceOf(ConfigurationError);
        expect((error as ConfigurationError).issues.length).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });

  it("says the same of what it returned: valid in, unchanged out", () => {
    fc.assert(
      fc.property(input, (value) => {
        const { config } = outcome(value);
        fc.pre(config !== undefined);
        expect(checkConfig(config, { voters })).toEqual(config);
        expect(completeConfig(checkDeclaration(value, { voters }))).toEqual(config);
      }),
      { numRuns: 200 },
    );
  });

  it("S3: never returns a quorum below the majority or above the voters", () => {
    const count = fc.integer({ min: 1, max: 15 });
    fc.assert(
      fc.property(count, fc.option(fc.integer({ min: -1, max: 17 }), { nil: undefined }), (size, quorum) => {
        const ids = Array.from({ length: size }, (_, index) => `v${index}` as VoterId);
        const value = { name: "g", nodes: [{ id: "n1", host: "h" }], quorum };
        try {
          const config = checkConfig(value, { voters: ids });
          expect(config.quorum).toBeGreaterThanOrEqual(majority(size));
          expect(config.quorum).toBeLessThanOrEqual(size);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
          expect(quorum === undefined || quorum < majority(size) || quorum > size).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("accepts every downAfterMs within its bounds given alone: derived defaults fit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 60_000 }), (downAfterMs) => {
        expect(outcome({ name: "g", nodes: [{ id: "n1", host: "h" }], downAfterMs }).error).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});
