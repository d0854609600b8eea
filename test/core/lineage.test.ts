import { describe, expect, it } from "vitest";
import {
  belonging,
  isPromotedBy,
  openIntents,
  standingIntent,
  withHistory,
  withIntent,
} from "../../lib/core/lineage.ts";
import {
  ballot,
  history,
  intent,
  N1,
  N2,
  N3,
  ofEpoch,
  operation,
  primaryReading,
  reading,
  recorded,
  run,
} from "./builders.ts";

/** n2 as `intent()` leaves it when it is carried out. */
const promoted = primaryReading({
  runId: run(2),
  replicationId: history(2),
  secondReplicationId: history(1),
  secondReplicationOffset: 101,
});

describe("belonging", () => {
  it("is recorded by the replication id, whatever the node says beside it", () => {
    const lineage = {
      histories: [recorded(), recorded({ epoch: ofEpoch(4), replicationId: history(4) })],
      intents: [],
    };
    expect(belonging(reading(), lineage)).toEqual({ kind: "recorded", epoch: 1 });
    expect(belonging(reading({ replicationId: history(4) }), lineage)).toEqual({ kind: "recorded", epoch: 4 });
  });

  it("takes the newest entry where an id stands twice", () => {
    const lineage = { histories: [recorded(), recorded({ epoch: ofEpoch(3) })], intents: [] };
    expect(belonging(reading(), lineage)).toEqual({ kind: "recorded", epoch: 3 });
  });

  it("is intended when the last intent was carried out and nobody recorded it", () => {
    const lineage = { histories: [recorded()], intents: [intent()] };
    expect(belonging(promoted, lineage)).toEqual({ kind: "intended", epoch: 2, intent: intent() });
  });

  it.each([
    ["run id", { runId: run(22) }],
    ["second replication id", { secondReplicationId: history(9) }],
    ["fork offset, one less", { secondReplicationOffset: 100 }],
    ["fork offset, one more", { secondReplicationOffset: 102 }],
    ["replication id, unchanged", { replicationId: history(1) }],
  ])("R25: matches an intent exactly: another %s is unknown", (_, values) => {
    expect(isPromotedBy({ ...promoted, ...values }, intent())).toBe(false);
    expect(belonging({ ...promoted, ...values }, { histories: [], intents: [intent()] })).toEqual({ kind: "unknown" });
  });
});

describe("standingIntent", () => {
  const intents = [intent({ epoch: ofEpoch(2) }), intent({ epoch: ofEpoch(5), node: N3 })];
  const lineage = { histories: [recorded()], intents };

  it("is the last one of the operation that goes on", () => {
    const look = (began: number) => ballot({ lineage, operation: operation({ began: ofEpoch(began) }) });
    expect([standingIntent(look(2))?.node, standingIntent(look(5))?.node, standingIntent(look(6))]).toEqual([
      N3,
      N3,
      null,
    ]);
  });

  it("does not stand beside no operation, or once the primary is decided", () => {
    expect(standingIntent(ballot({ lineage }))).toBe(null);
    expect(standingIntent(ballot({ lineage, operation: operation({ step: "committed" }) }))).toBe(null);
  });
});

describe("openIntents", () => {
  const tried = [intent({ epoch: ofEpoch(2) }), intent({ epoch: ofEpoch(3), node: N3 })];
  const look = (intents: typeof tried, step: "begun" | "committed" = "begun") =>
    ballot({ lineage: { histories: [recorded()], intents }, operation: operation({ step }) });

  it("R21: are all that may have been carried out since the old primary was last meant", () => {
    expect(openIntents(look(tried), N1)).toEqual(tried);
    const restoring = [...tried, intent({ epoch: ofEpoch(4), node: N1 })];
    expect(openIntents(look(restoring), N1)).toEqual([]);
    expect(openIntents(look([...restoring, intent({ epoch: ofEpoch(5) })]), N1)).toEqual([
      intent({ epoch: ofEpoch(5) }),
    ]);
  });

  it("are none of an earlier operation, and none once the primary is decided", () => {
    expect(openIntents(look([intent({ epoch: ofEpoch(1) })]), N1)).toEqual([]);
    expect(openIntents(look(tried, "committed"), N1)).toEqual([]);
    expect(openIntents(ballot(), N1)).toEqual([]);
  });
});

describe("the lineage", () => {
  it("keeps what two nodes were meant for under one epoch", () => {
    const lineage = withIntent({ histories: [], intents: [intent()] }, intent({ node: N3 }));
    expect(lineage.intents).toEqual([intent(), intent({ node: N3 })]);
  });

  it("keeps the newest and stays small", () => {
    let lineage = { histories: [recorded()], intents: [intent()] } as ReturnType<typeof withHistory>;
    for (let n = 2; n <= 20; n += 1) {
      lineage = withHistory(lineage, recorded({ epoch: ofEpoch(n), node: n % 2 === 0 ? N2 : N1 }));
      lineage = withIntent(lineage, intent({ epoch: ofEpoch(n) }));
      lineage = withIntent(lineage, intent({ epoch: ofEpoch(n), offset: 100 + n }));
    }
    expect([lineage.histories.length, lineage.histories.at(-1)?.epoch]).toEqual([6, 20]);
    // One that was meant again takes the place of its first form.
    expect(lineage.intents.map((each) => [each.epoch, each.offset])).toEqual(
      [15, 16, 17, 18, 19, 20].map((n) => [n, 100 + n]),
    );
  });
});
