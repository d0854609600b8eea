// Carries a plan out: waits for each fault's occasion, does it to the world, and undoes it when its time is over or
// everything is healed.

import type { Ballot, Control } from "../../lib/core/ballot.ts";
import type { Item } from "../../lib/core/ballot-write.ts";
import { attemptId, nodeId, voterId, wallTime } from "../../lib/core/types.ts";
import { setControl } from "../../lib/core/writes.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { type Change, Changes } from "./changes.ts";
import { BEGINNING } from "./clock.ts";
import { GROUP } from "./group.ts";
import type { Invocation, VoterFunction } from "./lambda.ts";
import { type Effect, matches, type Selector } from "./network.ts";
import type { Fault, FaultPlan, PlannedFault, Restart } from "./plan.ts";
import { PASSWORD, SHUTDOWN_TIMEOUT_MS, type SimNode } from "./valkey.ts";
import type { ValkeyProcess } from "./valkey-process.ts";
import type { World } from "./world.ts";

interface Waiting {
  readonly planned: PlannedFault;
  seen: number;
}

const REQUEST_TTL_MS = 60_000;
const RESUMED_AGAIN_MS = 1_000;

export class FaultInjector {
  readonly #world: World;
  #waiting: Waiting[] = [];
  readonly #undo = new Set<() => void>();
  /** What each weather was before any fault, and the changes of those that last. */
  readonly #weathers = new Map<object, object[]>();
  #isHealed = false;
  /** The invocation that told of the event a fault waited for. */
  #writer: Invocation | null = null;
  #requests = 0;
  #copy: Item | null = null;
  #disturbances = 0;
  #votersLost = 0;
  /** Nodes that are yet to start again. */
  #restarts = 0;
  #disturbedAt = 0;
  readonly #changes: Changes;

  constructor(world: World) {
    this.#world = world;
    this.#changes = new Changes(world, (forMs, undo) => this.#lasting(forMs, undo));
  }

  /** How often something was done to the world, or ended. */
  get disturbances(): number {
    return this.#disturbances;
  }

  /** How many of these were the death of a voter. */
  get votersLost(): number {
    return this.#votersLost;
  }

  /** Ms since then; 0 while something lasts. */
  get quietMs(): number {
    return this.#undo.size > 0 || this.#restarts > 0 ? 0 : this.#world.queue.now - this.#disturbedAt;
  }

  /** Those whose event was not told yet. */
  get waiting(): readonly PlannedFault[] {
    return this.#waiting.map(({ planned }) => planned);
  }

  #disturbed(): void {
    this.#disturbances += 1;
    this.#disturbedAt = this.#world.queue.now;
  }

  follow(plan: FaultPlan): void {
    if (plan.some(({ fault: { kind } }) => kind === "restore-table" || kind === "set-back-ballot"))
      this.#changes.keepBackups();
    for (const planned of plan) {
      const { at, fault } = planned;
      if (typeof at === "number") this.#world.queue.at(at, () => this.begin(fault));
      else this.#waiting.push({ planned, seen: 0 });
    }
  }

  /** A voter told of an event: whose occasion is it? */
  heard(entry: JournalEntry, invocation: Invocation): void {
    for (const waiting of [...this.#waiting]) {
      const { at, fault } = waiting.planned;
      if (typeof at === "number" || at.event !== entry.event) continue;
      waiting.seen += 1;
      if (waiting.seen < (at.nth ?? 1)) continue;
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      this.#onOccasion(invocation, at.plusMs ?? 0, at.plusSteps ?? 0, () => {
        this.#writer = invocation;
        this.begin(fault);
      });
    }
  }

  /** Never from inside the voter's own callback: what the world does to it comes between two of them. */
  #onOccasion(invocation: Invocation, plusMs: number, plusSteps: number, act: () => void): void {
    const { queue } = this.#world;
    const { sandbox } = invocation;
    if (plusSteps === 0) {
      queue.after(plusMs, act);
      return;
    }
    const target = sandbox.steps + plusSteps;
    const before = sandbox.onStep;
    sandbox.onStep = (steps) => {
      if (steps < target) return;
      sandbox.onStep = before;
      act();
    };
  }

  /** Ends every fault that lasts, brings every node and voter back, and lets no other begin. */
  heal(): void {
    this.#isHealed = true;
    this.#world.timeline?.add({ kind: "healed" });
    for (const undo of [...this.#undo]) undo();
    this.#world.network.healAll();
    this.#world.stopper.heal();
    for (const node of this.#world.fleet.nodes.values()) {
      node.start("rdb");
      // One that was told to end and still waits for its replicas.
      this.#world.queue.after(SHUTDOWN_TIMEOUT_MS + 1, () => node.start("rdb"));
    }
    for (const voter of this.#world.voters.values()) {
      voter.options.clock.setWall(0);
      if (voter.invocations.size === 0) voter.invoke();
    }
    this.#disturbed();
  }

  begin(fault: Fault): void {
    if (this.#isHealed) return;
    this.#world.timeline?.add({ kind: "fault", fault, hits: this.#hitBy(fault) });
    this.#disturbances += 1;
    if (fault.kind === "kill-voter") this.#votersLost += 1;
    if ("node" in fault && fault.kind !== "reset") this.#beginOnNode(fault, this.#node(fault.node));
    else if ("voter" in fault) for (const voter of this.#voters(fault.voter)) this.#beginOnVoter(fault, voter);
    else this.#beginElsewhere(fault);
    // Not before: whoever asks while it is done learns how quiet it was until then.
    this.#disturbedAt = this.#world.queue.now;
  }

  #beginOnNode(fault: Extract<Fault, { node: string }>, node: SimNode): void {
    const { process } = node;
    switch (fault.kind) {
      case "kill-node":
        node.kill();
        return this.#restart(node, fault.restart);
      case "power-off":
        node.powerOff();
        return this.#restart(node, fault.restart);
      case "terminate-node":
        node.terminate();
        return this.#restart(node, fault.restart);
      case "start-node":
        return node.start(fault.data);
      case "save":
        return node.save();
      case "hang-node":
        process?.hang();
        return this.#lasting(fault.forMs, () => process?.wake());
      case "wrong-password": {
        node.password = "rotated by somebody";
        return this.#lasting(fault.forMs, () => {
          node.password = PASSWORD;
        });
      }
      case "forbid-replicaof": {
        node.forbidsReplicaof = true;
        return this.#lasting(fault.forMs, () => {
          node.forbidsReplicaof = false;
        });
      }
      case "undeclare":
        return this.#changes.undeclare(node, fault.forMs);
      case "replicaof-by-hand":
        process?.replicaof(fault.to === null ? null : this.#node(fault.to).address, "hand", null);
        return;
      case "busy-node":
        return this.#flag(process, "busy", fault.forMs);
      case "write-dead":
        return this.#flag(process, "writeDead", fault.forMs);
      case "failing-over":
        return this.#flag(process, "failingOver", fault.forMs);
      case "reset":
        return;
    }
  }

  #flag(process: ValkeyProcess | null, flag: "busy" | "writeDead" | "failingOver", forMs: number): void {
    if (process === null) return;
    process.setFlag(flag, true);
    this.#lasting(forMs, () => process.setFlag(flag, false));
  }

  #restart(node: SimNode, restart: Restart | null): void {
    if (restart === null) return;
    const { queue } = this.#world;
    const start = () => {
      // SIGTERM takes its time.
      if (node.process !== null) {
        queue.after(10, start);
        return;
      }
      node.start(restart.data);
      this.#restarts -= 1;
      this.#disturbedAt = queue.now;
    };
    this.#restarts += 1;
    queue.after(restart.afterMs, start);
  }

  #beginOnVoter(fault: Extract<Fault, { voter: string }>, voter: VoterFunction): void {
    const { queue } = this.#world;
    switch (fault.kind) {
      case "kill-voter":
        return voter.kill();
      case "invoke":
        return voter.invoke();
      case "no-invocations":
        voter.silentUntil = queue.now + fault.forMs;
        return this.#lasting(fault.forMs, () => {
          voter.silentUntil = 0;
        });
      case "wall-jump":
        return voter.options.clock.setWall(voter.options.clock.wallOffsetMs + fault.byMs);
      case "freeze-voter": {
        const frozen = [...voter.invocations].map(({ sandbox }) => sandbox);
        for (const sandbox of frozen) sandbox.freeze();
        return this.#lasting(fault.forMs, () => {
          for (const sandbox of frozen) sandbox.thaw();
        });
      }
      case "reset":
        this.#node(fault.node).process?.resetConnectionsOf(voter.options.place.name);
    }
  }

  #beginElsewhere(fault: Exclude<Fault, { node: string } | { voter: string }>): void {
    const world = this.#world;
    switch (fault.kind) {
      case "cut":
        this.#impose(fault.from, fault.to, { kind: "cut" }, fault.forMs);
        if (!fault.oneWay) this.#impose(fault.to, fault.from, { kind: "cut" }, fault.forMs);
        return;
      case "isolate-zone":
        for (const other of [`outside:${fault.zone}`, ...(fault.store ? ["store"] : [])]) {
          this.#impose(`zone:${fault.zone}`, other, { kind: "cut" }, fault.forMs);
          this.#impose(other, `zone:${fault.zone}`, { kind: "cut" }, fault.forMs);
        }
        return;
      case "slow":
        return this.#impose(fault.from, fault.to, { kind: "slow", extraMs: fault.extraMs }, fault.forMs);
      case "lossy":
      case "drops":
        return this.#impose(fault.from, fault.to, { kind: fault.kind, rate: fault.rate }, fault.forMs);
      case "store-weather":
        return this.#weather(world.storeWeather, fault.weather, fault.forMs);
      case "publication-weather":
        return this.#weather(world.publicationWeather, fault.weather, fault.forMs);
      case "request":
        return this.#request(fault);
      case "control":
        return this.#control(fault);
      case "record-lost":
        world.table.putBallot(GROUP, null);
        world.table.publications.delete(GROUP);
        return;
      case "record-copied":
        this.#copy = world.table.ballot(GROUP);
        return;
      case "record-put-back":
        world.table.putBallot(GROUP, this.#copy);
        return;
      case "parameter-by-hand":
        world.copies.overwrite("ssm", GROUP, this.#copyNaming(this.#node(fault.to)), "hand");
        return;
      default:
        return this.#changes.begin(fault satisfies Change);
    }
  }

  #copyNaming(node: SimNode) {
    const standing = this.#world.copies.read("ssm", GROUP);
    if (standing === null) return null;
    return { ...standing, primary: node.address };
  }

  #impose(from: Selector, to: Selector, effect: Effect, forMs: number): void {
    this.#lasting(forMs, this.#world.network.impose({ from, to, effect }));
  }

  /** Several may overlap and end in any order: what is left is laid anew over what was before all of them. */
  #weather<T extends object>(weather: T, changes: Partial<T>, forMs: number): void {
    const layers: Partial<T>[] = (this.#weathers.get(weather) as Partial<T>[] | undefined) ?? [{ ...weather }];
    this.#weathers.set(weather, layers);
    layers.push(changes);
    Object.assign(weather, changes);
    this.#lasting(forMs, () => {
      layers.splice(layers.indexOf(changes), 1);
      Object.assign(weather, ...layers);
    });
  }

  #request(fault: Extract<Fault, { kind: "request" }>): void {
    const { table, queue } = this.#world;
    this.#requests += 1;
    const now = wallTime(BEGINNING + Math.floor(queue.now));
    table.writeRequest(
      GROUP,
      {
        schema: 1,
        id: `request-${this.#requests}`,
        kind: fault.request,
        target: fault.target === null ? null : this.#node(fault.target).id,
        by: "operator",
        reason: "drawn",
        acceptDataLoss: fault.acceptDataLoss,
        askedAt: now,
        expiresAt: wallTime(now + (fault.ttlMs ?? REQUEST_TTL_MS)),
        result: null,
      },
      now,
    );
  }

  #control({ mode, forMs, expiresAfterMs = forMs }: Extract<Fault, { kind: "control" }>): void {
    if (mode === "observe") return this.#changes.observe(forMs);
    const { queue } = this.#world;
    const until = wallTime(BEGINNING + Math.floor(queue.now + expiresAfterMs));
    this.#setMode(({ control }) => ({
      mode: "paused",
      until,
      returnsTo: control.mode === "paused" ? (control.returnsTo ?? "act") : control.mode,
    }));
    this.#lasting(forMs, () => this.#resume());
  }

  #resume(): void {
    const { table, queue } = this.#world;
    // Whoever finds a record that cannot be read asks again.
    if (this.#world.ballot() === null && table.ballot(GROUP) !== null)
      queue.after(RESUMED_AGAIN_MS, () => this.#resume());
    const { mode } = this.#world.config();
    this.#setMode(({ control }) => (control.mode === "paused" ? { mode, until: null } : null));
  }

  /** As the command line does. */
  #setMode(change: (ballot: Ballot) => Pick<Control, "mode" | "until" | "returnsTo"> | null): void {
    const ballot = this.#world.ballot();
    const changed = ballot === null ? null : change(ballot);
    if (ballot === null || changed === null) return;
    this.#requests += 1;
    const attempt = attemptId(`control-${this.#requests}`);
    const control: Control = { ...changed, by: "operator", reason: "drawn", attempt };
    this.#world.table.writeBallot(setControl(ballot, control), "operator");
  }

  #lasting(forMs: number, undo: () => void): void {
    const end = () => {
      if (!this.#undo.delete(end)) return;
      undo();
      this.#disturbed();
    };
    this.#undo.add(end);
    this.#world.queue.after(forMs, end);
  }

  /** By name, for the timeline. Of two sides of a cut the smaller one: it is what is cut off. */
  #hitBy(fault: Fault): readonly string[] {
    if ("voter" in fault) return this.#voters(fault.voter).map(({ options }) => options.voter);
    if ("node" in fault) return [this.#node(fault.node).id];
    if (fault.kind === "isolate-zone") return this.#matching(`zone:${fault.zone}`);
    if ("from" in fault) {
      const [from, to] = [this.#matching(fault.from), this.#matching(fault.to)];
      return to.length < from.length ? to : from;
    }
    if (fault.kind === "store-weather") return ["table"];
    return fault.kind === "publication-weather" ? ["ssm", "dns"] : fault.kind === "parameter-by-hand" ? ["ssm"] : [];
  }

  #matching(selector: Selector): readonly string[] {
    const { fleet, voters } = this.#world;
    const places = [
      ...[...fleet.nodes.values()].map(({ id, place }) => [id, place] as const),
      ...[...voters.values()].map(({ options }) => [options.voter, options.place] as const),
      ["table", { name: "store", zone: null }] as const,
    ];
    return places.flatMap(([name, place]) => (matches(place, selector) ? [name] : []));
  }

  #node(choice: string): SimNode {
    const { fleet } = this.#world;
    const nodes = [...fleet.nodes.values()];
    const primary = this.#world.primaryNode() ?? (nodes[0] as SimNode);
    if (choice === "primary") return primary;
    if (choice === "replica") return nodes.find((each) => each !== primary) ?? primary;
    return fleet.node(nodeId(choice));
  }

  #voters(choice: string): readonly VoterFunction[] {
    const { voters } = this.#world;
    if (choice === "*") return [...voters.values()];
    const holder = this.#world.ballot()?.lease?.holder;
    const writer = this.#writer === null ? undefined : this.#writer.name.split("/")[0];
    const name = choice === "holder" ? holder : choice === "writer" ? writer : choice;
    const voter = name === undefined ? undefined : voters.get(voterId(name));
    return voter === undefined ? [] : [voter];
  }
}
