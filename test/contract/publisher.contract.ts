// What publishing comes to, run on the real adapter before the local cloud's SSM and Route 53 and on the simulator's publisher
// over its own: whatever a promise about copies rests on (S2, L1, R19). Where the simulation says less: one deployment, and of
// a parameter or record whom it names and in which order, no words.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PublishedCopies } from "../../lib/core/records.ts";
import type { GroupName } from "../../lib/core/types.ts";
import type { PublishOutcome } from "../../lib/ports/publisher.ts";
import { freshGroup } from "./group-store-builders.ts";

export type Copy = "ssm" | "dns";

export interface Order {
  readonly epoch: number;
  readonly revision?: number;
}

export interface PublisherWorld {
  /** The primary of epoch N is at 10.0.0.N. `by`: one of two publishers that know nothing of each other. */
  publish(copy: Copy | "table", group: GroupName, order: Order, by?: 0 | 1): PromiseLike<PublishOutcome>;
  /** For a group that publishes nowhere but in the table. */
  publishNowhere(copy: Copy, group: GroupName, order: Order): PromiseLike<PublishOutcome>;
  /** `epoch.revision host`; null: nothing stands there. */
  read(copy: Copy, group: GroupName): PromiseLike<string | null>;
  /** By somebody's hand: the same order, another host. */
  rename(copy: Copy, group: GroupName, host: string): PromiseLike<void>;
  /** Route 53's batch: what stands is deleted exactly as it is given, and the other made. False: refused. */
  exchange(group: GroupName, hosts: { readonly from: string; readonly to: string }): PromiseLike<boolean>;
  standing(group: GroupName): PromiseLike<number>;
  confirmed(group: GroupName): PromiseLike<PublishedCopies>;
  close(): PromiseLike<void>;
}

const APPLIED = { kind: "applied", changed: true };
/** So often that now and then the older one's last request comes last. */
const ROUNDS = 12;
const UNCHANGED = { kind: "applied", changed: false };

export function describePublisherContract(name: string, make: () => Promise<PublisherWorld>): void {
  describe.each(["ssm", "dns"] as const)(`the publisher's contract: ${name}, %s`, (copy) => {
    let world: PublisherWorld;
    let group: GroupName;
    beforeAll(async () => {
      world = await make();
    });
    afterAll(() => world?.close());
    beforeEach(() => {
      group = freshGroup();
    });
    const publish = (epoch: number, revision = 0, by: 0 | 1 = 0) => world.publish(copy, group, { epoch, revision }, by);

    it("says nothing before it is published, then what was, and that it was", async () => {
      expect(await world.read(copy, group)).toBeNull();
      expect(await publish(7, 2)).toEqual(APPLIED);
      expect(await world.read(copy, group)).toBe("7.2 10.0.0.7");
      expect((await world.confirmed(group))[copy]).toMatchObject({ epoch: 7, revision: 2 });
    });

    it("replaces an older one, and does nothing the second time", async () => {
      await publish(7);
      expect(await publish(8)).toEqual(APPLIED);
      expect(await publish(8)).toEqual(UNCHANGED);
      expect(await publish(8, 1, 1)).toEqual(APPLIED);
      expect(await world.read(copy, group)).toBe("8.1 10.0.0.8");
    });

    it("S2: leaves a newer one alone, and says so", async () => {
      await publish(8, 1);
      for (const [epoch, revision] of [
        [8, 0],
        [7, 5],
      ] as const)
        expect(await publish(epoch, revision, 1)).toMatchObject({ kind: "superseded" });
      expect(await world.read(copy, group)).toBe("8.1 10.0.0.8");
      expect((await world.confirmed(group))[copy]).toMatchObject({ epoch: 8, revision: 1 });
    });

    it("L1: puts back what somebody wrote there", async () => {
      await publish(7);
      await world.rename(copy, group, "10.9.9.9");
      expect(await world.read(copy, group)).toBe("7.0 10.9.9.9");
      expect(await publish(7)).toEqual(APPLIED);
      expect(await world.read(copy, group)).toBe("7.0 10.0.0.7");
    });

    it("S2: of two that publish at once the newer one stands in the end, whoever comes first", async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const [mine, theirs] = round % 2 === 0 ? [8, 7] : [7, 8];
        group = freshGroup();
        await publish(6);
        const both = await Promise.all([publish(mine), publish(theirs, 0, 1)]);
        expect(both[mine === 8 ? 0 : 1]).toEqual(APPLIED);
        expect(both[mine === 8 ? 1 : 0]?.kind).toMatch(/applied|superseded/);
        expect(await world.read(copy, group)).toBe("8.0 10.0.0.8");
      }
    });

    it("both are told that it stands when two publish the same at once", async () => {
      const both = await Promise.all([publish(7), publish(7, 0, 1)]);
      expect(both.map(({ kind }) => kind)).toEqual(["applied", "applied"]);
      expect(await world.read(copy, group)).toBe("7.0 10.0.0.7");
    });

    it("R19: tells the highest epoch that stands anywhere", async () => {
      expect(await world.standing(group)).toBe(0);
      await publish(7);
      expect(await world.standing(group)).toBe(7);
      expect(await world.publish("table", group, { epoch: 9 })).toEqual(APPLIED);
      expect(await world.standing(group)).toBe(9);
    });

    it("is skipped where it is not configured", async () => {
      expect(await world.publishNowhere(copy, group, { epoch: 7 })).toMatchObject({ kind: "skipped" });
      expect(await world.read(copy, group)).toBeNull();
    });

    it("leaves other groups as they are", async () => {
      const other = freshGroup();
      await publish(7);
      await world.publish(copy, other, { epoch: 3 });
      expect(await world.read(copy, group)).toBe("7.0 10.0.0.7");
      expect(await world.read(copy, other)).toBe("3.0 10.0.0.3");
    });

    // SSM knows no conditions: whoever comes last wins, and reads back.
    if (copy === "ssm") return;
    it("S2: nothing takes the place of what does not stand exactly as it was read", async () => {
      await publish(7);
      const exchanged = (from: string, to: string) => world.exchange(group, { from, to });
      expect(await exchanged("10.0.0.6", "10.0.0.5")).toBe(false);
      expect(await world.read(copy, group)).toBe("7.0 10.0.0.7");
      const both = await Promise.all([exchanged("10.0.0.7", "10.0.0.8"), exchanged("10.0.0.7", "10.0.0.9")]);
      expect(both.toSorted()).toEqual([false, true]);
      expect(await world.read(copy, group)).toBe(`7.0 10.0.0.${both[0] ? 8 : 9}`);
    });
  });

  describe(`the publisher's contract: ${name}, the ordered item`, () => {
    let world: PublisherWorld;
    beforeAll(async () => {
      world = await make();
    });
    afterAll(() => world?.close());

    it("S2: takes only a larger order, and knows its own", async () => {
      const group = freshGroup();
      const publish = (epoch: number, revision = 0) => world.publish("table", group, { epoch, revision });
      expect(await publish(7)).toEqual(APPLIED);
      expect(await publish(7)).toEqual(UNCHANGED);
      expect(await publish(6, 9)).toMatchObject({ kind: "superseded" });
      expect(await publish(7, 1)).toEqual(APPLIED);
    });
  });
}
