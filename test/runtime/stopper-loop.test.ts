import { describe, expect, it } from "vitest";
import type { Ballot, Operation } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, type Item, interpret, type WriteOutcome } from "../../lib/core/ballot-write.ts";
import { PortError } from "../../lib/core/errors.ts";
import type { SpecRecord } from "../../lib/core/records.ts";
import { epoch, groupName } from "../../lib/core/types.ts";
import type { Host, HostState, Hosts, StopAnswer } from "../../lib/ports/hosts.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { STOP_WITHIN_MS, type StopperPorts, type StopResult, stopHostOf } from "../../lib/runtime/stopper-loop.ts";
import { addressOf, ballot, config, GROUP, lease, member, N1, node, operation, TABLE } from "../core/builders.ts";
import { ManualClock } from "../support/manual-clock.ts";

const wished = (values: Partial<Operation> = {}): Ballot =>
  ballot({
    epoch: epoch(2),
    lease: lease(),
    operation: operation({ stop: { node: N1, epoch: epoch(2), outcome: null }, ...values }),
  });

const OTHER = groupName("other");

/** The members of three declared nodes, and one that was discovered at the host's address, with that process. */
const withDiscovered = (id: string, run: number): Ballot["members"] => {
  const { version, nodes } = ballot().members;
  const address = { ...addressOf(id), host: "10.0.0.1" };
  return { version, nodes: { ...nodes, [N1]: member(1), [id]: member(run, { address }) } };
};

const specOf = (of = config()): SpecRecord => ({
  ...{ schema: 1, group: of.name, version: 1, owner: "cli", overrides: {}, shard: 0 },
  declared: of,
});

/** One instance, at n1's address, and the table around the stopper. */
class Scene {
  readonly clock = new ManualClock();
  readonly lines: JournalEntry[] = [];
  readonly stopped: string[] = [];
  item: Item = encodeBallot(wished());
  specs = [specOf()];
  /** By the group's name. */
  others: Readonly<Record<string, Ballot>> = {};
  state: HostState = "running";
  host: Partial<Host> = {};
  /** How long it takes to stop after it was told; null: it never does. */
  stopsAfterMs: number | null = 3_000;
  answer: StopAnswer = { kind: "accepted" };
  /** Called before each question to AWS. */
  beforeAsked: () => void = () => {};
  writes: WriteOutcome["kind"][] = [];

  get wish() {
    return decodeBallot(this.item).operation?.stop;
  }

  #host(): Host {
    this.beforeAsked();
    const own = { kind: "instance", id: "i-1", zone: null, group: GROUP, node: null, keeper: null } as const;
    return {
      ...own,
      state: this.state,
      addresses: ["10.0.0.1"],
      names: [],
      unstoppable: null,
      resumable: null,
      ...this.host,
    };
  }

  readonly hosts: Hosts = {
    find: (place) =>
      Promise.resolve(this.#host()).then((host) =>
        host.addresses.includes(place.host)
          ? { kind: "found", host }
          : { kind: "none", reason: `nothing at ${place.host}` },
      ),
    look: () => Promise.resolve().then(() => this.#host()),
    stop: (host) => {
      this.stopped.push(host.id);
      if (this.answer.kind === "accepted") {
        this.state = "stopping";
        const { stopsAfterMs } = this;
        if (stopsAfterMs !== null)
          this.clock.wakeAt((this.clock.now() + stopsAfterMs) as never, () => {
            this.state = "stopped";
          });
      }
      return Promise.resolve(this.answer);
    },
  };

  #write(write: BallotWrite): WriteOutcome {
    const { applied, item } = interpret(this.item, write);
    if (!applied || item === null) return { kind: "refused", ballot: decodeBallot(this.item) };
    this.item = item;
    return { kind: "applied", ballot: decodeBallot(item) };
  }

  get ports(): StopperPorts {
    return {
      store: {
        tableId: () => Promise.resolve(TABLE),
        listSpecs: () => Promise.resolve({ specs: this.specs, damaged: [] }),
        glance: (groups) =>
          Promise.resolve(
            new Map(
              groups.map((group) => [group, { ballot: this.others[group] ?? null, request: null, unreadable: null }]),
            ),
          ),
        readBallot: () => Promise.resolve(decodeBallot(this.item)),
        writeBallot: (write) => {
          const lost = this.writes.shift() === "unknown";
          return Promise.resolve(lost ? { kind: "unknown", detail: "time-out" } : this.#write(write));
        },
      },
      hosts: this.hosts,
      clock: this.clock,
      journal: { write: (entry) => this.lines.push(entry) },
      invocation: "one",
    };
  }

  async run(ms = 200_000): Promise<StopResult> {
    const result = stopHostOf(this.ports, GROUP);
    result.catch(() => undefined);
    await this.clock.pass(ms);
    return result;
  }
}

const scene = (changes: Partial<Scene> = {}): Scene => Object.assign(new Scene(), changes);

describe("the stopper", () => {
  it("stops the host, waits until AWS says that it has stopped, and records which it was", async () => {
    const world = scene();
    expect(await world.run()).toEqual({ kind: "stopped", detail: "i-1" });
    expect(world.stopped).toEqual(["i-1"]);
    expect(world.wish).toMatchObject({ node: N1, epoch: 2, outcome: { kind: "stopped", detail: "i-1" } });
    expect(world.lines).toMatchObject([{ event: "node.stopped", node: N1, epoch: 2, voter: "stopper" }]);
  });

  it("tells nothing to stop that is stopping or has stopped already", async () => {
    const stopped = scene({ state: "stopped" });
    expect(await stopped.run()).toMatchObject({ kind: "stopped" });
    const stopping = scene({ state: "stopping" });
    stopping.clock.wakeAt(2_500 as never, () => {
      stopping.state = "stopped";
    });
    expect(await stopping.run()).toMatchObject({ kind: "stopped" });
    expect([stopped.stopped, stopping.stopped]).toEqual([[], []]);
  });

  it.each<readonly [string, Partial<Scene>, string]>([
    ["no host is found", { host: { addresses: ["10.0.0.9"] } }, "nothing at 10.0.0.1"],
    ["AWS, or what it is, refuses", { answer: { kind: "refused", reason: "stop protection" } }, "stop protection"],
    [
      "it also runs a node of another group",
      {
        specs: [specOf(), specOf({ ...config(), name: groupName("other"), nodes: [node("n9", { host: "10.0.0.1" })] })],
      },
      "i-1 also runs n9 of other",
    ],
    [
      "it also runs another node of the group",
      { host: { addresses: ["10.0.0.1", "10.0.0.2"] } },
      "i-1 also runs n2 of g",
    ],
    [
      "it also runs a node that was discovered in another group",
      {
        specs: [specOf(), specOf({ ...config(), name: OTHER, nodes: [node("n9", { host: "10.0.0.9" })] })],
        others: { [OTHER]: ballot({ members: withDiscovered("n8", 8) }) },
      },
      "i-1 also runs n8 of other",
    ],
    [
      "it also runs a node that was discovered in the group",
      { item: encodeBallot({ ...wished(), members: withDiscovered("n8", 8) }) },
      "i-1 also runs n8 of g",
    ],
    [
      "it also runs a node of another group that is declared by the host's name",
      {
        host: { names: ["ip-10-0-0-1.internal"] },
        specs: [specOf(), specOf({ ...config(), name: OTHER, nodes: [node("n9", { host: "IP-10-0-0-1.internal." })] })],
      },
      "i-1 also runs n9 of other",
    ],
    ["what runs there may go on after a stop", { host: { resumable: "i-1 may hibernate" } }, "i-1 may hibernate"],
    [
      "it is stopped already, and what ran there may go on",
      { state: "stopped", host: { resumable: "i-1 may hibernate" } },
      "i-1 may hibernate",
    ],
    ["the node is declared no more", { specs: [] }, "n1 is no node of the group any more"],
    ["it does not stop", { stopsAfterMs: null }, "i-1 was told to stop, and is stopping after 75 s"],
  ])("records why not: %s", async (_, changes, detail) => {
    const world = scene(changes);
    expect(await world.run()).toEqual({ kind: "refused", detail });
    expect(world.wish?.outcome).toMatchObject({ kind: "refused", detail });
    expect(world.lines).toMatchObject([{ event: "stop.refused", detail: { reason: detail } }]);
  });

  it("takes no second name of the same process for another node", async () => {
    const world = scene({ item: encodeBallot({ ...wished(), members: withDiscovered("n8", 1) }) });
    expect(await world.run()).toEqual({ kind: "stopped", detail: "i-1" });
  });

  it.each([
    ["it is over", { operation: null, lease: null }],
    ["the old primary gets its place back", { operation: operation({ ...wished().operation, step: "restoring" }) }],
    ["another asks for another", { operation: operation({ stop: { node: N1, epoch: epoch(5), outcome: null } }) }],
  ] as const)("stops nothing that is wished no more when AWS would be asked: %s", async (_, changes) => {
    const world = scene();
    world.beforeAsked = () => {
      world.item = encodeBallot({ ...wished(), ...changes });
    };
    expect(await world.run()).toEqual({ kind: "nothing" });
    expect(world.stopped).toEqual([]);
  });

  it.each([
    [
      "has its answer",
      wished({ stop: { node: N1, epoch: epoch(2), outcome: { kind: "refused", detail: "", attempt: "a" as never } } }),
    ],
    ["is of another table", { ...wished(), table: "table-2" }],
    ["is of a primary that is decided", wished({ step: "committed" })],
  ])("leaves a wish alone that %s", async (_, of) => {
    const world = scene({ item: encodeBallot(of) });
    expect(await world.run()).toEqual({ kind: "nothing" });
    expect([world.stopped, world.item]).toEqual([[], encodeBallot(of)]);
  });

  it("asks AWS again while it gives no answer, and records that it gave none", async () => {
    let failures = 3;
    const world = scene();
    world.beforeAsked = () => {
      failures -= 1;
      if (failures >= 0) throw new PortError("hosts", "DescribeInstances", "throttled");
    };
    expect(await world.run()).toMatchObject({ kind: "stopped" });
    const silent = scene();
    silent.beforeAsked = () => {
      throw new PortError("hosts", "DescribeInstances", "throttled");
    };
    expect(await silent.run(STOP_WITHIN_MS + 2_000)).toEqual({
      kind: "refused",
      detail: "AWS gave no answer: hosts.DescribeInstances: throttled",
    });
  });

  it("writes the outcome until it is known to stand, and fails for the stream to bring it again", async () => {
    const world = scene({ state: "stopped", writes: ["unknown", "unknown"] });
    expect(await world.run()).toMatchObject({ kind: "stopped" });
    expect(world.wish?.outcome?.kind).toBe("stopped");
    const never = scene({ state: "stopped", writes: Array.from({ length: 9 }, () => "unknown" as const) });
    await expect(never.run()).rejects.toThrow("could not be recorded: time-out");
  });
});
