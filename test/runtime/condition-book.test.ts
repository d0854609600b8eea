import { describe, expect, it } from "vitest";
import { type Ballot, emptyBallot } from "../../lib/core/ballot.ts";
import type {
  NotedConditions,
  PublishedCopies,
  SlotRecord,
  SpecRecord,
  VoterGroupView,
} from "../../lib/core/records.ts";
import { attemptId, epoch, type GroupName, groupName, instant, type WallTime, wallTime } from "../../lib/core/types.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { ConditionBook, notedAfter } from "../../lib/runtime/condition-book.ts";
import { METRICS, type MetricName } from "../../lib/runtime/metric-names.ts";
import type { PublisherStore } from "../../lib/runtime/publisher-loop.ts";
import type { ConditionsFound } from "../../lib/runtime/publisher-meter.ts";
import { rejected, viewOf } from "./views.ts";

const MINUTE = 60_000;
const now = (minute: number) => ({ at: wallTime(minute * MINUTE), epoch: epoch(7) });

/** The notes of one look a minute, from minute 0 on; null: nothing is written. */
function notes(...looks: readonly Readonly<Record<string, string>>[]): readonly (NotedConditions | null)[] {
  let standing: NotedConditions | null = null;
  return looks.map((seen, minute) => {
    const after = notedAfter(standing, new Map(Object.entries(seen)), now(minute));
    standing = after ?? standing;
    return after;
  });
}

const toldIn = (note: NotedConditions | null | undefined): readonly string[] =>
  Object.entries(note?.standing ?? {}).flatMap(([name, { isTold }]) => (isTold ? [name] : []));

describe("the note of a group's conditions", () => {
  const blocked = { "failover-blocked": "quorum-pending: one of two" };
  const notReady = { "group-not-ready": "nobody could be promoted: n2 link down" };

  it("tells at the first look what an alarm rings for at once", () => {
    const [first] = notes(blocked);
    const reason = "quorum-pending: one of two";
    expect(first).toEqual({
      at: 0,
      standing: { "failover-blocked": { since: 0, epoch: 7, reason, isTold: true } },
    });
  });

  it("is written once for what lasts, also when the words change", () => {
    const others = { "failover-blocked": "too-few-nodes: n3" };
    expect(notes({}, blocked, blocked, others, blocked).map((note) => note !== null)).toEqual([
      ...[false, true, false, false, false],
    ]);
  });

  it("tells after two minutes more what an alarm waits for, in the words of then", () => {
    const [first, second, third, fourth] = notes(
      { "group-not-ready": "nobody looked yet" },
      notReady,
      notReady,
      notReady,
    );
    expect([toldIn(first), second, toldIn(third), fourth]).toEqual([[], null, ["group-not-ready"], null]);
    expect(third?.standing["group-not-ready"]).toEqual({
      ...{ since: 0, epoch: 7, reason: "nobody could be promoted: n2 link down", isTold: true },
    });
  });

  it("never tells of what went before its alarm would have rung", () => {
    const all = notes(notReady, {}, notReady, {});
    expect(all.map(toldIn)).toEqual([[], [], [], []]);
    expect(all.map((note) => Object.keys(note?.standing ?? {}).length)).toEqual([1, 0, 1, 0]);
  });

  it("ends what three looks have not seen, and not what one has missed", () => {
    const [, missed, again, gone, still, ended, after] = notes(blocked, {}, blocked, {}, {}, {}, {});
    expect(missed?.standing["failover-blocked"]).toMatchObject({ isTold: true, goneAt: MINUTE });
    expect(again?.standing["failover-blocked"]).not.toHaveProperty("goneAt");
    expect(gone?.standing["failover-blocked"]).toMatchObject({ goneAt: 3 * MINUTE });
    expect(still).toBeNull();
    expect(ended).toEqual({ at: 5 * MINUTE, standing: {} });
    expect(after).toBeNull();
  });

  it("keeps conditions of one group apart", () => {
    const [, second] = notes(blocked, { ...blocked, "needless-churn": "twice" });
    expect(toldIn(second)).toEqual(["failover-blocked", "needless-churn"]);
  });
});

const GROUP = groupName("mymaster");
const NOW = 10 * MINUTE;

interface World {
  readonly views?: readonly VoterGroupView[];
  readonly heardAt?: number;
  readonly mode?: Ballot["control"]["mode"];
  readonly damaged?: readonly GroupName[];
  readonly standing?: NotedConditions;
  readonly fails?: boolean;
}

/** One run of the book over one group, as the publisher reads it. */
async function look(world: World, found: ConditionsFound = new Map()) {
  const written: [NotedConditions, WallTime | null][] = [];
  const lines: JournalEntry[] = [];
  const { views = [], heardAt = NOW - 5_000, damaged = [], standing, mode = "act" } = world;
  const slots = (views.length === 0 ? [{}] : views.map((view) => ({ [GROUP]: view }))).map(
    (groups) => ({ shard: 0, heartbeatAt: wallTime(heardAt), groups }) as unknown as SlotRecord,
  );
  const control = { mode, by: "cdk", reason: "", until: null, attempt: attemptId("a") } as const;
  const ballot = { ...emptyBallot({ group: GROUP, table: "t", control, attempt: attemptId("a") }), epoch: epoch(7) };
  const copies: PublishedCopies = { ssm: null, dns: null, ...(standing === undefined ? {} : { conditions: standing }) };
  const inner: PublisherStore = {
    tableId: () => Promise.resolve("t"),
    listSpecs: () =>
      Promise.resolve({ specs: damaged.length > 0 ? [] : [{ group: GROUP, shard: 0 } as SpecRecord], damaged }),
    listSlots: () => Promise.resolve(slots),
    readBallot: () => Promise.resolve(ballot),
    readCopies: () => Promise.resolve(copies),
  };
  const clock = { now: () => instant(0), wallTime: () => wallTime(NOW), wakeAt: () => () => undefined };
  const store = {
    readCopies: inner.readCopies,
    writeConditions: (_: GroupName, note: NotedConditions, before: WallTime | null) => {
      if (world.fails === true) return Promise.reject(new Error("no answer"));
      written.push([note, before]);
      return Promise.resolve(true);
    },
  };
  const book = new ConditionBook({ store, clock, journal: { write: (entry) => void lines.push(entry) } });
  const watched = book.watch(inner);
  await Promise.all([watched.listSpecs(), watched.listSlots(), watched.readBallot(GROUP)]);
  await book.note(found, instant(1_000));
  return {
    written,
    lines,
    reasons: written.map(([note]) => Object.entries(note.standing).map(([k, v]) => [k, v.reason])),
  };
}

const view = (changes: Partial<VoterGroupView>): VoterGroupView => viewOf({ at: wallTime(NOW - 5_000), ...changes });

describe("the book of conditions", () => {
  it("writes nothing for a group that is well", async () => {
    expect((await look({ views: [view({}), view({})] })).written).toEqual([]);
  });

  it("takes what one voter shows, with the epoch of the ballot", async () => {
    const { written } = await look({ views: [view({}), view({ rejection: rejected("quorum-pending", 40_000) })] });
    const blocked = { since: NOW, epoch: 7, reason: "quorum-pending: as seen", isTold: true };
    expect(written).toEqual([[{ at: NOW, standing: { "failover-blocked": blocked } }, null]]);
  });

  it("leaves out what has not lasted for as long as an alarm's own figure asks", async () => {
    expect((await look({ views: [view({ rejection: rejected("quorum-pending", 20_000) })] })).written).toEqual([]);
  });

  it.each([
    ["nobody could be promoted", view({ candidate: null, notCandidates: { n2: "link down" } as never }), "act", true],
    ["the same in a pause", view({ candidate: null }), "paused", false],
  ] as const)("group-not-ready: %s", async (_, shown, mode, isSeen) => {
    const { reasons } = await look({ views: [shown], mode });
    expect(reasons).toEqual(isSeen ? [[["group-not-ready", "nobody could be promoted: n2 link down"]]] : []);
  });

  it("takes what the publisher found, and a declaration that cannot be decoded", async () => {
    const found = new Map<MetricName, ReadonlyMap<GroupName, string>>([
      [METRICS.publicationsBehind, new Map([[GROUP, "ssm: AccessDenied"]])],
      [METRICS.groupsChurning, new Map([[GROUP, "twice"]])],
    ]);
    expect((await look({ views: [view({})] }, found)).reasons).toEqual([
      [
        ["publication-behind", "ssm: AccessDenied"],
        ["needless-churn", "twice"],
      ],
    ]);
    expect((await look({ views: [view({})], damaged: [GROUP] })).reasons).toEqual([
      [["record-unreadable", "its declaration cannot be decoded"]],
    ]);
  });

  it("says of a group that no voter shows that nobody watches it, unless no voter is heard at all", async () => {
    expect((await look({})).reasons).toEqual([[["group-not-ready", expect.stringContaining("no voter watches it")]]]);
    expect((await look({ heardAt: NOW - 200_000 })).written).toEqual([]);
  });

  it("does not go by what a voter saw that has been silent since", async () => {
    const old = viewOf({ at: wallTime(NOW - 200_000), rejection: rejected("quorum-pending", 40_000) });
    expect((await look({ views: [old, view({})] })).written).toEqual([]);
  });

  it("writes over the note that it has read, so that of two runs at once the second is refused", async () => {
    const standing = { at: wallTime(NOW - MINUTE), standing: {} };
    const { written } = await look({ standing, views: [view({ rejection: rejected("busy", 40_000) })] });
    expect(written.map(([, before]) => before)).toEqual([NOW - MINUTE]);
  });

  it("tells in the log what could not be noted, and looks at the other groups", async () => {
    const { lines } = await look({ fails: true, views: [view({ rejection: rejected("busy", 40_000) })] });
    expect(lines).toMatchObject([{ event: "notification.failed", group: GROUP, voter: "publisher" }]);
  });
});
