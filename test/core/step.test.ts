import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { newRun, type OperationRun } from "../../lib/core/operation.ts";
import type { RequestRecord } from "../../lib/core/records.ts";
import { type GroupState, newGroupState } from "../../lib/core/state.ts";
import { instant, nodeId, type VoterId } from "../../lib/core/types.ts";
import {
  A,
  addressOf,
  B,
  ballot,
  C,
  context,
  control,
  history,
  intent,
  lease,
  member,
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
  stepAt,
  timePassed,
  vote,
  watching,
  withNode,
} from "./builders.ts";

const namesOf = (state: GroupState, at: number, of = context()) =>
  stepAt(state, at, timePassed, of).commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write.name] : []));

describe("what a step tells of its verdict", () => {
  const gone = { class: "silent", heard: "silent", lostAt: instant(100), connection: null } as const;
  /** n1 gave its last answer at 0, the others answer still. */
  const at = (ms: number, of: Ballot = ballot(), values: Partial<GroupState> = {}): GroupState =>
    [N2, N3].reduce(
      (state, id) => withNode(state, id, { answeredAt: instant(ms), readAt: instant(ms) }),
      withNode(watching(of, values), N1, gone),
    );
  const toldOf = (state: GroupState, ms: number) =>
    stepAt(state, ms, timePassed).events.filter(({ event }) => /^(primary|node)\./.test(event));
  const level = (now: "up" | "suspect" | "down", objectively = false) => ({ announced: { level: now, objectively } });

  it("is that the primary is suspected, and then subjectively down, each once", () => {
    const suspected = stepAt(at(750.4), 750.4, timePassed);
    const detail = { cause: "silent", silentMs: 750 };
    expect(suspected.events).toMatchObject([{ event: "primary.suspected", node: N1, epoch: 1, detail }]);
    expect(suspected.state.announced).toEqual({ level: "suspect", objectively: false });
    expect(toldOf({ ...at(800), announced: suspected.state.announced }, 800)).toEqual([]);
    expect(toldOf(at(5_000, ballot(), level("suspect")), 5_000)).toMatchObject([
      { event: "primary.subjectively-down", node: N1, detail: { cause: "silent", silentMs: 5_000 } },
    ]);
    expect(toldOf(at(5_000, ballot(), level("down")), 5_000)).toEqual([]);
  });

  it("is that it is up again, in other words after a suspicion", () => {
    expect(toldOf(watching(ballot(), level("down")), 10)).toMatchObject([
      { event: "primary.subjectively-up", node: N1, detail: { cause: "serving", silentMs: 10 } },
    ]);
    expect(toldOf(watching(ballot(), level("suspect")), 10)).toMatchObject([{ event: "node.up", node: N1 }]);
    expect(toldOf(watching(), 10)).toEqual([]);
  });

  const seen = (...voters: readonly VoterId[]) => ({
    look: ballot({ votes: Object.fromEntries(voters.map((voter) => [voter, vote()])) }),
    sightings: Object.fromEntries(voters.map((voter) => [voter, { generation: 1, seq: 1, absentAt: instant(4_900) }])),
  });

  it("is that a quorum calls it down, and whose votes they are, once", () => {
    const { look, sightings } = seen(B, A);
    const events = toldOf(at(5_000, look, { ...level("down"), sightings }), 5_000);
    expect(events).toEqual([{ event: "primary.objectively-down", node: N1, epoch: 1, detail: { votes: "az-a,az-b" } }]);
    expect(toldOf(at(5_000, look, { ...level("down", true), sightings }), 5_000)).toEqual([]);
  });

  it("is that a quorum calls it down, by a voter that has just begun as well", () => {
    const { look, sightings } = seen(B, A);
    const { announced } = newGroupState(context().config, instant(0));
    const told = toldOf(at(5_000, look, { announced, sightings }), 5_000).map(({ event }) => event);
    expect(told).toEqual(["primary.subjectively-down", "primary.objectively-down"]);
  });

  it("is nothing more when a quorum is lost again, and what is known follows", () => {
    const { state, events } = stepAt(at(5_000, ballot(), level("down", true)), 5_000, timePassed);
    expect(events.filter(({ event }) => event === "primary.objectively-down")).toEqual([]);
    expect(state.announced).toEqual({ level: "down", objectively: false });
  });

  it("is that it is down beside a witness, once every other voter has lost it for as long as unanimity needs", () => {
    const lost = (...voters: readonly VoterId[]) => {
      const { sightings } = seen(...voters);
      const votes = Object.fromEntries(voters.map((voter) => [voter, vote({ silentMs: 15_000 })]));
      const fresh = Object.fromEntries(
        Object.entries(sightings).map(([voter, each]) => [voter, { ...each, absentAt: instant(14_900) }]),
      );
      const state = at(15_000, ballot({ votes }), { sightings: fresh });
      const witnessed = withNode(state, N3, { advancedAt: instant(14_900) });
      return stepAt(witnessed, 15_000, timePassed).state.announced.level;
    };
    expect([lost(B, C), lost(B), lost()]).toEqual(["down", "suspect", "suspect"]);
  });

  it("is nothing by fewer votes than the quorum", () => {
    const { look, sightings } = seen(B);
    expect(toldOf(at(5_000, look, { ...level("down"), sightings }), 5_000)).toEqual([]);
  });
});

describe("an operation that this voter holds", () => {
  const mine = ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation() });
  const begun = newRun({
    ballot: mine,
    takenOver: false,
    at: instant(0),
    leaseUntil: instant(4_000),
    renewDueAt: instant(1_500),
  });
  const holding = (of: Ballot, values: Partial<OperationRun> = {}): GroupState =>
    watching(of, { operation: { ...begun, ...values } });

  it.each<[string, Ballot, number]>([
    ["the epoch has moved on", { ...mine, epoch: ofEpoch(3) }, 10],
    ["the lease was released", { ...mine, lease: null }, 10],
    ["another voter has the lease", { ...mine, lease: lease({ holder: B }) }, 10],
    ["another invocation has the lease", { ...mine, lease: lease({ generation: 2 }) }, 10],
    ["its lease runs out", mine, 4_000],
  ])("is dropped when %s, and that is told", (_, of, at) => {
    const { state, events } = stepAt(holding(of), at, timePassed);
    expect(events).toContainEqual({ event: "lease.lost", epoch: 2, node: null, detail: {} });
    expect(state.operation).toBeNull();
  });

  it("goes on until its lease runs out, and renews it when that is due", () => {
    const { state, events } = stepAt(holding(mine), 1_499, timePassed);
    expect(events.map(({ event }) => event)).not.toContain("lease.lost");
    expect(state.operation).not.toBeNull();
    // Nothing goes on in the record, so that nothing else is written.
    const idle = holding({ ...mine, operation: null });
    expect([namesOf(idle, 1_499), namesOf(idle, 1_500)]).toEqual([[], ["renew"]]);
    expect(namesOf({ ...idle, storeBusy: { sentAt: instant(0), pending: null } }, 1_500)).toEqual([]);
  });
});

describe("an operation that its holder is held in", () => {
  const meant = intent({ epoch: ofEpoch(1), node: N2 });
  const stuck = newborn({
    epoch: ofEpoch(2),
    lease: lease(),
    operation: operation({ kind: "initialise", began: ofEpoch(1) }),
    lineage: { histories: [], intents: [meant] },
  });
  const run: OperationRun = newRun({
    ballot: stuck,
    takenOver: false,
    at: instant(0),
    leaseUntil: instant(900_000),
    renewDueAt: instant(1_500),
  });
  /** n2 was meant by another, and nothing is heard of it. */
  const waiting = (at: number, of: Ballot = stuck, values: Partial<GroupState> = {}): GroupState =>
    [N1, N3].reduce(
      (all, id) => withNode(all, id, { readAt: instant(at), answeredAt: instant(at) }),
      withNode(watching(of, { operation: run, dueAt: null, ...values }), N2, { heard: "silent", class: "silent" }),
    );
  const limit = context().config.stepTimeoutMs + 30_000;

  it("S11: keeps its lease for a while, and then lets it lapse to one that may reach more", () => {
    expect(namesOf(waiting(limit - 1), limit - 1)).toEqual(["renew"]);
    expect(namesOf(waiting(limit), limit)).toEqual([]);
    expect(stepAt(waiting(limit - 1), limit - 1, timePassed).wakeAt).toBeLessThanOrEqual(limit);
    expect(namesOf(waiting(limit, { ...stuck, operation: null }), limit)).toEqual(["renew"]);
  });

  it("S12: says who can end it, until it goes on", () => {
    const rejection = {
      reason: "unknown-history",
      detail: "n2 may have been promoted and cannot be read",
      ends: "it can be read as it was, or a person decides",
      check: "valkeeper groups recover",
    };
    expect(stepAt(waiting(limit - 1), limit - 1, timePassed).state.rejection?.rejection).toEqual(rejection);
    expect(stepAt(waiting(limit), limit, timePassed).state.rejection?.rejection).toEqual(rejection);
    const over = waiting(limit, { ...stuck, operation: null }, { operation: { ...run, held: "it was held" } });
    const { state } = stepAt(over, limit, timePassed);
    expect([state.operation?.held, state.rejection]).toEqual([null, null]);
  });

  it("is ended by a person's decision, and goes on renewing its lease without one", () => {
    const asked = { request: request({ kind: "recover", target: N3, acceptDataLoss: true }), requestSince: instant(0) };
    const known = { standingEpoch: ofEpoch(0), standingAskedAt: instant(0) };
    expect(namesOf(waiting(limit - 1, stuck, { ...asked, ...known }), limit - 1)).toEqual(["grant"]);
    // One that is not held is nobody's to end.
    const idle = { ...stuck, operation: null };
    expect(namesOf(waiting(limit - 1, idle, { ...asked, ...known }), limit - 1)).toEqual(["renew"]);
  });
});

it("an operation that this voter holds is gone on with, also a cold start", () => {
  const mine = ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation({ kind: "cold-start" }) });
  const times = { at: instant(0), leaseUntil: instant(4_000), renewDueAt: instant(1_500) };
  const run = newRun({ ballot: mine, takenOver: false, ...times });
  const gone = { class: "silent", heard: "silent", lostAt: instant(0), connection: null } as const;
  const { commands } = stepAt(withNode(watching(mine, { operation: run }), N1, gone), 10, timePassed);
  const sent = commands.flatMap((each) => (each.kind === "command-node" ? [each.command.kind] : []));
  expect(sent).toContain("freeze");
});

describe("a voter that has just begun", () => {
  it("reads the record and creates none, and asks every node", () => {
    const { commands, state } = stepAt(newGroupState(context().config, instant(0)), 0, timePassed);
    expect(commands.map(({ kind }) => kind)).toEqual(["read-ballot", "probe", "probe", "probe"]);
    expect(state.nodes[N1]?.detail).toBe("not probed yet");
  });
});

describe("every step", () => {
  it("looks at the members that were discovered as at the declared ones, and at who may be read from", () => {
    const found = nodeId("n9");
    const members = {
      ...ballot().members,
      nodes: { ...ballot().members.nodes, [found]: member(9, { address: addressOf("n9") }) },
    };
    const astray = withNode(watching(ballot({ members })), N3, { reading: reading({ runId: run(3), linkUp: false }) });
    const { state, commands } = stepAt(astray, 10, timePassed);
    expect(commands.flatMap((each) => (each.kind === "probe" ? [each.node] : []))).toContain(found);
    expect(state.doubts).toEqual({ [N3]: { isFit: false, since: 10 } });
  });

  it("brings the mode that is declared into the record, beside a primary as without one", () => {
    expect(namesOf(watching(), 10, context({ mode: "observe" }))).toEqual(["set-control"]);
  });

  it("S8: silences nobody in a group that is only observed, unless an operation is being finished", () => {
    const two = recorded({ epoch: ofEpoch(2), node: N2, replicationId: history(2) });
    const committed = (mode: "act" | "observe", values: Partial<Ballot> = {}): Ballot =>
      ballot({
        epoch: ofEpoch(2),
        control: control({ mode }),
        primary: primary({ node: N2, epoch: ofEpoch(2), runId: run(2), replicationId: history(2) }),
        lineage: { histories: [recorded(), two], intents: [] },
        ...values,
      });
    const others = { lease: lease({ holder: B }), operation: operation({ step: "committed" }) };
    const silenced = (of: Ballot) =>
      stepAt(watching(of), 10, timePassed).commands.filter(
        (each) => each.kind === "command-node" && each.command.kind === "freeze",
      ).length;
    expect([silenced(committed("act")), silenced(committed("observe"))]).toEqual([1, 0]);
    expect(silenced(committed("observe", others))).toBe(1);
  });
});

describe("a record that was not read yet", () => {
  it("is not written either", () => {
    expect(namesOf(watching(null), 10)).toEqual([]);
    expect(namesOf(watching(null, { missing: true }), 10)).toEqual(["create"]);
  });
});

describe("a group that was never adopted", () => {
  const known = { standingEpoch: ofEpoch(0), standingAskedAt: instant(0) };
  const asks = (values: Partial<RequestRecord>) => ({
    request: request(values),
    requestSince: instant(-9_000),
    ...known,
  });
  /** n2 claims to be primary as well: which of the two it is only a person knows. */
  const two = (values: object) => withNode(watching(newborn(), values), N2, { reading: primaryReading() });

  it("and cannot be, is what a person says it is", () => {
    const recover = asks({ kind: "recover", target: N2, acceptDataLoss: true });
    expect(namesOf(two(recover), 10)).toEqual(["grant"]);
    const unasked = stepAt(two(known), 10, timePassed);
    expect(unasked.commands.filter(({ kind }) => kind === "write-ballot")).toEqual([]);
    expect(unasked.state.rejection?.rejection.reason).toBe("adoption-refused");
  });

  it("is adopted first, before what was asked of it is looked at", () => {
    const { commands } = stepAt(watching(newborn(), asks({ target: N2 })), 10, timePassed);
    const kinds = commands.map(({ kind }) => kind);
    expect(kinds).not.toContain("resolve-request");
  });
});

describe("a record without a primary", () => {
  const recovering = ballot({
    primary: null,
    epoch: ofEpoch(2),
    lease: lease({ holder: B }),
    operation: operation({ kind: "recover", target: N2, by: "alice" }),
  });
  const fresh = (of: Ballot, at: number) => withNode(watching(of), N2, { readAt: instant(at) });

  it("S11: whose recovery was left in its middle is taken over when the lease has lapsed, not before", () => {
    expect(namesOf(fresh(recovering, 4_990), 4_999)).toEqual([]);
    expect(namesOf(fresh(recovering, 4_990), 5_000)).toEqual(["take-over"]);
  });

  it("S11: whose recovery was left in its middle is begun anew by a person who names another node", () => {
    const asked = request({ id: "request-2", kind: "recover", target: N3, acceptDataLoss: true });
    const state = {
      ...withNode(fresh(recovering, 4_990), N3, { readAt: instant(4_990) }),
      request: asked,
      requestSince: instant(4_000),
      standingEpoch: ofEpoch(0),
      standingAskedAt: instant(4_000),
    };
    expect([namesOf(state, 4_999), namesOf(state, 5_000)]).toEqual([[], ["grant"]]);
  });

  it("S11: whose beginning was left in its middle is taken over as well", () => {
    const beginning = { ...recovering, operation: operation({ kind: "initialise" }) };
    expect(namesOf(fresh(beginning, 4_990), 4_999)).toEqual([]);
    expect(namesOf(fresh(beginning, 4_990), 5_000)).toEqual(["take-over"]);
  });

  it("S12: shows under whose lease it waits", () => {
    expect(stepAt(fresh(recovering, 0), 10, timePassed).state.rejection?.rejection).toMatchObject({
      reason: "operation-going-on",
      detail: "recover under the lease of az-b",
    });
  });
});

describe("a record of another table", () => {
  const copied = ballot({ table: "table-9" });
  const recover = request({ kind: "recover", target: N2 });
  const asked = (values: object = {}) =>
    watching(copied, { request: { ...recover, ...values }, requestSince: instant(0), quietSince: instant(0) });

  it("is left alone by every other request", () => {
    const state = watching(copied, { request: request({ target: nodeId("n9") }), requestSince: instant(-9_000) });
    const { commands, state: next } = stepAt(state, 10, timePassed);
    expect(commands.filter(({ kind }) => kind === "write-ballot" || kind === "resolve-request")).toEqual([]);
    expect(next.rejection?.rejection.reason).toBe("foreign-table");
  });

  it("says what a recovery waits for, and nothing of one that was answered", () => {
    const away = withNode(asked({ acceptDataLoss: true }), N2, { heard: "silent", class: "silent" });
    const waits = stepAt({ ...away, standingEpoch: ofEpoch(0) }, 10, timePassed);
    expect(waits.state.rejection?.rejection).toMatchObject({ reason: "operation-going-on" });
    const result = { kind: "refused", detail: "no", epoch: ofEpoch(1), at: 0 as never } as const;
    expect(stepAt(asked({ result }), 10, timePassed).state.rejection?.rejection.reason).toBe("foreign-table");
  });

  it("is refused to a recovery that names no node of the group, and that is told", () => {
    const { commands, state } = stepAt(asked({ target: nodeId("n9") }), 10, timePassed);
    expect(commands.find(({ kind }) => kind === "resolve-request")).toMatchObject({ result: { kind: "refused" } });
    expect(state.rejection?.rejection.reason).toBe("foreign-table");
  });
});

describe("a voter that was stalled", () => {
  it("decides nothing until its next round of probes, and everything from then on", () => {
    const state = watching(ballot(), { suspendedUntil: instant(500) });
    expect(stepAt(state, 499, timePassed).state).toMatchObject({ suspendedUntil: 500 });
    expect(stepAt(state, 499, timePassed).wakeAt).toBeLessThanOrEqual(500);
    expect(stepAt(state, 500, timePassed).state).toMatchObject({ suspendedUntil: null, rejection: null });
  });

  it("S3: finds a bug when its clock goes back", () => {
    expect(() => stepAt({ ...watching(), lastAt: instant(10) }, 9, timePassed)).toThrow(
      "S3: a monotonic clock went back from 10 to 9",
    );
  });

  it("says by how much it was late, and looks at nobody's silence from before", () => {
    const state = withNode(watching(ballot(), { dueAt: instant(0), healthySince: instant(0) }), N2, {
      firstRefusedAt: instant(-5),
      refusals: 4,
      advancedAt: instant(-5),
      answeredAt: null,
    });
    const { events, state: next } = stepAt(state, 1_200.4, timePassed);
    expect(events).toMatchObject([{ event: "deciding.suspended", detail: { lateMs: 1_200 } }]);
    expect(next.suspendedUntil).toBe(1_200.4 + context().config.probeIntervalMs);
    expect(next.startedAt).toBe(1_200.4);
    expect(next.nodes[N1]).toMatchObject({ answeredAt: 1_200.4, classSince: 1_200.4 });
    expect(next.nodes[N2]).toMatchObject({ firstRefusedAt: null, refusals: 0, advancedAt: null, answeredAt: null });
  });
});

describe("S8: beside a primary that is gone", () => {
  const paused = control({ mode: "paused" });
  const silent = { class: "silent", heard: "silent", connection: null, lostAt: instant(-5_000) } as const;
  it.each([
    ["a paused voter writes no vote", paused, []],
    ["an observing one votes and begins nothing", control({ mode: "observe" }), ["cast-vote"]],
  ])("%s", (_, mode, names) => {
    const state = withNode(watching(ballot({ control: mode, votes: { [C]: vote() } })), N1, {
      ...silent,
      answeredAt: instant(-5_000),
    });
    expect(namesOf(state, 10)).toEqual(names);
  });
});
