import { describe, expect, it } from "vitest";
import { Dice } from "./dice.ts";
import { EventQueue } from "./event-queue.ts";
import { GROUP } from "./group.ts";
import { Versioned } from "./versioned.ts";

function written() {
  const queue = new EventQueue(new Dice("versions"));
  const items = new Versioned<string>(queue);
  const at = (time: number, act: () => void) => queue.after(time, act);
  at(100, () => items.set(GROUP, "one"));
  at(200, () => items.set(GROUP, "two"));
  at(300, () => items.delete(GROUP));
  return { queue, items };
}

describe("what a replica of the table shows that is behind", () => {
  it.each<[number, now: string | null, behind: string | null]>([
    [150, "one", null],
    [240, "two", "one"],
    [340, null, "two"],
    [450, null, null],
  ])("at %i ms", (time, now, behind) => {
    const { queue, items } = written();
    queue.runUntil(time);
    expect([items.get(GROUP) ?? null, items.behind(GROUP, 0), items.behind(GROUP, 90)]).toEqual([now, now, behind]);
  });

  it("nothing of the table before it was restored", () => {
    const { queue, items } = written();
    queue.runUntil(210);
    items.restore(new Map([[GROUP, "restored"]]));
    expect([items.get(GROUP), items.behind(GROUP, 0), items.behind(GROUP, 200)]).toEqual(Array(3).fill("restored"));
    items.clear();
    expect([items.get(GROUP), items.behind(GROUP, 0)]).toEqual([undefined, null]);
  });
});
