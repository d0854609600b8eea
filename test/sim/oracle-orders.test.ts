// What an order may begin, with a made-up world for each way of breaking it.

import { describe, expect, it } from "vitest";
import type { Json } from "../../lib/core/ballot-write.ts";
import type { RequestKind } from "../../lib/core/records.ts";
import { begins, type Made, made, n1, primary } from "./made-world.ts";

const begun = (began: number, request: string): Json => ({
  ...(begins("switchover", began) as object),
  by: "operator",
  request,
});

function ordered(kind: RequestKind, result: string | null = null): Made {
  const world = made();
  world.write("voter:az-a", "adopt", { table: "table-1", epoch: 1, primary: primary(n1, 1) });
  world.view.lastOrder = { id: "request-1", kind, result };
  return world;
}

describe("an order", () => {
  it("begins one operation, whoever goes on with it", () => {
    const world = ordered("switchover");
    world.write("voter:az-a", "grant", { epoch: 2, operation: begun(2, "request-1") });
    world.write("voter:az-b", "take-over", { epoch: 3 });
    expect(world.ids()).toEqual([]);
    world.write("voter:az-b", "finish", { operation: null });
    world.write("voter:az-c", "grant", { epoch: 4, operation: begun(4, "request-1") });
    expect(world.ids()).toEqual(["orders"]);
  });

  it("may be begun again where the record that knew of it was replaced", () => {
    const world = ordered("switchover");
    world.write("voter:az-a", "grant", { epoch: 2, operation: begun(2, "request-1") });
    world.restore({ table: "table-1", epoch: 1, primary: primary(n1, 1) });
    world.write("voter:az-a", "grant", { epoch: 2, operation: begun(2, "request-1") });
    expect(world.ids()).toEqual([]);
  });

  it("to change the members begins nothing, also when another has followed it", () => {
    const world = ordered("set-members");
    world.oracle.orders.check();
    world.view.lastOrder = { id: "request-2", kind: "switchover", result: null };
    world.write("voter:az-a", "grant", { epoch: 2, operation: begun(2, "request-2") });
    expect(world.ids()).toEqual([]);
    world.write("voter:az-a", "grant", { epoch: 3, operation: begun(3, "request-1") });
    // An election that nobody ordered is no less of one for what the record says.
    expect(world.ids()).toEqual(["S3", "orders"]);
  });

  it("to change the members is refused, and never called done", () => {
    for (const [result, ids] of [
      ["refused", []],
      ["done", ["orders"]],
    ] as const) {
      const world = ordered("set-members", result);
      world.oracle.orders.check();
      expect(world.ids()).toEqual(ids);
    }
  });
});
