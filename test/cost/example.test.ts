import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Egress } from "../../lib/constructs/egress.ts";
import { DISK_GIBIBYTES } from "../../lib/constructs/example-stack.ts";
import { inventoryOf } from "./inventory.ts";
import { monthOf } from "./month.ts";
import { HOURS_PER_MONTH, PRICES } from "./prices.ts";

const NODES = 3;
/** Beside the coordinator's, which the month has: two users' and the certificate. */
const MORE_SECRETS = 3;

/** The rows of docs/deploy.md's table, from what the example deploys. */
function rows(): string {
  const inventory = inventoryOf(Egress.NAT, { isWatched: true, isOnHosts: true });
  const lines = monthOf({ groups: 1, inventory, natGateways: 1 }, { isFreeTierLeft: false });
  const gateway = lines.find(({ id }) => id === "egress")?.usd ?? 0;
  const machines = NODES * (PRICES.t4gMicroHour.usd * HOURS_PER_MONTH + DISK_GIBIBYTES * PRICES.diskGbMonth.usd);
  const keeper = lines.reduce((sum, { usd }) => sum + usd, 0) - gateway + MORE_SECRETS * PRICES.secretMonth.usd;
  const row = (what: string, usd: number): string =>
    `| ${what} | $${(usd / HOURS_PER_MONTH).toFixed(3)} | $${usd.toFixed(2)} |`;
  return [
    row("three t4g.micro with their disks", machines),
    row("one NAT gateway", gateway),
    row("Valkeeper with alarms and dashboard, four secrets", keeper),
    row("**together**", machines + gateway + keeper),
  ].join("\n");
}

describe("what the example costs", () => {
  it("is what docs/deploy.md says", () => {
    const text = readFileSync(new URL("../../docs/deploy.md", import.meta.url), "utf8");
    const expected = rows();
    expect(text.includes(expected), `docs/deploy.md should have\n${expected}`).toBe(true);
  });
});
