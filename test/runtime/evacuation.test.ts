import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { PortError } from "../../lib/core/errors.ts";
import type { RequestRecord, RequestResult } from "../../lib/core/records.ts";
import { epoch, groupName, type NodeId, wallTime } from "../../lib/core/types.ts";
import type { Departure, LifecycleAction } from "../../lib/ports/departures.ts";
import type { NodePlace } from "../../lib/ports/hosts.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import {
  EVACUATE_WITHIN_MS,
  type EvacuationPorts,
  evacuate,
  HEARTBEAT_SPARE_MS,
  UNKNOWN_HEARTBEAT_MS,
} from "../../lib/runtime/evacuation.ts";
import { addressOf, ballot, config, GROUP, member, N1, N2, N3, operation, primary, request } from "../core/builders.ts";
import { ManualClock } from "../support/manual-clock.ts";

const done: Pick<RequestResult, "kind" | "detail"> = { kind: "done", detail: "n2 is primary" };
const action: LifecycleAction = { autoScalingGroup: "asg", hook: "hook", token: "token", instance: "i-1" };
const departure = (changes: Partial<Departure> = {}): Departure => ({
  ...{ id: "event-1", notice: "EC2 Spot Instance Interruption Warning", at: wallTime(0), action: null },
  hosts: [{ kind: "instance", id: "i-1" }],
  ...changes,
});

/** One group, whose n1 is primary and on the host that goes, unless a test says otherwise. */
class Scene {
  readonly clock = new ManualClock();
  readonly lines: JournalEntry[] = [];
  readonly asked: RequestRecord[] = [];
  readonly completed: { readonly at: number; readonly action: LifecycleAction }[] = [];
  leaving: readonly NodeId[] = [N1];
  ballot: Ballot = ballot({ members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2), [N3]: member(3) } } });
  request: RequestRecord | null = null;
  /** What a voter answers, after how long; null: none comes. */
  voter: { readonly afterMs: number; readonly result: typeof done } | null = { afterMs: 1_500, result: done };
  heartbeat: number | null | Error = null;
  failures: Error[] = [];
  woken = 0;
  wakeTrouble: Error | null = null;

  #answer(): void {
    const { voter } = this;
    if (voter === null) return;
    this.clock.wakeAt((this.clock.now() + voter.afterMs) as never, () => {
      if (this.request === null || this.request.result !== null) return;
      const result = { ...voter.result, epoch: epoch(3), at: this.clock.wallTime() } as RequestResult;
      this.request = { ...this.request, result };
      if (result.kind === "done") this.ballot = { ...this.ballot, primary: primary({ node: N2, epoch: epoch(3) }) };
    });
  }

  readonly ports: EvacuationPorts = {
    clock: this.clock,
    journal: { write: (entry) => this.lines.push(entry) },
    waker: {
      wake: () => {
        this.woken += 1;
        return this.wakeTrouble === null ? Promise.resolve() : Promise.reject(this.wakeTrouble);
      },
    },
    departures: {
      placesOn: (_, places) => {
        const failure = this.failures.shift();
        if (failure !== undefined) return Promise.reject(failure);
        return Promise.resolve(places.filter((place: NodePlace) => this.leaving.includes(place.node)));
      },
      heartbeatMs: () =>
        this.heartbeat instanceof Error ? Promise.reject(this.heartbeat) : Promise.resolve(this.heartbeat),
      complete: (completed) => {
        this.completed.push({ at: this.clock.now(), action: completed });
        return Promise.resolve();
      },
    },
    store: {
      listSpecs: () => {
        const declared = config();
        const spec = { schema: 1, group: GROUP, version: 1, owner: "cli", overrides: {}, shard: 0, declared } as const;
        return Promise.resolve({ specs: [spec], damaged: [] });
      },
      glance: () => Promise.resolve(new Map([[GROUP, { ballot: this.ballot, request: null, unreadable: null }]])),
      readBallot: () => Promise.resolve(this.ballot),
      readRequest: () => Promise.resolve(this.request),
      writeRequest: (_, written, at) => {
        const standing = this.request;
        if (standing !== null && standing.result === null && standing.expiresAt > at) return Promise.resolve(false);
        this.request = written;
        this.asked.push(written);
        this.#answer();
        return Promise.resolve(true);
      },
      look: () => Promise.resolve(),
    },
  };

  /** To its end, or until so long has passed. */
  async run(of: Departure = departure(), ms = 2 * EVACUATE_WITHIN_MS): Promise<unknown> {
    let ended: unknown = "nothing";
    evacuate(this.ports, of).then(
      (value) => {
        ended = value;
      },
      (error: unknown) => {
        ended = error;
      },
    );
    await this.clock.pass(ms);
    return ended;
  }
}

describe("an evacuation", () => {
  it("asks the voters for a drain of the primary's node, in the event's name, and waits for its end", async () => {
    const scene = new Scene();
    expect(await scene.run()).toEqual([{ group: GROUP, nodes: [N1], kind: "moved", detail: done.detail }]);
    expect(scene.asked).toMatchObject([
      {
        ...{ id: "event-1", kind: "drain", target: N1, acceptDataLoss: false, result: null },
        by: "evacuation: EC2 Spot Instance Interruption Warning",
        reason: "i-1 is going",
        expiresAt: EVACUATE_WITHIN_MS,
      },
    ]);
    expect(scene.woken).toBe(1);
    expect(scene.lines).toMatchObject([{ event: "evacuation.ended", group: GROUP, detail: { outcome: "moved" } }]);
  });

  it("asks nobody for a replica's host, nor for one without a node", async () => {
    const scene = new Scene();
    scene.leaving = [N2];
    expect(await scene.run()).toMatchObject([{ group: GROUP, nodes: [N2], kind: "no-primary" }]);
    scene.leaving = [];
    expect(await scene.run()).toEqual([]);
    expect(scene.asked).toEqual([]);
    expect(scene.lines.map(({ detail }) => detail["outcome"])).toEqual(["no-primary", "no-node"]);
  });

  it("finds a node that was discovered by its recorded address", async () => {
    const scene = new Scene();
    const n9 = "n9" as NodeId;
    const nodes = { ...scene.ballot.members.nodes, [n9]: member(9, { address: addressOf("n9") }) };
    scene.ballot = { ...scene.ballot, primary: primary({ node: n9 }), members: { version: 2, nodes } };
    scene.leaving = [n9];
    expect(await scene.run()).toMatchObject([{ kind: "moved" }]);
    expect(scene.asked).toMatchObject([{ kind: "drain", target: n9 }]);
  });

  it("asks once for an event that is delivered twice, also at the same time and after the end", async () => {
    const scene = new Scene();
    const ends = Promise.all([scene.run(), evacuate(scene.ports, departure())]);
    expect(await ends).toMatchObject([[{ kind: "moved" }], [{ kind: "moved" }]]);
    expect(await scene.run()).toMatchObject([{ kind: "moved", detail: done.detail }]);
    // Another order has followed, and what it made is primary.
    scene.request = request({ id: "later", result: { ...done, epoch: epoch(4), at: wallTime(0) } as RequestResult });
    scene.ballot = { ...scene.ballot, lastRequest: "event-1" };
    expect(await scene.run()).toMatchObject([{ kind: "moved" }]);
    expect(scene.asked).toHaveLength(1);
  });

  it("waits for an order that stands, and replaces none", async () => {
    const scene = new Scene();
    scene.request = request({ id: "a person's", expiresAt: wallTime(10_000), result: null });
    expect(await scene.run(departure(), 9_000)).toBe("nothing");
    expect(scene.request.id).toBe("a person's");
    await scene.clock.pass(5_000);
    expect(scene.asked).toHaveLength(1);
    expect(scene.asked[0]?.askedAt).toBeGreaterThanOrEqual(10_000);
  });

  it("wakes voters that rest for an order that stands: it may have been given while they rest", async () => {
    const scene = new Scene();
    scene.request = request({ id: "a person's", expiresAt: wallTime(10_000), result: null });
    expect(await scene.run(departure(), 3_000)).toBe("nothing");
    expect([scene.woken, scene.asked]).toEqual([1, []]);
  });

  it("waits for an order that stands also where no primary is there: it may be about to make one", async () => {
    const scene = new Scene();
    scene.leaving = [N2];
    scene.request = request({ id: "a person's", expiresAt: wallTime(30_000), result: null });
    const ended = scene.run(departure(), 8_000);
    scene.clock.wakeAt(3_000 as never, () => {
      scene.request = { ...request({ id: "a person's" }), result: { ...done, epoch: epoch(3), at: wallTime(0) } };
      scene.ballot = { ...scene.ballot, primary: primary({ node: N2 }) };
    });
    await ended;
    expect(scene.asked).toMatchObject([{ kind: "drain", target: N2 }]);
  });

  it("waits for an operation that goes on: its primary may be on what goes", async () => {
    const scene = new Scene();
    scene.ballot = { ...scene.ballot, primary: primary({ node: N3 }), operation: operation({ target: N1 }) };
    const ended = scene.run(departure(), 5_000);
    scene.clock.wakeAt(3_000 as never, () => {
      scene.ballot = { ...scene.ballot, primary: primary({ node: N1 }), operation: null };
    });
    expect(await ended).toMatchObject([{ kind: "moved" }]);
    expect(scene.asked).toMatchObject([{ kind: "drain", target: N1 }]);
  });

  it("names who is to take over when several of the group's nodes go: in sync, the lowest priority, and staying", async () => {
    const scene = new Scene();
    scene.leaving = [N1, N2];
    expect(await scene.run()).toMatchObject([{ kind: "moved", nodes: [N1, N2] }]);
    expect(scene.asked).toMatchObject([{ kind: "switchover", target: N3 }]);

    const behind = new Scene();
    behind.leaving = [N1, N2];
    const nodes = { ...behind.ballot.members.nodes, [N3]: member(3, { inSyncEpoch: epoch(0) }) };
    behind.ballot = { ...behind.ballot, members: { version: 2, nodes } };
    expect(await behind.run()).toMatchObject([{ kind: "refused" }]);
    expect(behind.asked).toEqual([]);
  });

  it("tells what was refused, and what nobody answered", async () => {
    const scene = new Scene();
    scene.voter = {
      afterMs: 1_000,
      result: { kind: "refused", detail: "the group is paused: resume it first" } as never,
    };
    expect(await scene.run()).toMatchObject([{ kind: "refused", detail: expect.stringContaining("paused") }]);
    const silent = new Scene();
    silent.voter = null;
    silent.wakeTrouble = new PortError("waker", "PutEvents", "AccessDenied", null);
    const ended = await silent.run();
    expect(ended).toMatchObject([
      { kind: "late", detail: expect.stringMatching(/no voter has answered.*AccessDenied/) },
    ]);
    expect(silent.woken).toBe(1);
  });

  it("asks AWS again while there is time, and rejects when it never answers", async () => {
    const failure = new PortError("hosts", "DescribeInstances", "no answer", null);
    const scene = new Scene();
    scene.failures = [failure, failure];
    expect(await scene.run()).toMatchObject([{ kind: "moved" }]);
    const deaf = new Scene();
    deaf.failures = Array.from({ length: 1_000 }, () => failure);
    expect(await deaf.run()).toBe(failure);
  });

  it("does not ask again what AWS refuses, and completes the hook at once", async () => {
    const scene = new Scene();
    const refusal = new PortError("hosts", "ListTasks", "ClusterNotFoundException: Cluster not found.", null, true);
    scene.failures = [refusal];
    expect(await scene.run(departure({ action }))).toBe(refusal);
    expect(scene.completed).toEqual([{ at: 0, action }]);
    expect(scene.asked).toEqual([]);
  });

  it("leaves other groups alone", async () => {
    const scene = new Scene();
    scene.ports.store.listSpecs = () => Promise.resolve({ specs: [], damaged: [groupName("other")] });
    expect(await scene.run()).toEqual([]);
  });
});

describe("the hook of an Auto Scaling group", () => {
  const held = departure({ action });

  it("is completed when the primary has moved, and at once where there is none", async () => {
    const scene = new Scene();
    await scene.run(held);
    expect(scene.completed).toEqual([{ at: expect.any(Number), action }]);
    expect(scene.completed[0]?.at).toBeGreaterThanOrEqual(1_500);
    const replica = new Scene();
    replica.leaving = [N2];
    await replica.run(held);
    expect(replica.completed).toEqual([{ at: 0, action }]);
  });

  it.each([
    ["refused", { afterMs: 1_000, result: { kind: "refused" as const, detail: "no" } }],
    ["failed", { afterMs: 1_000, result: { kind: "failed" as const, detail: "no" } }],
    ["never answered", null],
  ])("is completed when the switchover is %s", async (_, voter) => {
    const scene = new Scene();
    scene.voter = voter as never;
    await scene.run(held);
    expect(scene.completed).toHaveLength(1);
  });

  it("is completed when nothing could be asked at all", async () => {
    const scene = new Scene();
    scene.ports.store.listSpecs = () => Promise.reject(new PortError("store", "listSpecs", "gone", null));
    expect(await scene.run(held)).toBeInstanceOf(PortError);
    expect(scene.completed).toHaveLength(1);
  });

  it("is completed when a call never ends", async () => {
    const scene = new Scene();
    scene.ports.store.listSpecs = () => new Promise(() => undefined);
    expect(await scene.run(held)).toBeInstanceOf(Error);
    expect(scene.completed).toHaveLength(1);
  });

  it.each([
    ["30 s, the shortest", 30_000, 30_000 - HEARTBEAT_SPARE_MS],
    ["an hour", 3_600_000, EVACUATE_WITHIN_MS],
    ["unknown", null, UNKNOWN_HEARTBEAT_MS],
    ["not to be read", new PortError("hosts", "DescribeLifecycleHooks", "denied", null), UNKNOWN_HEARTBEAT_MS],
  ])("is completed in time by a heartbeat that is %s", async (_, heartbeat, withinMs) => {
    const scene = new Scene();
    scene.voter = null;
    scene.heartbeat = heartbeat;
    await scene.run(held);
    expect(scene.completed).toHaveLength(1);
    expect(scene.completed[0]?.at).toBeGreaterThanOrEqual(withinMs);
    expect(scene.completed[0]?.at).toBeLessThanOrEqual(withinMs + 2_000);
  });

  it("counts the event's way into the heartbeat", async () => {
    const scene = new Scene();
    await scene.clock.pass(8_000);
    scene.voter = null;
    scene.heartbeat = 30_000;
    await scene.run(held);
    expect(scene.completed[0]?.at).toBeLessThanOrEqual(8_000 + 30_000 - HEARTBEAT_SPARE_MS - 8_000 + 2_000);
  });
});
