// Every rule of docs/protocol.md, section 13, taken out: in the core where it is core's, in the simulated table, server and
// connections where it is an adapter's, because simulation and exploration have their own (what the shipped adapters lose is
// in adapter-removals.ts). Where a rule has two halves, each is taken out alone.

import { ADAPTER_REMOVALS } from "./adapter-removals.ts";
import type { Removal } from "./removal.ts";

const core = (name: string): string => `lib/core/${name}.ts`;
const VOTER_NODES = "test/sim/voter-nodes.ts";
const EXPLORED_NODE = "test/explore/node.ts";

const FREEZES = `        { kind: "replicaof", address: tokenAddress(command.epoch) },
        { kind: "rewrite" },
`;

export const REMOVALS: readonly Removal[] = [
  {
    rule: "R1",
    what: "nothing is frozen before it is compared, nor has to be when it is promoted",
    places: [
      { file: VOTER_NODES, from: FREEZES, to: "" },
      { file: core("promote"), from: "tokenHost: tokenAddress(epoch).host,", to: "tokenHost: null," },
      {
        file: EXPLORED_NODE,
        from: `        ...node,
        role: "replica",
        follows: tokenAddress(command.epoch),
        isLinked: false,
        frozenBy: command.epoch,
`,
        to: "        ...node,\n        frozenBy: command.epoch,\n",
      },
    ],
  },
  {
    rule: "R2",
    what: "one node is enough under `refuse`",
    places: [
      {
        file: core("candidate"),
        from: "return Math.max(1, Object.keys(ballot.members.nodes).length - config.waitK);",
        to: "return 1;",
      },
    ],
  },
  {
    rule: "R3",
    what: "offsets of different histories are compared",
    places: [
      {
        file: core("candidate"),
        from: "b.history - a.history || b.offset - a.offset;",
        to: "b.offset - a.offset;",
      },
    ],
  },
  {
    rule: "R4",
    what: "a node counts that restarted since it was in sync, or that was synchronizing",
    places: [
      {
        file: core("candidate"),
        from: `  if (before.syncInProgress) return "it was in the middle of a full synchronization";\n`,
        to: "",
      },
      {
        file: core("candidate"),
        from: `  if (member.runId !== reading.runId) return "it restarted since it was last in sync";\n`,
        to: "",
      },
    ],
  },
  {
    rule: "R5",
    what: "the fence does not outlive a restart: neither rewritten at the freeze, nor on the command line",
    places: [
      {
        file: VOTER_NODES,
        from: FREEZES,
        to: `        { kind: "replicaof", address: tokenAddress(command.epoch) },\n`,
      },
      {
        file: "test/sim/valkey.ts",
        from: 'const follows = boot === "fenced" ? BOOT_FENCE : this.#fileReplicaof;',
        to: "const follows = this.#fileReplicaof;",
      },
    ],
  },
  {
    rule: "R6",
    what: "promoted over any connection, without asking there again",
    places: [
      {
        file: core("promote"),
        from: "send(turn, intent.node, () => ({",
        to: "send(turn, intent.node, (connection) => ({",
      },
      { file: core("promote"), from: "connection: frozenOver.id,", to: "connection: connection.id," },
      {
        file: VOTER_NODES,
        from: "const mismatch = whyNotAsExpected(reading, command.expect);",
        to: "const mismatch = null;",
      },
      {
        file: EXPLORED_NODE,
        from: `const mismatch = command.kind === "promote" ? whyNot(before, command) : null;`,
        to: "const mismatch = null;",
      },
    ],
  },
  {
    rule: "R7",
    what: "nodes whose token or data is of a newer epoch are acted on",
    places: [
      {
        file: core("operation"),
        from: `return (tokenOf(reading.follows) ?? 0) > epoch || (belongs.kind !== "unknown" && belongs.epoch > epoch);`,
        to: "return false;",
      },
      { file: core("repair"), from: "    if (token !== null && token > ballot.epoch) return false;\n", to: "" },
      {
        file: core("repair"),
        from: `    if (belongs.kind !== "unknown" && belongs.epoch > primary.epoch) return false;\n`,
        to: "",
      },
    ],
  },
  {
    rule: "R8 order",
    what: "a publication is put over any other",
    places: [
      {
        file: "test/sim/table.ts",
        from: "standing !== undefined && !precedes(standing, publication)",
        to: "standing?.epoch === publication.epoch && standing.revision === publication.revision",
      },
      { file: "test/explore/scene.ts", from: "if (order > 0) {", to: "if (order !== 0) {" },
    ],
  },
  {
    rule: "R8 repair",
    what: "a copy is not repaired",
    places: [
      { file: "lib/runtime/publisher-loop.ts", from: "    if (mayRepair) return COPIES;\n", to: "" },
      {
        file: "test/explore/moves.ts",
        from: "carryOut: (scene) => scene.readToPublish(),",
        to: "carryOut: () => undefined,",
      },
    ],
  },
  {
    rule: "R9 look",
    what: "a command goes over a connection that is younger than the look at the ballot",
    places: [
      {
        file: core("operation"),
        from: "if (known.connection.authenticatedAt <= look.sentAt) return known.connection;",
        to: "return known.connection;",
      },
      { file: core("operation"), from: " || parkable.authenticatedAt > look.sentAt) return;", to: ") return;" },
      {
        file: core("assist"),
        from: "if (node.parkable.authenticatedAt > look.sentAt || (isSameEpoch && known.parkedOn === node.parkable.id)) return;",
        to: "if (isSameEpoch && known.parkedOn === node.parkable.id) return;",
      },
      {
        file: core("assist"),
        from: "if (node.connection.authenticatedAt > look.sentAt) {",
        to: "if (look.sentAt < 0) {",
      },
    ],
  },
  {
    rule: "R9 kill",
    what: "a command leaves the connections of other coordinators open",
    places: [
      {
        file: VOTER_NODES,
        from: "const operations = operationsOf(command);",
        to: `const operations = operationsOf(command).filter(({ kind }) => kind !== "kill-user");`,
      },
      {
        file: EXPLORED_NODE,
        from: "const connections = node.connections.filter((each) => each.id === command.connection && each.voter === voter);",
        to: "const { connections } = node;",
      },
    ],
  },
  {
    rule: "R10",
    what: "a suspicion elects",
    places: [
      { file: core("quorum"), from: `fresh.filter(([, vote]) => vote.level === "down")`, to: "fresh" },
      {
        file: core("writes"),
        from: `      equals([attribute, "level"], "down"),\n      equals([attribute, "node"], ballot.primary.node),`,
        to: `      equals([attribute, "node"], ballot.primary.node),`,
      },
    ],
  },
  {
    rule: "R11 freeze",
    what: "a switchover promotes its target when it has caught up, and freezes nobody",
    places: [
      {
        file: core("switchover"),
        from: `detail: { offset: before.offset } });\n    return void send(turn, old.id, freeze(run.epoch));`,
        to: `detail: { offset: before.offset } });\n    return void writeIntent(turn, target.id, reached, "intended");`,
      },
    ],
  },
  {
    rule: "R11 offset",
    what: "a switchover promotes its target at whatever offset it shows",
    places: [{ file: core("switchover"), from: "    reading.offset === offset &&\n", to: "" }],
  },
  {
    rule: "R12",
    what: "a candidate is promoted without an intent",
    places: [
      {
        file: core("contend"),
        from: `  if (stop.kind === "awaited" || !writeIntent(turn, chosen.node, chosen.after, "intended")) return;\n`,
        to: `  const { runId, replicationId, offset } = chosen.after;
  const meant = { epoch: runOf(turn).epoch, node: chosen.node, runId, replicationId, offset };
  const { promoted, connection } = { connection: null, ...factsOf(runOf(turn), chosen.node).frozen, ...factsOf(runOf(turn), chosen.node) };
  if (promoted !== null) return commitPrimary(turn, meant, promoted);
  promoteFrozen(turn, meant, connection);
`,
      },
    ],
  },
  {
    rule: "R13",
    what: "a restarted process is the primary that it was",
    places: [
      { file: core("observation"), from: `    if (reading.runId !== primary.runId) return "reborn";\n`, to: "" },
    ],
  },
  {
    rule: "R14",
    what: "an invocation leaves whatever is under way",
    places: [
      {
        file: core("view"),
        from: "  const ballot = state.look?.ballot;\n  if (ballot === undefined) return state.unreadable",
        to: "  if (at >= 0) return true;\n  const ballot = state.look?.ballot;\n  if (ballot === undefined) return state.unreadable",
      },
    ],
  },
  {
    rule: "R15",
    what: "a vote is written over a later one",
    places: [
      {
        file: core("writes"),
        from: `vote.level === "suspect" ? all(newer, current, spares) : all(newer, current),`,
        to: `vote.level === "suspect" ? all(current, spares) : current,`,
      },
    ],
  },
  {
    rule: "R16",
    what: "the others silence the primary beside any operation that does not name it",
    places: [
      {
        file: core("assist"),
        from: `if (operation?.kind !== "failover" || intent === null || intent.node === node.id) return false;`,
        to: "if (operation === null || intent?.node === node.id) return false;",
      },
    ],
  },
  {
    rule: "R17",
    what: "the write hold ends the pause when it is no longer needed",
    places: [
      {
        file: core("hold"),
        from: "if (turn.state.hold !== null && !isLost(turn, count)) patch(turn, { hold: null });",
        to: `const held = ballot.primary === null ? undefined : turn.state.nodes[ballot.primary.node];
    if (turn.state.hold !== null && held?.connection != null) {
      const command = { kind: "pause", connection: held.connection.id, durationMs: 0 };
      turn.commands.push({ kind: "command-node", node: held.id, address: held.address, command, deadline: after(turn.at, COMMAND_MS) });
      patch(turn, { hold: null });
    }`,
      },
      {
        file: "test/sim/client-writes.ts",
        from: "Math.max(this.#pausedUntil, queue.now + durationMs);",
        to: "durationMs === 0 ? queue.now : Math.max(this.#pausedUntil, queue.now + durationMs);",
      },
    ],
  },
  {
    rule: "R18 distinct",
    what: "two names of one process are two members",
    places: [{ file: core("upkeep"), from: "  if (isTwin) return member;\n", to: "" }],
  },
  {
    rule: "R18 grows",
    what: "a replica that nobody declared is no member",
    places: [
      {
        file: core("upkeep"),
        from: "  for (const [id, address] of discovered(turn, serving)) {",
        to: "  for (const [id, address] of []) {",
      },
    ],
  },
  {
    rule: "R19",
    what: "a group begins at epoch 1 whatever stands",
    places: [
      { file: core("beginning"), from: "return Math.max(standing, ...tokens) as Epoch;", to: "return 0 as Epoch;" },
    ],
  },
  {
    rule: "R20",
    what: "no budget, and no rest between attempts",
    places: [{ file: core("decision"), from: "  return whyNotBudget(turn, ballot);", to: "  return null;" }],
  },
  {
    rule: "R21",
    what: "rolled back although an intent is open",
    places: [
      {
        file: core("lineage"),
        from: `  if (operation === null || operation.step === "committed") return [];\n`,
        to: "  if (operation !== undefined) return [];\n",
      },
    ],
  },
  {
    rule: "R22",
    what: "a primary that no record explains is treated like one that the record explains",
    places: [
      {
        file: core("operation"),
        from: `return belonging(node.reading, lineage).kind === "unknown" && !isBackByItself(turn, ballotOf(turn), node);`,
        to: "return false;",
      },
      {
        file: core("repair"),
        from: `return belongs.kind === "unknown" || (primary !== null && belongs.epoch >= primary.epoch);`,
        to: "return false;",
      },
      {
        file: core("repair"),
        from: `return (belongs.kind !== "unknown" && belongs.epoch < primary.epoch) || isBackByItself(turn, ballot, node);`,
        to: "return true;",
      },
    ],
  },
  {
    rule: "R23 weaken",
    what: "a successor weakens what its predecessor saw",
    places: [
      {
        file: core("writes"),
        from: `vote.level === "suspect" ? all(newer, current, spares) : all(newer, current),`,
        to: "all(newer, current),",
      },
      {
        file: core("voting"),
        from: `  if (verdict.level === "suspect" && stands !== "clear" && !isOwn && (stands === "down" || isAffirmed(turn))) return;\n`,
        to: "",
      },
    ],
  },
  {
    rule: "R23 retract",
    what: "a successor retracts what its predecessor saw, without having heard the primary",
    places: [{ file: core("voting"), from: "(isOwn || primaryServes(turn.state))", to: "(turn.at >= 0)" }],
  },
  {
    rule: "R24",
    what: "a node found promoted is committed without a transaction of this epoch",
    places: [
      {
        file: core("contend"),
        from: "const { settled } = factsOf(runOf(turn), node.id);\n  if (settled !== null && settled.role",
        to: "const settled = node.reading;\n  if (settled !== null && settled.role",
      },
    ],
  },
  {
    rule: "R25 match",
    what: "an intent explains whatever was promoted out of its history",
    places: [
      { file: core("lineage"), from: "    reading.runId === intent.runId &&\n", to: "" },
      {
        file: core("lineage"),
        from: " &&\n    reading.secondReplicationOffset === intent.offset + 1\n",
        to: "\n",
      },
    ],
  },
  {
    rule: "R25 hold",
    what: "data of a history that no record explains is passed over",
    places: [
      {
        file: core("candidate"),
        from: `    reading.keyCount > 0 && placed(reading, options).kind === "unknown";`,
        to: "    false;",
      },
    ],
  },
  {
    rule: "quorum",
    what: "one voter's verdict is enough",
    places: [
      { file: core("decision"), from: "const missing = config.quorum - count.down.length;", to: "const missing = 0;" },
    ],
  },
  {
    rule: "best",
    what: "the one with the least data is the best",
    places: [
      {
        file: core("candidate"),
        from: "b.history - a.history || b.offset - a.offset;",
        to: "b.history - a.history || a.offset - b.offset;",
      },
    ],
  },
  {
    rule: "take-over",
    what: "a lapsed lease is nobody's business",
    places: [
      {
        file: core("decision"),
        from: "  if (!mayWrite(turn)) return null;\n  const { self, config } = turn.context;\n  write(turn, takeOver",
        to: "  if (turn.at > 0) return null;\n  const { self, config } = turn.context;\n  write(turn, takeOver",
      },
    ],
  },
  {
    rule: "assisted fence",
    what: "nobody but the holder silences an old primary",
    places: [
      {
        file: core("assist"),
        from: "  if (look === null || look.ballot.table !== turn.context.self.table) return;\n",
        to: "  if (turn.at >= 0 || look === null) return;\n",
      },
    ],
  },
  {
    rule: "parked fence",
    what: "no freeze waits on a primary that hangs",
    places: [
      {
        file: core("operation"),
        from: "  if (known?.parkable == null || look === null) return;\n",
        to: "  if (turn.at >= 0 || known?.parkable == null || look === null) return;\n",
      },
      {
        file: core("assist"),
        from: "  if (node.parkable !== null) {\n",
        to: "  if (node.parkable !== null && turn.at < 0) {\n",
      },
    ],
  },
  {
    rule: "write hold",
    what: "an isolated primary's writes are not held",
    places: [
      {
        file: core("hold"),
        from: "  const node = isWanted(turn, ballot) ? primaryNodeOf(turn.state, ballot) : undefined;",
        to: "  const node = turn.at < 0 && isWanted(turn, ballot) ? primaryNodeOf(turn.state, ballot) : undefined;",
      },
    ],
  },
  {
    rule: "witness",
    what: "a replica that still receives from the primary does not speak for it",
    places: [
      {
        file: core("verdict"),
        from: "  const veto = witnessOf(turn, node);",
        to: "  const veto = turn.at < 0 ? witnessOf(turn, node) : null;",
      },
    ],
  },
  {
    rule: "abstention",
    what: "who reaches no other node votes all the same",
    places: [
      {
        file: core("verdict"),
        from: `  if (isCutOff(turn, node)) return { level: "up", cause, silentMs, withheld: cutOff(turn) };\n`,
        to: `  if (turn.at < 0) return { level: "up", cause, silentMs, withheld: cutOff(turn) };\n`,
      },
    ],
  },
  {
    rule: "second witness",
    what: "the fast path takes a refusal for the end without a replica that has lost its link",
    places: [
      {
        file: core("verdict"),
        from: '  return nodesOf(turn.state).some(\n    (each) =>\n      each.heard === "answered" &&\n      each.readSentAt !== null &&\n      each.readSentAt >= firstRefusedAt &&',
        to: '  return nodesOf(turn.state).some(\n    (each) =>\n      turn.at >= 0 ||\n      each.heard === "answered" &&\n      each.readSentAt !== null &&\n      each.readSentAt >= firstRefusedAt &&',
      },
    ],
  },
  {
    rule: "same lease",
    what: "a holder's write is taken whichever version of its lease it was made for",
    places: [
      {
        file: core("holder-writes"),
        from: "    sameLease(ballot),\n  );",
        to: "  );",
      },
    ],
  },
];

export function removalOf(rule: string): Removal {
  const found = [...REMOVALS, ...ADAPTER_REMOVALS].find((each) => each.rule === rule);
  if (found === undefined)
    throw new RangeError(`no rule ${rule} to take out: ${REMOVALS.map((each) => each.rule).join(", ")}`);
  return found;
}
