// What every Valkey port must do, run on real servers and on the simulator's: the experiments that the engine relies on, as
// seen through the port. The letters are those of the experiments.

import { afterEach, describe } from "vitest";
import { describeChanges } from "./valkey-node-changes.contract.ts";
import { describeHangs } from "./valkey-node-hangs.contract.ts";
import { describeProbes } from "./valkey-node-probes.contract.ts";
import { Scene } from "./valkey-node-scene.ts";
import type { MakeNodeWorld, WorldOptions } from "./valkey-node-world.ts";

export function describeValkeyNodeContract(name: string, makeWorld: MakeNodeWorld): void {
  describe(`the Valkey port's contract: ${name}`, () => {
    let scene: Scene | null = null;
    const begin = async (options: WorldOptions = {}): Promise<Scene> => {
      scene = new Scene(await makeWorld(options));
      return scene;
    };
    afterEach(async () => {
      await scene?.close();
      scene = null;
    });
    describe("probes", () => describeProbes(begin));
    describe("changes", () => describeChanges(begin));
    describe("hung nodes", () => describeHangs(begin));
  });
}
