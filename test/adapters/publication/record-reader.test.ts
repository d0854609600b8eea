import type { ListResourceRecordSetsCommand, ResourceRecordSet, Route53Client } from "@aws-sdk/client-route-53";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { twinName } from "../../../lib/adapters/publication/record-plan.ts";
import { readRecords } from "../../../lib/adapters/publication/record-reader.ts";

type Order = (left: string, right: string) => number;
const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
const reversed = (name: string): string[] => name.replace(/\.$/, "").split(".").reverse();
/** As Route 53 documents it: the dots are compared too. */
const byDots: Order = (left, right) => compare(`${reversed(left).join(".")}.`, `${reversed(right).join(".")}.`);
/** As an emulator does: label by label. */
const byLabels: Order = (left, right) => compare(reversed(left).join("\0"), reversed(right).join("\0"));

/** A zone that lists its records in that order, so many to a page. */
function zoneOf(records: readonly ResourceRecordSet[], order: Order, page: number) {
  const sorted = [...records].sort(
    (left, right) => order(left.Name ?? "", right.Name ?? "") || compare(left.Type ?? "", right.Type ?? ""),
  );
  let requests = 0;
  const send = async ({ input }: ListResourceRecordSetsCommand) => {
    requests += 1;
    const start = input.StartRecordName ?? "";
    const from = sorted.findIndex((record) => order(record.Name ?? "", start) >= 0);
    const rest = from < 0 ? [] : sorted.slice(from);
    return { ResourceRecordSets: rest.slice(0, page), IsTruncated: rest.length > page };
  };
  return { client: { send } as unknown as Route53Client, requests: () => requests };
}

const record = (Name: string, Type: "A" | "TXT" | "MX"): ResourceRecordSet => ({
  Name: `${Name}.`,
  Type,
  TTL: 5,
  ResourceRecords: [{ Value: Name }],
});

describe("reading many names of a zone", () => {
  it("finds exactly what stands there, in either order of names and with pages of any size", async () => {
    const label = fc.constantFrom("cache", "cache-2", "cache2", "a", "z", "0", "x-y");
    const name = fc
      .array(label, { minLength: 1, maxLength: 2 })
      .map((labels) => [...labels, "example", "org"].join("."));
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 8 });
    const others = fc.uniqueArray(name, { maxLength: 12 });
    const order = fc.constantFrom(byDots, byLabels);
    const has = fc.array(fc.boolean(), { minLength: 16, maxLength: 16 });
    await fc.assert(
      // A page holds at least the records of one name.
      fc.asyncProperty(
        names,
        others,
        has,
        order,
        fc.integer({ min: 4, max: 9 }),
        async (wanted, there, bits, by, page) => {
          const records = [
            ...wanted.filter((_, index) => bits[index]).map((each) => record(each, "A")),
            ...wanted.filter((_, index) => bits[index + 8]).map((each) => record(twinName(each), "TXT")),
            ...there.map((each) => record(each, "MX")),
            ...there.map((each) => record(`www.${each}`, "A")),
          ];
          const read = await readRecords(zoneOf(records, by, page).client, "Z", wanted);
          if (read.kind === "failed") throw read.failure.error;
          const found = wanted.map((each) => [
            read.seen.get(each)?.addresses.length,
            read.seen.get(each)?.twin?.Type ?? null,
          ]);
          const truth = wanted.map((_, index) => [bits[index] ? 1 : 0, bits[index + 8] ? "TXT" : null]);
          expect(found).toEqual(truth);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes one request where all of it is on one page", async () => {
    const names = Array.from({ length: 20 }, (_, n) => `group-${n}.example.org`);
    const records = names.flatMap((name) => [record(name, "A"), record(twinName(name), "TXT")]);
    const zone = zoneOf(records, byDots, 300);
    await readRecords(zone.client, "Z", names);
    expect(zone.requests()).toBeLessThanOrEqual(2);
  });

  it("compares names without regard to case and the last dot", async () => {
    const zone = zoneOf([record("cache.example.org", "A")], byDots, 300);
    const read = await readRecords(zone.client, "Z", ["Cache.Example.org."]);
    expect(read.kind === "read" && read.seen.get("Cache.Example.org.")?.addresses).toHaveLength(1);
  });
});
