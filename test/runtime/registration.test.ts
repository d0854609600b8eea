import { describe, expect, it } from "vitest";
import { shardsOf } from "../../lib/core/placement.ts";
import type { SpecRecord } from "../../lib/core/records.ts";
import { type GroupName, groupName, voterId, wallTime } from "../../lib/core/types.ts";
import {
  type Declaring,
  type Deployment,
  registerDeclared,
  type SpecStore,
  withdrawDeclared,
} from "../../lib/runtime/registration.ts";

const voters = ["az-a", "az-b", "az-c"].map(voterId);
const deployment: Deployment = { voters, hasStopper: false, shards: shardsOf(1, null), preferredShard: null };
const name = groupName("mymaster");
const ours: Declaring = { stack: "stack/Cache", resource: "Mymaster", isNew: true };
const declaration = {
  name,
  nodes: [
    { id: "n1", host: "10.0.1.10", port: 6379, zone: "az-a" },
    { id: "n2", host: "10.0.2.10", port: 6379, zone: "az-b" },
  ],
};

class Specs implements SpecStore {
  readonly records = new Map<GroupName, SpecRecord>();
  readonly removed: GroupName[] = [];
  /** Edits by others that come between reading and writing. */
  foreignEdits = 0;

  async readSpec(group: GroupName): Promise<SpecRecord | null> {
    return this.records.get(group) ?? null;
  }
  async listSpecs() {
    return { specs: [...this.records.values()], damaged: [] };
  }
  async writeSpec(spec: SpecRecord, expectedVersion: number): Promise<boolean> {
    const standing = this.records.get(spec.group);
    if (this.foreignEdits > 0 && standing !== undefined) {
      this.foreignEdits -= 1;
      this.records.set(spec.group, { ...standing, version: standing.version + 1 });
    }
    if ((this.records.get(spec.group)?.version ?? 0) !== expectedVersion) return false;
    this.records.set(spec.group, spec);
    return true;
  }
  async removeGroup(group: GroupName): Promise<void> {
    this.records.delete(group);
    this.removed.push(group);
  }
}

describe("a declared group", () => {
  it("becomes a record of the deployment", async () => {
    const store = new Specs();
    expect(await registerDeclared(store, declaration, deployment, ours)).toEqual({ kind: "registered", version: 1 });
    expect(store.records.get(name)).toMatchObject({ owner: "cdk", version: 1, overrides: {}, shard: 0 });
  });

  it("keeps what operators have overridden", async () => {
    const store = new Specs();
    await registerDeclared(store, declaration, deployment, ours);
    const overrides = { downAfterMs: { value: 3_000, by: "kim", at: wallTime(1) } };
    const standing = store.records.get(name);
    if (standing !== undefined) store.records.set(name, { ...standing, overrides });
    await registerDeclared(store, { ...declaration, downAfterMs: 4_000 }, deployment, ours);
    expect(store.records.get(name)).toMatchObject({ version: 2, declared: { downAfterMs: 4_000 }, overrides });
  });

  it("is refused when it does not fit what operators have overridden", async () => {
    const store = new Specs();
    await registerDeclared(store, declaration, deployment, ours);
    const standing = store.records.get(name);
    const overrides = { refusedAfterMs: { value: 4_000, by: "kim", at: wallTime(1) } };
    if (standing !== undefined) store.records.set(name, { ...standing, overrides });
    await expect(
      registerDeclared(store, { ...declaration, downAfterMs: 1_000 }, deployment, ours),
    ).rejects.toMatchObject({
      code: "ConfigurationError",
    });
    expect(store.records.get(name)?.version).toBe(1);
  });

  it("keeps what a newer version has added, an override included: a deployment that is rolled back goes through", async () => {
    const store = new Specs();
    await registerDeclared(store, declaration, deployment, ours);
    const standing = store.records.get(name);
    const overrides = { electAfterMs: { value: 7, by: "kim", at: wallTime(1) } };
    const newer = { ...standing, overrides, later: true } as unknown as SpecRecord;
    if (standing !== undefined) store.records.set(name, newer);
    expect(await registerDeclared(store, declaration, deployment, ours)).toEqual({ kind: "registered", version: 2 });
    expect(store.records.get(name)).toEqual({ ...newer, version: 2 });
    await expect(registerDeclared(store, { ...declaration, electAfterMs: 7 }, deployment, ours)).rejects.toMatchObject({
      code: "ConfigurationError",
    });
  });

  it("that belongs to the command line is left to it", async () => {
    const store = new Specs();
    await registerDeclared(store, declaration, deployment, ours);
    const standing = store.records.get(name);
    if (standing !== undefined) store.records.set(name, { ...standing, owner: "cli" });
    expect(await registerDeclared(store, declaration, deployment, ours)).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("valkeeper groups remove mymaster"),
    });
    await withdrawDeclared(store, name, ours);
    expect(store.removed).toEqual([]);
  });

  it("is written over an edit that came between reading and writing, not instead of it", async () => {
    const store = new Specs();
    await registerDeclared(store, declaration, deployment, ours);
    store.foreignEdits = 1;
    expect(await registerDeclared(store, declaration, deployment, ours)).toEqual({ kind: "registered", version: 3 });
    store.foreignEdits = 99;
    expect(await registerDeclared(store, declaration, deployment, ours)).toMatchObject({ kind: "refused" });
  });

  describe("in a deployment of several shards", () => {
    const twoOfTwo: Deployment = { ...deployment, shards: shardsOf(2, 2) };
    const named = (text: string) => ({ ...declaration, name: groupName(text) });
    const shards = (store: Specs) => [...store.records.values()].map(({ shard }) => shard);

    it("goes where it is meant to while there is room, else to the emptiest, and nowhere when all are full", async () => {
      const store = new Specs();
      for (const group of ["a", "b", "c"]) {
        expect(await registerDeclared(store, named(group), { ...twoOfTwo, preferredShard: 1 }, ours)).toMatchObject({
          kind: "registered",
        });
      }
      expect(shards(store)).toEqual([1, 1, 0]);
      await registerDeclared(store, named("d"), twoOfTwo, ours);
      expect(shards(store)).toEqual([1, 1, 0, 0]);
      expect(await registerDeclared(store, named("e"), twoOfTwo, ours)).toEqual({
        kind: "refused",
        detail: expect.stringMatching(/no room for group e: shard 0 has 2 groups, shard 1 has 2 groups.*`shards`/),
      });
      expect(store.records.has(groupName("e"))).toBe(false);
    });

    it("stays where it is, also where there is no more room, and is moved when its shard goes", async () => {
      const store = new Specs();
      for (const group of ["a", "b"])
        await registerDeclared(store, named(group), { ...twoOfTwo, preferredShard: 1 }, ours);
      const standing = { ...deployment, shards: shardsOf(2, 1), preferredShard: 0 };
      expect(await registerDeclared(store, named("a"), standing, ours)).toEqual({ kind: "registered", version: 2 });
      expect(shards(store)).toEqual([1, 1]);
      const without = { ...deployment, shards: shardsOf(1, 1) };
      expect(await registerDeclared(store, named("a"), without, ours)).toEqual({ kind: "registered", version: 3 });
      expect(shards(store)).toEqual([0, 1]);
      expect(await registerDeclared(store, named("b"), without, ours)).toMatchObject({ kind: "refused" });
    });
  });

  it("is taken back when it leaves the app, and once only", async () => {
    const store = new Specs();
    await registerDeclared(store, declaration, deployment, ours);
    await withdrawDeclared(store, name, ours);
    await withdrawDeclared(store, name, ours);
    expect(store.removed).toEqual([name]);
  });
});
