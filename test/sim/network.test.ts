import { describe, expect, it } from "vitest";
import { Dice } from "./dice.ts";
import { EventQueue } from "./event-queue.ts";
import { Network } from "./network.ts";

function waits(rate: number, isFirst: boolean): ReadonlyMap<number, number> {
  const dice = new Dice("drops");
  const network = new Network(new EventQueue(dice.split("queue")), dice.split("network"));
  network.impose({ from: "voter:*", to: "node:*", effect: { kind: "drops", rate } });
  const path = network.path({ name: "voter:az-a", zone: "az-a" }, { name: "node:n1", zone: "az-b" });
  const shares = new Map<number, number>();
  for (let packet = 0; packet < 4_000; packet += 1) {
    const ms = path.repeatedMs(isFirst);
    shares.set(ms, (shares.get(ms) ?? 0) + 1 / 4_000);
  }
  return shares;
}

describe("a path that drops packets", () => {
  it("sends each again, and that one again, after a time-out that doubles", () => {
    const shares = waits(0.5, false);
    for (const [ms, share] of [
      [0, 0.5],
      [200, 0.25],
      [600, 0.125],
      [1_400, 0.0625],
    ] as const)
      expect(shares.get(ms)).toBeCloseTo(share, 1);
    expect([...shares.keys()].every((ms) => Math.log2(ms / 200 + 1) % 1 === 0)).toBe(true);
  });

  it("lets a connection's first packet wait longer", () => {
    expect([...waits(0.2, true).keys()].sort((left, right) => left - right).slice(0, 3)).toEqual([0, 1_000, 3_000]);
  });

  it("is none that drops nothing", () => {
    expect([...waits(0, false).keys()]).toEqual([0]);
  });
});
