import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { whyNotTarget } from "../../lib/core/preflight.ts";
import type { RequestRecord } from "../../lib/core/records.ts";
import { considerRecovery, considerRequest } from "../../lib/core/requests.ts";
import type { GroupState, NodeState } from "../../lib/core/state.ts";
import { instant, nodeId, wallTime } from "../../lib/core/types.ts";
import {
  ballot,
  context,
  control,
  history,
  lease,
  N1,
  N2,
  N3,
  newborn,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  reading,
  recorded,
  request,
  run,
  settings,
  stepAt,
  timePassed,
  turnAt,
  WALL_START,
  watching,
  withNode,
} from "./builders.ts";

function considered(values: Partial<RequestRecord>, state: GroupState = watching(), at = 10, of = context()) {
  const asked = { ...state, request: request(values), requestSince: instant(0) };
  const turn = turnAt(asked, at, of);
  const result = considerRequest(turn, asked.look?.ballot ?? ballot());
  const [command] = turn.commands;
  const grant = command?.kind === "write-ballot" ? command.write : null;
  const answer = command?.kind === "resolve-request" ? command.result : null;
  const operationOf = grant?.changes.find((each) => each.path[0] === "operation")?.value;
  return { turn, result, grant, answer, operation: operationOf };
}

const silentPrimary = (of: GroupState): GroupState => withNode(of, N1, { class: "silent", heard: "silent" });

describe("a switchover", () => {
  it("is granted with who asked and why, without a vote and without counting against the budget", () => {
    const { operation: begun, grant, turn } = considered({ target: N3 });
    expect(begun).toMatchObject({
      kind: "switchover",
      target: N3,
      by: "alice",
      reason: "maintenance",
      request: "request-1",
    });
    expect(grant?.changes.map((each) => each.path[0])).toEqual([
      "epoch",
      "lease",
      "operation",
      "table",
      "lastRequest",
      "lastRequestBegan",
      "attempt",
    ]);
    expect(turn.commands).toHaveLength(1);
  });

  it("goes to the best target by priority when none is named", () => {
    const state = withNode(watching(), N2, { reading: reading({ priority: 50 }) });
    expect(considered({}, withNode(state, N3, { reading: reading({ priority: 10 }) })).operation).toMatchObject({
      target: N3,
    });
    expect(considered({}, withNode(state, N3, { reading: reading({ priority: 0 }) })).operation).toMatchObject({
      target: N2,
    });
  });

  it.each<[string, Partial<RequestRecord>, GroupState]>([
    ["is no node of this group (n1, n2, n3)", { target: nodeId("n9") }, watching()],
    ["n1 is the primary", { target: N1 }, watching()],
  ])("is refused at once: %s", (words, values, state) => {
    expect(considered(values, state).answer).toMatchObject({ kind: "refused", detail: expect.stringContaining(words) });
  });

  it.each<[string, GroupState]>([
    ["n3 does not answer", withNode(watching(), N3, { heard: "silent" })],
    ["n3 has priority 0", withNode(watching(), N3, { reading: reading({ priority: 0 }) })],
    ["n3 has no link to the primary", withNode(watching(), N3, { reading: reading({ linkUp: false }) })],
    [
      "n3 is in the middle of a full synchronization",
      withNode(watching(), N3, { reading: reading({ syncInProgress: true }) }),
    ],
    ["n3 holds another history", withNode(watching(), N3, { reading: reading({ replicationId: "x" as never }) })],
    ["the primary n1 does not answer as one", silentPrimary(watching())],
    [
      "n3 demands 3 replicas for a write (min-replicas-to-write) and would have 2",
      withNode(watching(), N3, { settings: settings({ minReplicasToWrite: 3 }) }),
    ],
    [
      "n1 has no primaryauth",
      withNode(watching(), N1, {
        settings: settings({ primaryAuthSet: false }),
      }),
    ],
  ])("waits a moment and is refused then: %s", (words, state) => {
    const early = considered({ target: N3 }, state);
    expect([early.answer, early.result]).toMatchObject([
      null,
      { reason: "operation-going-on", detail: expect.stringContaining(words) },
    ]);
    const at = 3_000;
    const known = Object.values(state.nodes).reduce(
      (all, node) => withNode(all, node.id, { readAt: instant(at) }),
      state,
    );
    expect(considered({ target: N3 }, known, at).answer).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining(words),
    });
  });
});

describe("the target of a switchover", () => {
  const whyNot = (own: number, declared: number) => {
    const state = withNode(watching(), N3, { settings: settings({ minReplicasToWrite: own }) });
    const turn = turnAt(state, 10, context({ minReplicasToWrite: declared }));
    return whyNotTarget(turn, state.nodes[N3] as NodeState);
  };

  it.each([
    [0, 0, null],
    [2, 1, null],
    [1, 1, null],
    [0, 1, "n3 has min-replicas-to-write 0, and the group declares minReplicasToWrite 1: CONFIG SET it there"],
  ])("with min-replicas-to-write %i, where %i is declared: %s", (own, declared, why) => {
    expect(whyNot(own, declared)).toBe(why);
  });
});

describe("a drain", () => {
  it("moves the primary away from the node, and is done at once where there is none", () => {
    expect(considered({ kind: "drain", target: N1 }).operation).toMatchObject({ kind: "switchover", target: N2 });
    expect(considered({ kind: "drain", target: N2 }).answer).toMatchObject({ kind: "done" });
    const none = withNode(watching(newborn()), N1, { heard: "silent" });
    expect(considered({ kind: "drain", target: N1 }, none).answer).toMatchObject({ kind: "done" });
  });
});

describe("a failover by order", () => {
  it("of a healthy primary is refused without --accept-data-loss, and tried as a switchover with it", () => {
    expect(considered({ kind: "failover" }).answer).toMatchObject({ kind: "refused" });
    expect(considered({ kind: "failover", acceptDataLoss: true }).operation).toMatchObject({
      kind: "switchover",
      insists: true,
    });
  });

  it("of a silent primary needs no votes", () => {
    expect(considered({ kind: "failover" }, silentPrimary(watching())).operation).toMatchObject({
      kind: "failover",
      insists: true,
    });
  });

  it("R22: spares a primary that no record explains, as an automatic one does", () => {
    const state = withNode(silentPrimary(watching()), N3, {
      reading: reading({ role: "primary", replicationId: "unknown" as never }),
    });
    const { grant, result } = considered({ kind: "failover" }, state);
    expect([grant, result]).toMatchObject([null, { detail: expect.stringContaining("n3") }]);
  });
});

describe("a recovery", () => {
  it("asks what was ever published first, and begins above that and every token", () => {
    const asking = considered({ kind: "recover", target: N2, acceptDataLoss: true });
    expect(asking.turn.commands).toEqual([{ kind: "read-standing" }]);
    const known = withNode({ ...watching(), standingEpoch: ofEpoch(7) }, N3, {
      reading: reading({ follows: { host: "127.0.0.9", port: 1 } }),
    });
    const { operation: begun, grant } = considered({ kind: "recover", target: N2, acceptDataLoss: true }, known);
    expect(begun).toMatchObject({ kind: "recover", target: N2, insists: true });
    expect(grant?.changes[0]).toEqual({ path: ["epoch"], value: 10 });
    const published = { ...known, standingEpoch: ofEpoch(20) };
    const later = considered({ kind: "recover", target: N2, acceptDataLoss: true }, published).grant;
    expect(later?.changes[0]).toEqual({ path: ["epoch"], value: 21 });
  });

  it.each<[string, Partial<RequestRecord>]>([
    ["--node", { acceptDataLoss: true }],
    ["--accept-data-loss", { target: N2 }],
  ])("is refused without %s", (words, values) => {
    expect(considered({ kind: "recover", ...values }).answer).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining(words),
    });
  });

  it("brings a restored table to life although its copy was taken in the middle of an operation", () => {
    const copy = ballot({
      table: "table-0",
      epoch: ofEpoch(4),
      lease: lease({ holder: "az-b" as never }),
      operation: operation(),
    });
    const state = {
      ...watching(copy),
      standingEpoch: ofEpoch(4),
      request: request({ kind: "recover", target: N2, acceptDataLoss: true }),
    };
    const { commands } = stepAt(state, 10, timePassed);
    const write = commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write] : []))[0];
    expect(write?.name).toBe("grant");
    expect(write?.changes).toContainEqual({ path: ["table"], value: "table-1" });
  });

  it("S2, R19: recovers a restored record far above it, for what was given since is not known to every voter", () => {
    const epochOf = (table: string, more: Partial<Ballot> = {}) => {
      const state = { ...watching(ballot({ table, epoch: ofEpoch(4), ...more })), standingEpoch: ofEpoch(4) };
      const { grant } = considered({ kind: "recover", target: N2, acceptDataLoss: true }, state);
      return grant?.changes.find(({ path }) => path[0] === "epoch")?.value;
    };
    expect(epochOf("table-0")).toBe(4 + 65_536 + 1);
    expect(epochOf("table-1")).toBe(5);
    // Restored to before its first primary: the record was made anew, for this table.
    expect(epochOf("table-1", { epoch: ofEpoch(0), primary: null })).toBe(65_536 + 1);
  });
});

describe("any request", () => {
  it("that expired is refused, also by a clock that is exactly there", () => {
    expect(considered({ expiresAt: wallTime(WALL_START + 10) }).answer).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("expired"),
    });
  });

  it.each(["observe", "paused"] as const)("S8: is refused in %s", (mode) => {
    const { answer, grant } = considered({}, watching(ballot({ control: control({ mode }) })));
    expect([answer, grant]).toMatchObject([{ kind: "refused", detail: `the group is ${mode}: resume it first` }, null]);
  });

  it("that was begun once is never begun again", () => {
    const state = watching(ballot({ lastRequest: "request-1" }));
    expect(considered({}, state)).toMatchObject({ grant: null, result: "none" });
    expect(considered({ target: N1 }, state, 3_000).answer).toMatchObject({ kind: "done" });
    expect(considered({ target: N2 }, state, 3_000).answer).toMatchObject({ kind: "failed" });
  });

  it.each<[string, Partial<RequestRecord>, GroupState]>([
    ["has its result", { result: { kind: "done", detail: "", epoch: ofEpoch(2), at: wallTime(0) } }, watching()],
    ["was answered by this voter", {}, watching(ballot(), { resolved: "request-1" })],
  ])("that %s is left alone", (_, values, state) => {
    expect(considered(values, state)).toMatchObject({ result: "none", turn: { commands: [] } });
  });
});

describe("what is refused is refused in words", () => {
  const answerTo = (values: Partial<RequestRecord>, state = watching(), at = 10) =>
    considered(values, state, at).answer;
  const later = (state: GroupState) =>
    [N1, N2, N3].reduce((all, id) => withNode(all, id, { readAt: instant(3_000) }), state);

  it.each<[string, string, Partial<RequestRecord>, GroupState]>([
    ["done", "n2 holds no primary of this group", { kind: "drain", target: N2 }, watching()],
    ["refused", "members follow the group's nodes: use groups set", { kind: "set-members" }, watching()],
    [
      "refused",
      "the primary is healthy: use switchover, which loses nothing, or repeat with --accept-data-loss",
      { kind: "failover" },
      watching(),
    ],
    ["refused", "n9 is no node of this group (n1, n2, n3)", { target: nodeId("n9") }, watching()],
    ["refused", "name the node whose data counts with --node", { kind: "recover" }, watching()],
    [
      "refused",
      "what the other nodes hold beyond it is lost: repeat with --accept-data-loss",
      { kind: "recover", target: N2 },
      watching(),
    ],
    ["refused", "it expired before it could be carried out", { expiresAt: wallTime(WALL_START) }, watching()],
  ])("at once: %s, %s", (kind, detail, values, state) => {
    expect(answerTo(values, state)).toMatchObject({ kind, detail });
  });

  const recover = { kind: "recover", target: N2, acceptDataLoss: true } as const;
  const shut = withNode(watching(), N2, { heard: "refused", detail: "ECONNREFUSED" });
  const idle = withNode(shut, N3, { reading: reading({ linkUp: false }) });
  const claims = [N2, N3].reduce(
    (state, id, index) =>
      withNode(state, id, { reading: primaryReading({ runId: run(2 + index), replicationId: history(9) }) }),
    watching(),
  );
  it.each<[string, Partial<RequestRecord>, GroupState]>([
    ["n2 does not answer: ECONNREFUSED", recover, shut],
    ["the epoch of earlier publications could not be read", recover, { ...watching(), standingEpoch: "asked" }],
    [
      "no node can take over: n1 is the primary; n2 does not answer: ECONNREFUSED; n3 has no link to the primary",
      {},
      idle,
    ],
    [
      "n2 and n3 claim to be primary with histories that no record explains: groups recover first",
      { target: N2 },
      claims,
    ],
  ])("after three seconds of waiting for it to be possible: %s", (detail, values, state) => {
    const { answer, result } = considered(values, state);
    expect([answer, result]).toEqual([
      null,
      {
        reason: "operation-going-on",
        detail: `${values.kind ?? "switchover"} asked by alice: ${detail}`,
        ends: "it can be done, or is refused",
        check: null,
      },
    ]);
    expect(answerTo(values, later(state), 3_000)).toMatchObject({ kind: "refused", detail });
  });

  it("R22: a recovery spares nobody", () => {
    const state = { ...claims, standingEpoch: ofEpoch(0) };
    expect(considered(recover, state).operation).toMatchObject({ kind: "recover", target: N2 });
  });

  it("a switchover that was not asked to go to the primary waits for another target", () => {
    const two = { ...watching(), nodes: { [N1]: watching().nodes[N1]! } };
    expect(considered({}, two).answer).toBe(null);
  });
});

describe("when a request is looked at", () => {
  it("again is after a rest, when the table did not take the answer", () => {
    const at = (ms: number) => considered({ kind: "set-members" }, { ...watching(), answerAgainAt: instant(500) }, ms);
    expect([at(499).result, at(499).turn.wakeAt, at(500).answer?.kind]).toEqual(["none", 500, "refused"]);
  });

  it("without knowing since when it stands, it stands since now", () => {
    const asked = { ...watching(), request: request({ target: N3 }), requestSince: null };
    const turn = turnAt(withNode(asked, N3, { heard: "silent" }), 5_000);
    expect(considerRequest(turn, ballot())).toMatchObject({ reason: "operation-going-on" });
  });

  it("beside news in the table, it is left to the voter that has most likely begun it", () => {
    const { result, turn } = considered({ target: N3 }, { ...watching(), staleLook: true });
    expect([result, turn.commands]).toEqual(["none", []]);
  });

  it("after its operation, it is answered by what the record says once the group was quiet for three seconds", () => {
    const of = (values: Parameters<typeof ballot>[0] = {}) => watching(ballot({ lastRequest: "request-1", ...values }));
    expect(considered({ target: N1 }, of(), 2_999)).toMatchObject({ answer: null, turn: { wakeAt: 3_000 } });
    expect(considered({ target: N1 }, of(), 3_000).answer).toMatchObject({
      kind: "done",
      detail: "n1 is primary since epoch 1",
    });
    expect(considered({ target: N1 }, of({ primary: null }), 3_000).answer).toMatchObject({
      kind: "failed",
      detail: "nobody is primary since epoch 0",
    });
    expect(considered({ target: N1 }, { ...of(), quietSince: null }, 9_000).answer).toBe(null);
  });

  it("after its operation was rolled back, it has failed, also where no target was named and nobody answered in time", () => {
    const answerOf = (values: Partial<RequestRecord>, lastRequestBegan: number | null, node = N1) => {
      const began = lastRequestBegan === null ? null : ofEpoch(lastRequestBegan);
      const lineage = { histories: [recorded(), recorded({ epoch: ofEpoch(4), node })], intents: [] };
      const of = ballot({
        lastRequest: "request-1",
        lastRequestBegan: began,
        lineage,
        primary: primary({ node, epoch: ofEpoch(4) }),
      });
      return considered({ target: null, ...values }, watching(of), 3_000).answer?.kind;
    };
    expect(answerOf({}, 3)).toBe("failed");
    expect(answerOf({ kind: "failover", acceptDataLoss: true }, 3)).toBe("failed");
    expect(answerOf({}, 3, N2)).toBe("done");
    // Begun later than that primary: it did not get further.
    expect(answerOf({}, 5, N2)).toBe("failed");
    expect(answerOf({ kind: "recover", target: N1 }, 3)).toBe("done");
    expect(answerOf({}, null)).toBe("done");
  });

  it("by who holds an operation up, only a recovery that was not begun yet ends it", () => {
    const ends = (values: Partial<RequestRecord>, look = ballot()) => {
      const state = {
        ...watching(look),
        request: request(values),
        requestSince: instant(0),
        standingEpoch: ofEpoch(0),
      };
      return considerRecovery(turnAt(state, 10), look);
    };
    const recover = { kind: "recover", target: N2, acceptDataLoss: true } as const;
    expect(ends(recover)).toBe(true);
    expect(ends({ target: N2 })).toBe(false);
    expect(ends(recover, ballot({ lastRequest: "request-1" }))).toBe(false);
    expect(ends({ ...recover, target: N3, expiresAt: wallTime(WALL_START + 60_000) })).toBe(true);
  });
});
