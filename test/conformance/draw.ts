// Draws sequences. Commands of which all are possible everywhere lead into a world where every node is frozen or ended and
// nothing can differ any more; so the dice lean towards the order in which an operation does things, and bring back what ended.

import { Dice } from "../sim/dice.ts";
import type { Command, Persistence, Sequence, VoterName } from "./command.ts";

const NODES = [0, 1, 2];
const EPOCHS = [5, 6, 7];
const PERSISTENCE: readonly Persistence[] = ["none", "rdb", "aof"];

export function drawSequence(seed: string, length: number): Sequence {
  const dice = new Dice(`conformance ${seed}`);
  const ended = new Set<number>();
  const commands: Command[] = [];
  while (commands.length < length) {
    for (const command of draw(dice, ended)) {
      if (command.kind === "end" || (command.kind === "write-paused" && command.meanwhile === "kill")) {
        ended.add(command.node);
      }
      if (command.kind === "start") ended.delete(command.node);
      commands.push(command);
    }
  }
  return { persistence: dice.pick(PERSISTENCE), commands: commands.slice(0, length) };
}

/** As `pick`, each as often as its weight says. */
const KINDS = (
  Object.entries({
    failover: 3,
    freeze: 3,
    promote: 3,
    repoint: 5,
    settle: 1,
    write: 6,
    "write-and-wait": 2,
    "write-paused": 1,
    "cut-followers": 1,
    end: 2,
    restart: 3,
    start: 2,
  }) as [string, number][]
).flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));

function draw(dice: Dice, ended: ReadonlySet<number>): readonly Command[] {
  const [revenant] = ended;
  if (revenant !== undefined && dice.chance(0.3)) return [start(dice, revenant)];
  const kind = dice.pick(KINDS);
  const node = dice.pick(NODES);
  switch (kind) {
    case "failover":
      return failover(dice, node);
    case "freeze":
      return [{ kind, ...by(dice, node), epoch: dice.pick(EPOCHS) }];
    case "promote": {
      const wrong = dice.pick(["other-token", "other-offset", "other-history"] as const);
      return [{ kind, ...by(dice, node), expected: dice.chance(0.2) ? wrong : "as-seen" }];
    }
    case "repoint":
      return [repoint(dice, node, dice.pick(NODES))];
    case "settle":
      return [{ kind, ...by(dice, node) }];
    case "write-and-wait":
      return [{ kind, node, replicas: dice.chance(0.8) ? 1 : 2 }];
    case "write-paused":
      return [{ kind, node, meanwhile: dice.pick(["nothing", "freeze", "unpause", "kill"] as const) }];
    case "cut-followers":
      return [{ kind, node }];
    case "end":
      return [end(dice, node)];
    case "restart":
      return [end(dice, node), start(dice, node)];
    case "start":
      return [start(dice, revenant ?? node)];
    default:
      return [{ kind: "write", node }];
  }
}

/** An operation as the engine does it, or one that loses its holder half-way. */
function failover(dice: Dice, chosen: number): readonly Command[] {
  const voter = dice.pick<VoterName>(["a", "b"]);
  const epoch = dice.pick(EPOCHS);
  const by = { voter, look: "seen" } as const;
  const whole: readonly Command[] = [
    ...NODES.filter(() => dice.chance(0.8)).map((node): Command => ({ kind: "freeze", ...by, node, epoch })),
    { kind: "promote", ...by, node: chosen, expected: "as-seen" },
    ...NODES.filter((node) => node !== chosen && dice.chance(0.8)).map(
      (node): Command => ({ kind: "repoint", ...by, node, to: chosen, clients: "kept" }),
    ),
    { kind: "write", node: chosen },
  ];
  return dice.chance(0.2) ? whole.slice(0, dice.below(whole.length)) : whole;
}

const by = (dice: Dice, node: number) =>
  ({ voter: dice.pick<VoterName>(["a", "b"]), node, look: dice.chance(0.25) ? "blind" : "seen" }) as const;

const repoint = (dice: Dice, node: number, to: number): Command => ({
  kind: "repoint",
  ...by(dice, node),
  to,
  clients: dice.chance(0.3) ? "dropped" : "kept",
});

const end = (dice: Dice, node: number): Command => ({
  kind: "end",
  node,
  how: dice.chance(0.6) ? "killed" : "shut-down",
});

const start = (dice: Dice, node: number): Command => ({
  kind: "start",
  node,
  data: dice.chance(0.7) ? "kept" : "emptied",
  boot: dice.chance(0.6) ? "fenced" : "plain",
});
