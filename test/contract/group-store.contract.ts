// What every store must do, run on the real adapter before real endpoints and on the simulator's store: a fake that
// forgives what DynamoDB does not would make the simulation worthless.

import { describe } from "vitest";
import { describeBallots } from "./group-store-ballots.contract.ts";
import type { MakeStore } from "./group-store-builders.ts";
import { describePublications } from "./group-store-publications.contract.ts";
import { describeHistory, describeRequests, describeSpecs } from "./group-store-records.contract.ts";
import { describeSlots } from "./group-store-slots.contract.ts";

export type { MakeStore } from "./group-store-builders.ts";

/** Each part makes a store of its own, once. */
export function describeGroupStoreContract(name: string, makeStore: MakeStore): void {
  describe(`the group store's contract: ${name}`, () => {
    describe("ballots", () => describeBallots(makeStore));
    describe("slots", () => describeSlots(makeStore));
    describe("specs", () => describeSpecs(makeStore));
    describe("requests", () => describeRequests(makeStore));
    describe("history", () => describeHistory(makeStore));
    describe("publications", () => describePublications(makeStore));
  });
}
