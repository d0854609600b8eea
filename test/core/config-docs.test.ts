import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { COORDINATOR_USER, coordinatorAclLine } from "../../lib/core/acl.ts";
import {
  DEFAULTS,
  type DeclaredConfig,
  IRREGULAR_INTERVAL_MS,
  LEASE_MARGIN_MS,
  STALL_LIMIT_MS,
} from "../../lib/core/config.ts";
import { NUMBERS, SENTINEL_NAMES, SETTINGS, WORDS } from "../../lib/core/config-bounds.ts";
import { checkConfig } from "../../lib/core/config-check.ts";
import { completeConfig } from "../../lib/core/config-defaults.ts";
import { groupName, voterId } from "../../lib/core/types.ts";

const text = readFileSync(fileURLToPath(new URL("../../docs/configuration.md", import.meta.url)), "utf8");
const cells = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map(cells);
/** The rows of the settings' tables: five columns, the first a name. */
const settings = new Map(
  rows
    .filter((row) => row.length === 5 && /^`\w+`$/.test(row[0] ?? ""))
    .map((row) => [(row[0] ?? "").slice(1, -1), row]),
);

describe("docs/configuration.md", () => {
  it("has one row for every setting, and none for others", () => {
    expect([...settings.keys()].toSorted()).toEqual([...SETTINGS].toSorted());
  });

  it.each(Object.keys(NUMBERS))("gives the default and the bounds of %s", (name) => {
    const [, byDefault = "", range = ""] = settings.get(name) ?? [];
    const { least, most, nullable } = NUMBERS[name as keyof typeof NUMBERS];
    expect(/^`(\w+)`/.exec(byDefault)?.[1]).toBe(String(DEFAULTS[name as keyof typeof DEFAULTS]));
    expect(range).toBe(`${least} - ${most}${nullable === true ? ", `null`" : ""}`);
  });

  it.each(Object.entries(WORDS))("gives the default and the words of %s", (name, words) => {
    const [, byDefault = "", range = ""] = settings.get(name) ?? [];
    expect(/^`([\w-]+)`/.exec(byDefault)?.[1]).toBe(DEFAULTS[name as keyof typeof DEFAULTS]);
    expect(range).toBe(words.map((word) => `\`${word}\``).join(", "));
  });

  it("derives what the table says it derives", () => {
    const columns = [
      "downAfterMs",
      "probeIntervalMs",
      "probeTimeoutMs",
      "refusedAfterMs",
      "writeHoldAfterMs",
      "unreachableAfterMs",
      "voteWindowMs",
    ];
    const derived = rows.filter((row) => row.length === 7 && /^\d+$/.test(row[0] ?? ""));
    expect(derived).toHaveLength(4);
    for (const row of derived) {
      const declared = { name: groupName("g"), nodes: [], downAfterMs: Number(row[0]) } as unknown as DeclaredConfig;
      const config = completeConfig(declared) as unknown as Record<string, unknown>;
      expect(row).toEqual(columns.map((column) => String(config[column])));
    }
  });

  it("names the bounds that relations add", () => {
    expect(settings.get("leaseMs")?.[3]).toContain(`At least ${LEASE_MARGIN_MS + STALL_LIMIT_MS} + \`freezeWaitMs\``);
    expect(settings.get("voteWindowMs")?.[3]).toContain(
      `the larger of \`probeIntervalMs\` and ${IRREGULAR_INTERVAL_MS}`,
    );
  });

  it("prints the coordinator's ACL line as it is in the code", () => {
    expect(text).toContain(`\n${coordinatorAclLine({ user: COORDINATOR_USER, password: "<password>" })}\n`);
  });

  it("begins with a declaration that is valid", () => {
    const example = /```json\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    const voters = ["az-a", "az-b", "az-c"].map(voterId);
    expect(checkConfig(JSON.parse(example), { voters }).credentials.kind).toBe("secrets-manager");
  });

  it("names Sentinel's settings that the check answers to", () => {
    const directives = Object.keys(SENTINEL_NAMES).filter((name) => name.includes("-") && !name.startsWith("master"));
    expect(directives.filter((name) => !text.includes(name))).toEqual([]);
  });
});
