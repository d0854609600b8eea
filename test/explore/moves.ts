// What can happen next? Every move of a state within the bounds, with its name for the schedule. A move is carried out on
// parts only (collapse.ts) and remembered by the parts that it looks at, so that the same step of the same voter beside
// another voter's other state is taken from memory.

import type { ControlMode } from "../../lib/core/ballot.ts";
import type { Fact } from "../../lib/core/commands.ts";
import type { RequestRecord } from "../../lib/core/records.ts";
import { instant, type NodeId, type NodeOutcome } from "../../lib/core/types.ts";
import { request } from "../core/builders.ts";
import { LONG_MS } from "./beginning.ts";
import { GRAIN_MS } from "./collapse.ts";
import { bereft, caughtUp, execute, isBehind, isConnected, killed, linked, restarted } from "./node.ts";
import { brokenByCommand } from "./promises.ts";
import { BREATH_MS, isOn, publishEnded, refsTo, type Scene, withoutIdle } from "./scene.ts";
import { NOW, type NodeRecord, type Sent, type Voter, type World } from "./world.ts";

/** What is limited, and by what `Bounds` limit it. `tick` and `long` are counted for each voter. */
export type Price =
  | "free"
  | "tick"
  | "long"
  | "loss"
  | "delay"
  | "kill"
  | "restart"
  | "hang"
  | "cut"
  | "crash"
  | "start"
  | "write"
  | "lose"
  | "order"
  | "publisher";

export interface Move {
  readonly name: string;
  readonly price: Price;
  /** The voter that takes a step, by its place; null: only nodes or links change. */
  readonly voter: number | null;
  /** Which of the things that it has under way; two may have one name. */
  readonly place?: number;
  readonly carryOut: (scene: Scene) => void;
}

/** Every move of one voter, whatever it costs. */
export function movesOfVoter(world: World, index: number): readonly Move[] {
  const voter = world.voters[index] as Voter;
  const moves: Move[] = voter.sent.flatMap((sent, place) => fatesOf(world, { voter, index, sent, place }));
  const move = (name: string, price: Price, carryOut: Move["carryOut"]) =>
    moves.push({ name: `${voter.id} ${name}`, price, voter: index, carryOut });
  if (voter.state === null) {
    move("starts", "start", (scene) => scene.setVoter(index, scene.group.started(voter, voter.generation + 1)));
    return moves;
  }
  // Late by a grain when it is due within a breath: else instants that are kept to the grain would never move on.
  const tickMs = voter.wakeAt - NOW > BREATH_MS ? voter.wakeAt - NOW : GRAIN_MS;
  move("is called when it asked to be", "tick", (scene) => scene.advance(index, { kind: "time-passed" }, tickMs));
  move(`is called after ${LONG_MS} ms`, "long", (scene) => scene.advance(index, { kind: "time-passed" }, LONG_MS));
  move("glances at the ballot", "free", (scene) => {
    const ballot = scene.ballot();
    const { request } = scene.table;
    const isNew =
      ballot !== voter.state?.look?.ballot || !isKnown(request, voter.state.request) || voter.state.isRequestOld;
    const readBehind = { lastRequest: voter.state?.look?.ballot.lastRequest ?? null };
    if (isNew) scene.advance(index, { kind: "glanced", ballot, request, readBehind }, 0);
  });
  move("dies", "crash", (scene) => {
    const sent = voter.sent.map((each) => ({ ...each, isGivenUp: true }));
    scene.setVoter(index, { state: null, wakeAt: NOW, sent });
  });
  for (const { id } of world.nodes) {
    const isCut = voter.cut.includes(id);
    const cut = isCut ? voter.cut.filter((each) => each !== id) : [...voter.cut, id].sort();
    move(isCut ? `reaches ${id} again` : `is cut off from ${id}`, isCut ? "free" : "cut", (scene) =>
      scene.setVoter(index, { cut }),
    );
  }
  return moves;
}

const isKnown = (request: RequestRecord | null, known: RequestRecord | null): boolean =>
  request?.id === known?.id && request?.result?.kind === known?.result?.kind;

/** What can happen without any voter. */
export const movesOfOthers = (world: World): readonly Move[] => [
  ...world.nodes.flatMap((node) => movesOfNode(world, node)),
  ...movesOfOperator(world),
  movesOfPublisher(world),
];

/** It reads the ballot, and what it made of it is written at any later time. */
const movesOfPublisher = ({ table: { publisher } }: World): Move =>
  publisher === null
    ? {
        name: "the publisher reads the ballot",
        price: "publisher",
        voter: null,
        carryOut: (scene) => scene.readToPublish(),
      }
    : {
        name: "the publisher's publication reaches the table",
        price: "free",
        voter: null,
        carryOut: (scene) => {
          scene.table = { ...scene.table, publisher: null };
          scene.put(publisher);
        },
      };

/** One order at a time: the next only when the last was answered. A pause stands until it is taken back. */
function movesOfOperator({ table: { request: last, item } }: World): readonly Move[] {
  const move = (name: string, carryOut: Move["carryOut"]): Move => ({
    name: `an operator ${name}`,
    price: "order",
    voter: null,
    carryOut,
  });
  const order = (name: string, values: Partial<RequestRecord>) =>
    move(name, (scene) => {
      const number = Number(last?.id.split("-")[1] ?? 0) + 1;
      scene.table = { ...scene.table, request: request({ id: `request-${number}`, ...values }) };
    });
  const set = (name: string, mode: ControlMode) => move(name, (scene) => scene.control(mode));
  const isPaused = (item["control"] as { readonly mode?: ControlMode }).mode === "paused";
  const control = isPaused ? set("resumes", "act") : set("pauses", "paused");
  if (last !== null && last.result === null) return [control];
  return [
    order("orders a switchover", { kind: "switchover" }),
    order("orders a failover, whatever is lost", { kind: "failover", acceptDataLoss: true }),
    control,
  ];
}

function movesOfNode(world: World, node: NodeRecord): readonly Move[] {
  const moves: Move[] = [];
  const move = (name: string, price: Price, make: (scene: Scene) => NodeRecord) =>
    moves.push({ name: `${node.id} ${name}`, price, voter: null, carryOut: (scene) => scene.setNode(make(scene)) });
  if (node.isUp) move("dies", "kill", () => killed(node));
  move(node.isUp ? "restarts behind its fence" : "comes back behind its fence", "restart", (scene) =>
    restarted(node, scene.freshRun),
  );
  const losing = (log: string) => (scene: Scene) =>
    bereft(node, log, { run: scene.freshRun, history: scene.freshHistory });
  const has = node.log.length;
  if (has > 0) move("comes back empty behind its fence", "lose", losing(""));
  if (has > 1) move("comes back behind its fence with less", "lose", losing(node.log.slice(0, -1)));
  if (node.isUp && !node.isHung) move("hangs", "hang", () => ({ ...node, isHung: true, isLinked: false }));
  if (node.isHung) move("goes on", "free", () => ({ ...node, isHung: false }));
  if (isBehind(node, world.nodes)) move("catches up", "free", () => caughtUp(node, world.nodes));
  if (node.isUp && !node.isHung && node.role === "primary") moves.push(...clientWrites(world, node));
  return moves;
}

/** A client's write to `node`, and which of its followers have it at once. */
function clientWrites(world: World, node: NodeRecord): readonly Move[] {
  const written = { ...node, log: `${node.log}${node.id.slice(1)}` };
  const nodes = world.nodes.map((each) => (each.id === node.id ? written : each));
  const followers = linked(nodes).filter((each) => each.id !== node.id && each.isLinked && isBehind(each, nodes));
  const subsets = [0, 1, 2, 3]
    .filter((bits) => bits < 2 ** followers.length)
    .map((bits) => followers.filter((_, place) => (bits & (1 << place)) !== 0).map((each) => each.id));
  return subsets.map((subset) => ({
    name: `a client writes to ${node.id}${subset.length === 0 ? "" : `, and ${subset.join(" and ")} has it`}`,
    price: "write",
    voter: null,
    carryOut: (scene) => {
      scene.nodes = nodes.map((each) => (subset.includes(each.id) ? caughtUp(each, nodes) : each));
    },
  }));
}

interface UnderWay {
  readonly voter: Voter;
  readonly index: number;
  readonly sent: Sent;
  readonly place: number;
}

/** What may become of what is under way. */
function fatesOf(world: World, of: UnderWay): readonly Move[] {
  switch (of.sent.kind) {
    case "write":
      return fatesOfWrite(of, of.sent);
    case "publication":
      return fatesOfPublication(of, of.sent);
    case "command":
      return fatesOfCommand(world, of, of.sent);
  }
}

function fatesOfPublication(
  { voter, index, sent, place }: UnderWay,
  { publication }: Extract<Sent, { kind: "publication" }>,
): readonly Move[] {
  const move = (what: string, price: Price, carryOut: Move["carryOut"], isKept = false): Move => ({
    name: `${voter.id}'s publication of epoch ${publication.epoch} ${what}`,
    price,
    voter: index,
    place,
    carryOut: (scene) => {
      const kept = voter.sent.map((each, other) => (other === place ? { ...each, isGivenUp: true } : each));
      scene.setVoter(index, { sent: isKept ? kept : kept.filter((_, other) => other !== place) });
      carryOut(scene);
    },
  });
  const unknown = (scene: Scene) => scene.advance(index, publishEnded(publication, "failed"), 0);
  if (sent.isGivenUp) return [move("arrives late", "free", (scene) => void scene.put(publication))];
  return [
    move("reaches the table", "free", (scene) => {
      const isNewest = scene.put(publication);
      scene.advance(index, publishEnded(publication, isNewest ? "applied" : "superseded"), 0);
    }),
    move("is put, and its answer is lost", "loss", (scene) => {
      scene.put(publication);
      unknown(scene);
    }),
    move("is lost", "loss", unknown),
    move("is given up and still under way", "delay", unknown, true),
  ];
}

function fatesOfWrite(
  { voter, index, sent, place }: UnderWay,
  { write }: Extract<Sent, { kind: "write" }>,
): readonly Move[] {
  const name = `${voter.id}'s ${write.name}`;
  const gone = voter.sent.filter((_, other) => other !== place);
  const unknown = (scene: Scene) => told(scene, { kind: "unknown", detail: "no answer" });
  const told = (scene: Scene, outcome: Extract<Fact, { kind: "write-ended" }>["outcome"]) => {
    const sentAt = voter.state?.storeBusy?.sentAt ?? instant(NOW);
    scene.advance(index, { kind: "write-ended", sentAt, write, outcome }, 0);
  };
  const move = (what: string, price: Price, carryOut: Move["carryOut"], isKept = false): Move => ({
    name: `${name} ${what}`,
    price,
    voter: index,
    place,
    carryOut: (scene) => {
      const kept = voter.sent.map((each, other) => (other === place ? { ...each, isGivenUp: true } : each));
      scene.setVoter(index, { sent: isKept ? kept : gone });
      carryOut(scene);
    },
  });
  if (sent.isGivenUp) return [move("arrives late", "free", (scene) => void scene.write(index, write))];
  return [
    move("reaches the table", "free", (scene) => {
      const isApplied = scene.write(index, write);
      told(scene, { kind: isApplied ? "applied" : "refused", ballot: scene.ballot() });
    }),
    move("is applied, and its answer is lost", "loss", (scene) => {
      scene.write(index, write);
      unknown(scene);
    }),
    move("is lost", "loss", unknown),
    move("is given up and still under way", "delay", unknown, true),
  ];
}

function fatesOfCommand(
  world: World,
  { voter, index, sent, place }: UnderWay,
  { node: id, command, behind }: Extract<Sent, { kind: "command" }>,
): readonly Move[] {
  const name = `${voter.id}'s ${command.kind}${"epoch" in command ? ` of epoch ${command.epoch}` : ""} on ${id}`;
  const node = world.nodes.find((each) => each.id === id) as NodeRecord;
  const isTold = voter.state !== null && sent.generation === voter.generation;
  const tell = (scene: Scene, outcome: NodeOutcome) => {
    if (isTold) scene.advance(index, { kind: "command-ended", node: id, command, outcome, late: sent.isGivenUp }, 0);
  };
  const move = (what: string, price: Price, carryOut: Move["carryOut"], isKept = false): Move => ({
    name: `${name} ${what}`,
    price,
    voter: index,
    place,
    carryOut: (scene) => {
      const kept = voter.sent.map((each, other) => (other === place ? { ...each, isGivenUp: true } : each));
      scene.setVoter(index, { sent: isKept ? kept : kept.filter((_, other) => other !== place) });
      carryOut(scene);
    },
  });
  const unknown = (scene: Scene) => tell(scene, { kind: "unknown", detail: "no answer in time" });
  const isAlive = isConnected(node, command.connection, voter.id);
  const isReached = !voter.cut.includes(id) && !node.isHung;
  const takeEffect = (scene: Scene) => effect(scene, { voter, id, command });
  const arrives = move("takes effect", "free", (scene) => tell(scene, takeEffect(scene)));
  const late = move("is given up and still under way", "delay", unknown, true);
  if (behind > 0 && isAlive) return sent.isGivenUp ? [] : [late];
  if (sent.isGivenUp) return isAlive && !node.isHung ? [{ ...arrives, name: `${name} takes effect late` }] : [];
  if (node.isHung && isAlive) return [move("waits in the hung node", "free", unknown, true)];
  if (!isReached) return [move("has no answer", "free", unknown), ...(isAlive ? [late] : [])];
  if (!isAlive)
    return [
      move("finds its connection closed", "free", (scene) =>
        tell(scene, { kind: "refused", detail: "connection lost", reading: null }),
      ),
      move("has no answer, its connection being closed", "loss", unknown),
    ];
  return [
    arrives,
    move("takes effect, and its answer is lost", "loss", (scene) => {
      takeEffect(scene);
      unknown(scene);
    }),
    move("is lost", "loss", unknown),
    late,
  ];
}

function effect(
  scene: Scene,
  {
    voter,
    id,
    command,
  }: Pick<UnderWay, "voter"> & { id: NodeId; command: Extract<Sent, { kind: "command" }>["command"] },
): NodeOutcome {
  const before = scene.node(id);
  const ref = voter.state === null ? undefined : refsTo(voter.state, id).find((each) => each.id === command.connection);
  const authenticatedAt = ref?.authenticatedAt ?? NOW;
  const done = execute(before, command, { voter: voter.id, authenticatedAt, fresh: scene.freshHistory });
  if (done.isApplied) {
    scene.broken.push(...brokenByCommand({ command, before, nodes: scene.nodes, item: scene.table.item }));
    scene.setNode(done.node);
  }
  return done.outcome;
}

/** What a voter leaves behind that can have no effect any more: commands on closed connections, idle connections. */
export function tidy(scene: Scene, index: number): void {
  const voter = scene.voters[index] as Voter;
  const sent = voter.sent.filter(
    (each) =>
      each.kind !== "command" ||
      !each.isGivenUp ||
      isConnected(scene.node(each.node), each.command.connection, voter.id),
  );
  scene.setVoter(index, {
    sent: sent.map((each) => (each.kind !== "command" ? each : { ...each, behind: before(sent, each) })),
  });
  scene.nodes = withoutIdle(scene.nodes, scene.voters[index] as Voter);
}

const before = (all: readonly Sent[], one: Extract<Sent, { kind: "command" }>): number =>
  all.filter(
    (each) => each.kind === "command" && isOn(each, one.node, one.command.connection) && each.behind < one.behind,
  ).length;
