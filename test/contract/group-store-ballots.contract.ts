import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import type { BallotWrite } from "../../lib/core/ballot-write.ts";
import { attemptId, epoch, groupName, wallTime } from "../../lib/core/types.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import {
  az,
  ballotOf,
  claimWrite,
  createBallot,
  createWrite,
  freshAttempt,
  freshGroup,
  type MakeStore,
  n1,
  n2,
  requestOf,
  type StoreUnderTest,
  voteOf,
  voteWrite,
} from "./group-store-builders.ts";

export function describeBallots(makeStore: MakeStore): void {
  let made: StoreUnderTest;
  let store: OperatorStore;
  beforeAll(async () => {
    made = await makeStore();
    store = made.store;
  });
  afterAll(() => made.close());

  it("gives the table one id, the same each time", async () => {
    const id = await store.tableId();
    expect(id).not.toBe("");
    expect(await store.tableId()).toBe(id);
  });

  it("has no ballot of a group that nobody created", async () => {
    expect(await store.readBallot(freshGroup())).toBeNull();
  });

  it("returns a created ballot as it was written, nulls included", async () => {
    const ballot = ballotOf(freshGroup());
    expect(await createBallot(store, ballot)).toEqual(ballot);
    expect(await store.readBallot(ballot.group)).toEqual(ballot);
  });

  it("refuses to create a second one, and returns the first", async () => {
    const first = await createBallot(store, ballotOf(freshGroup()));
    const second = createWrite({ ...first, epoch: epoch(99), attempt: freshAttempt() });
    expect(await store.writeBallot(second)).toEqual({ kind: "refused", ballot: first });
  });

  it("refuses a write on a group that has none, with null", async () => {
    const ballot = ballotOf(freshGroup());
    const outcome = await store.writeBallot(claimWrite(ballot, az("a"), freshAttempt()));
    expect(outcome).toEqual({ kind: "refused", ballot: null });
  });

  describeVotes(() => store);
  describeClaims(() => store);
  describeChanges(() => store);
  describeGlances(() => store);
}

function describeVotes(the: () => OperatorStore): void {
  it("S7: a vote is cast and returns the whole ballot, with the others' votes", async () => {
    const ballot = await createBallot(the(), ballotOf(freshGroup()));
    const [a, b] = [voteOf(), voteOf({ level: "suspect" })];
    await the().writeBallot(voteWrite(ballot.group, az("a"), a));
    const outcome = await the().writeBallot(voteWrite(ballot.group, az("b"), b));
    expect(outcome).toEqual({ kind: "applied", ballot: { ...ballot, votes: { [az("a")]: a, [az("b")]: b } } });
  });

  it("S7: a delayed vote does not replace a newer one, and is told which one stands", async () => {
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    const newer = voteOf({ generation: 2, seq: 1, level: "clear" });
    await the().writeBallot(voteWrite(group, az("a"), newer));
    const outcome = await the().writeBallot(voteWrite(group, az("a"), voteOf({ generation: 1, seq: 900 })));
    expect(outcome).toMatchObject({ kind: "refused", ballot: { votes: { [az("a")]: newer } } });
  });

  it("resolves the echo of an attempt that was applied before as applied", async () => {
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    const write = voteWrite(group, az("a"), voteOf());
    const first = await the().writeBallot(write);
    expect(first.kind).toBe("applied");
    expect(await the().writeBallot(write)).toEqual(first);
  });

  it("sees no echo in another attempt's identical vote", async () => {
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    const vote = voteOf();
    await the().writeBallot(voteWrite(group, az("a"), vote));
    const twin = voteWrite(group, az("a"), { ...vote, attempt: attemptId("another") });
    expect(await the().writeBallot(twin)).toMatchObject({ kind: "refused", ballot: { votes: { [az("a")]: vote } } });
  });
}

function describeClaims(the: () => OperatorStore): void {
  it("S1: of 50 claims at once one wins, and every other is told by whom it was beaten", async () => {
    const ballot = await createBallot(the(), ballotOf(freshGroup()));
    const claims = Array.from({ length: 50 }, (_, n) => claimWrite(ballot, az(`${n}`), freshAttempt()));
    const outcomes = await Promise.all(claims.map((claim) => the().writeBallot(claim)));
    const winners = outcomes.filter((outcome) => outcome.kind === "applied");
    expect(winners).toHaveLength(1);
    const [winner] = winners;
    expect(winner?.kind === "applied" && winner.ballot.epoch).toBe(5);
    const lost = outcomes.filter((outcome) => outcome.kind === "refused");
    expect(lost).toHaveLength(49);
    for (const outcome of lost) {
      expect(outcome.ballot).toEqual(winner?.kind === "applied" ? winner.ballot : null);
    }
    expect(await the().readBallot(ballot.group)).toEqual(lost[0]?.ballot);
  });

  it("S2: 20 voters that raise the epoch again and again never lose a step", async () => {
    const ballot = await createBallot(the(), ballotOf(freshGroup()));
    const raise = async (voter: number): Promise<void> => {
      let seen = ballot;
      for (;;) {
        const attempt = attemptId(`raise-${voter}-${seen.epoch}`);
        const outcome = await the().writeBallot({
          name: "raise",
          group: ballot.group,
          attempt: { path: ["attempt"], id: attempt },
          condition: { kind: "equals", path: ["epoch"], value: seen.epoch },
          changes: [
            { path: ["epoch"], value: seen.epoch + 1 },
            { path: ["attempt"], value: attempt },
          ],
        });
        if (outcome.kind === "applied") return;
        if (outcome.kind === "unknown" || outcome.ballot === null) throw new Error(JSON.stringify(outcome));
        seen = outcome.ballot;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, voter) => raise(voter)));
    expect((await the().readBallot(ballot.group))?.epoch).toBe(24);
  });
}

function describeChanges(the: () => OperatorStore): void {
  const change = (group: BallotWrite["group"], changes: BallotWrite["changes"]): BallotWrite => ({
    name: "change",
    group,
    attempt: { path: ["attempt"], id: attemptId("change") },
    condition: { kind: "equals", path: ["primary", "node"], value: n1 },
    changes,
  });

  it("changes one value inside a map and removes another attribute", async () => {
    const claimed = claimWrite(await createBallot(the(), ballotOf(freshGroup())), az("a"), freshAttempt());
    await the().writeBallot(claimed);
    const outcome = await the().writeBallot(
      change(claimed.group, [
        { path: ["lease"], value: null },
        { path: ["members", "version"], value: 2 },
        { path: ["members", "nodes", n2, "inSyncEpoch"], value: 5 },
      ]),
    );
    expect(outcome).toMatchObject({
      kind: "applied",
      ballot: { lease: null, epoch: 5, members: { version: 2, nodes: { [n2]: { inSyncEpoch: 5 } } } },
    });
  });

  it("applies changes of one path in their order", async () => {
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    const members = { version: 8, nodes: {} };
    const outcome = await the().writeBallot(
      change(group, [
        { path: ["revision"], value: 1 },
        { path: ["members"], value: members },
        { path: ["revision"], value: 2 },
        { path: ["members", "version"], value: 9 },
      ]),
    );
    expect(outcome).toMatchObject({ kind: "applied", ballot: { revision: 2, members: { version: 9, nodes: {} } } });
  });

  it("keeps 53-bit numbers exact", async () => {
    const lineage = {
      histories: [{ epoch: epoch(4), node: n1, replicationId: "x", forkOffset: Number.MAX_SAFE_INTEGER }],
      intents: [],
    };
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    await the().writeBallot(change(group, [{ path: ["lineage"], value: lineage }]));
    const forkOffset = (await the().readBallot(group))?.lineage.histories[0]?.forkOffset;
    expect(forkOffset).toBe(9_007_199_254_740_991);
  });

  it("resolves as unknown what the store calls invalid, and changes nothing", async () => {
    const before = await createBallot(the(), ballotOf(freshGroup()));
    const outcome = await the().writeBallot(change(before.group, [{ path: ["lease", "version"], value: 2 }]));
    expect(outcome.kind).toBe("unknown");
    expect(await the().readBallot(before.group)).toEqual(before);
  });

  it("rejects to read a ballot of a newer schema, and names it", async () => {
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    const outcome = await the().writeBallot(change(group, [{ path: ["schema"], value: 99 }]));
    expect(outcome).toMatchObject({ kind: "unknown", detail: expect.stringContaining("schema 99") });
    await expect(the().readBallot(group)).rejects.toMatchObject({ code: "RecordFormatError" });
  });

  it("rejects to read a damaged ballot, and names the field", async () => {
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    await the().writeBallot(change(group, [{ path: ["members", "version"], value: "one" }]));
    await expect(the().readBallot(group)).rejects.toThrow(/members\.version should be a number/);
  });
}

function describeGlances(the: () => OperatorStore): void {
  it("glances at many groups at once, those without a ballot too", async () => {
    const groups = Array.from({ length: 120 }, () => freshGroup());
    const created = groups.filter((_, index) => index % 3 === 0);
    await Promise.all(created.map((group) => createBallot(the(), ballotOf(group))));
    const seen = await the().glance(groups);
    expect([...seen.keys()]).toEqual(groups);
    for (const group of groups) {
      const ballot = created.includes(group) ? ballotOf(group) : null;
      expect(seen.get(group)).toEqual({ ballot, request: null, unreadable: null });
    }
  });

  it("shows the request beside the ballot", async () => {
    const ballot = await createBallot(the(), ballotOf(freshGroup()));
    const request = requestOf("r1");
    await the().writeRequest(ballot.group, request, wallTime(1_000));
    const seen = await the().glance([ballot.group]);
    expect(seen.get(ballot.group)).toEqual({ ballot, request, unreadable: null });
  });

  it("holds only the group whose ballot cannot be read", async () => {
    const [healthy, damaged] = [freshGroup(), freshGroup()];
    await createBallot(the(), ballotOf(healthy));
    const { epoch: _epoch, ...incomplete } = encodeBallot(ballotOf(damaged));
    await the().writeBallot({
      ...createWrite(ballotOf(damaged)),
      changes: Object.entries(incomplete).map(([name, value]) => ({ path: [name] as const, value })),
    });
    const seen = await the().glance([healthy, damaged]);
    expect(seen.get(healthy)).toMatchObject({ ballot: { epoch: 4 }, unreadable: null });
    expect(seen.get(damaged)).toMatchObject({ ballot: null, unreadable: expect.stringContaining("epoch") });
  });

  it("glances at nothing", async () => {
    expect((await the().glance([])).size).toBe(0);
  });

  it("marks a ballot as looked at, never for a shorter time, and never makes one", async () => {
    const { group } = await createBallot(the(), ballotOf(freshGroup()));
    await the().look(group, wallTime(30_000));
    await the().look(group, wallTime(20_000));
    expect((await the().readBallot(group))?.lookUntil).toBe(30_000);
    const nobody = groupName("nobody");
    await the().look(nobody, wallTime(30_000));
    expect(await the().readBallot(nobody)).toBeNull();
  });
}
