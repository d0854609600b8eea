// How does a group come under care? Adopting: exactly one primary serves, everybody reachable follows it and no Sentinel
// watches; it becomes ours without a change on any node, at an epoch above everything that was ever published or written
// on a node (R19). Initialising: all nodes answer, boot-fenced and empty, and one of them becomes the first primary.
// Anything else is refused with what was seen, and a person decides (`groups recover`).

import type { Ballot, Member } from "./ballot.ts";
import { emptyBallot } from "./ballot.ts";
import { followIntent } from "./contend.ts";
import { modeAt } from "./control.ts";
import type { CoreEvent } from "./events.ts";
import { standingIntent } from "./lineage.ts";
import { answersNow } from "./observation.ts";
import { ballotOf, isBarred, runOf } from "./operation.ts";
import { abandon, writeIntent } from "./operation-record.ts";
import { named, type Rejection } from "./rejection.ts";
import { byName, type NodeState } from "./state.ts";
import { isBootFenced, tokenOf } from "./token.ts";
import type { Turn } from "./turn.ts";
import { eventOf, isDueIn, mayUseStore, mayWrite, newAttempt, nodesOf, patch, write } from "./turn.ts";
import type { AttemptId, Epoch, NodeId, ReplicationId, WallTime } from "./types.ts";
import { misconfigured } from "./verdict.ts";
import { adopt, create, grant } from "./writes.ts";

/** How long one round of probes may take before a node that said nothing counts as unreachable. */
const FIRST_ROUND_MS = 1_500;
/** SSM and Route 53 are an account's: what could not be read is not asked for in a busy loop. */
const ASK_AGAIN_MS = 1_000;
/** Parameters that are another deployment's are looked at again this often. */
const OWNER_AGAIN_MS = 5_000;

/** Creates the first ballot of the group, for this table. */
export function createBallot(turn: Turn): void {
  if (!mayUseStore(turn) || turn.state.unresolved !== null) return;
  const { config, self } = turn.context;
  const attempt = newAttempt(turn);
  const control = {
    mode: config.mode,
    by: "configuration",
    reason: "as declared",
    until: null,
    attempt: "declared" as AttemptId,
  } as const;
  const mode = config.mode === "paused" ? { ...control, until: Number.MAX_SAFE_INTEGER as WallTime } : control;
  write(turn, create(emptyBallot({ group: config.name, table: self.table, control: mode, attempt })));
}

/** Adopts or initialises; otherwise the reason why not. */
export function begin(turn: Turn, ballot: Ballot): Rejection | null {
  const mode = modeAt(ballot, turn.wall);
  if (mode === "observe") return refused("not-adopted", "the group is only observed", "mode act is set", null);
  if (mode !== "act") return refused("not-adopted", `the group is ${mode}`, "resume", null);
  const nodes = nodesOf(turn.state);
  const isEarly = nodes.some((node) => node.heard === null) || !isDueIn(turn, turn.state.startedAt, 0);
  const someSilent = nodes.some((node) => !answersNow(turn, node));
  if (isEarly || (someSilent && !isDueIn(turn, turn.state.startedAt, FIRST_ROUND_MS))) {
    return refused("not-adopted", "the nodes are being looked at for the first time", "all have answered once", null);
  }
  const answering = nodes.filter((node) => answersNow(turn, node));
  const primaries = answering.filter((node) => node.reading?.role === "primary");
  const standing = standingEpoch(turn);
  if (standing === null) {
    return refused("not-adopted", "the epoch of earlier publications is being read", "it was read", null);
  }
  const owner = foreignOwner(turn);
  if (owner !== null) {
    return refused(
      "adoption-refused",
      `the parameters of ${turn.context.config.name} were published from another table, ${owner}`,
      "they are deleted, once that deployment no longer looks after the group",
      "valkeeper groups remove there and delete the parameters, or valkeeper groups recover here",
    );
  }
  const [only, ...more] = primaries;
  if (only !== undefined && more.length === 0) return adoptOnly(turn, ballot, { primary: only, answering, standing });
  if (more.length > 0) {
    return refused(
      "adoption-refused",
      `${names(primaries)} claim to be primary`,
      "one is made a replica of the other, or a person decides",
      "valkeeper groups recover",
    );
  }
  return initialiseAll(turn, ballot, answering, standing);
}

interface Adoption {
  readonly primary: NodeState;
  readonly answering: readonly NodeState[];
  /** The highest epoch that was ever published. */
  readonly standing: Epoch;
}

function adoptOnly(turn: Turn, ballot: Ballot, adoption: Adoption): Rejection | null {
  const { primary, answering, standing } = adoption;
  if (primary.reading === null) return null;
  const { runId, replicationId, offset } = primary.reading;
  const strays = answering.filter((node) => node.id !== primary.id && !isFollower(node, replicationId));
  if (strays.length > 0) {
    return refused(
      "adoption-refused",
      named(idsOf(strays), `does not follow ${primary.id}`, `do not follow ${primary.id}`),
      "every reachable node follows the one primary",
      "REPLICAOF on those nodes, or valkeeper groups recover",
    );
  }
  const watched = answering.filter((node) => node.settings?.watchedBySentinel === true);
  if (watched.length > 0) {
    return refused(
      "adoption-refused",
      `a Sentinel still watches ${names(watched)}`,
      "every Sentinel has removed the group (SENTINEL REMOVE)",
      "sentinel-*-cmd in CLIENT LIST",
    );
  }
  const unseen = answering.filter((node) => node.settings === null);
  if (unseen.length > 0) {
    return refused(
      "adoption-refused",
      `whether a Sentinel watches ${names(unseen)} cannot be seen`,
      "CLIENT LIST and CONFIG GET are answered",
      "the coordinator's ACL",
    );
  }
  if (!mayWrite(turn)) return null;
  // Also above its own: a person's order may have been given up before there was a primary (S2).
  const epoch = (Math.max(ballot.epoch, highestToken(turn, standing)) + 1) as Epoch;
  const members = membersOf(turn, { id: primary.id, runId, inSyncEpoch: epoch });
  write(
    turn,
    adopt({
      ballot,
      attempt: newAttempt(turn),
      primary: { node: primary.id, epoch, runId, replicationId },
      members,
      forkOffset: offset,
    }),
    [eventOf(turn, "group.adopted", { node: primary.id, epoch, detail: adoptedDetail(turn, answering) })],
  );
  return null;
}

/** A node that does not answer may be down, or declared at an address where nobody ever will. */
function adoptedDetail(turn: Turn, answering: readonly NodeState[]): CoreEvent["detail"] {
  const silent = nodesOf(turn.state).filter((node) => !answering.includes(node));
  const unanswered = silent.map(({ id, address }) => `${id} (${address.host}:${address.port})`).join(", ");
  return { nodes: answering.length, ...(unanswered === "" ? {} : { unanswered }) };
}

/** It shares the primary's history and has its link up: the address it uses may be another name of the same node. */
const isFollower = ({ reading }: NodeState, replicationId: ReplicationId): boolean =>
  reading?.role === "replica" && reading.linkUp && reading.replicationId === replicationId;

/** The highest epoch that was ever published; null after asking for it, which is done again some time after no answer. */
export function standingEpoch(turn: Turn): Epoch | null {
  const { standingEpoch: known, standingAskedAt: askedAt } = turn.state;
  if (known === "asked") return null;
  if (known !== null && (foreignOwner(turn) === null || !isDueIn(turn, askedAt ?? turn.at, OWNER_AGAIN_MS)))
    return known;
  if (askedAt !== null && !isDueIn(turn, askedAt, ASK_AGAIN_MS)) return null;
  patch(turn, { standingEpoch: "asked", standingAskedAt: turn.at });
  turn.commands.push({ kind: "read-standing" });
  return null;
}

/** Another table's deployment, live or gone, that publishes under this name. Which of the two it is only a person knows. */
function foreignOwner(turn: Turn): string | null {
  const { standingTable } = turn.state;
  return standingTable === turn.context.self.table ? null : standingTable;
}

/** The highest epoch that stands on a node or was given. */
export function highestToken(turn: Turn, standing: Epoch): Epoch {
  const tokens = nodesOf(turn.state).flatMap(({ reading }) =>
    reading === null || isBootFenced(reading) ? [] : [tokenOf(reading.follows) ?? 0],
  );
  return Math.max(standing, ...tokens) as Epoch;
}

/** Every declared node; of the primary alone is known which process it is and that it is in sync. */
function membersOf(
  turn: Turn,
  { id, runId, inSyncEpoch }: Pick<Member, "runId" | "inSyncEpoch"> & { id: NodeId },
): Record<NodeId, Member> {
  const others = { runId: null, inSyncEpoch: 0 as Epoch };
  const members = turn.context.config.nodes.map((node): [NodeId, Member] => [
    node.id,
    { ...(node.id === id ? { runId, inSyncEpoch } : others), address: null, goneAt: null },
  ]);
  return Object.fromEntries(members);
}

function initialiseAll(turn: Turn, ballot: Ballot, answering: readonly NodeState[], standing: Epoch): Rejection | null {
  const { config, self } = turn.context;
  const missing = config.nodes.filter((node) => !answering.some((each) => each.id === node.id));
  // It answers, and not to us: what to correct says more than that no primary is seen.
  const barring = nodesOf(turn.state).find((node) => node.class === "misconfigured");
  if (barring !== undefined) return misconfigured(barring);
  if (missing.length > 0) {
    return refused(
      "adoption-refused",
      `no primary serves, and ${named(
        missing.map((node) => node.id),
        "does not answer",
        "do not answer",
      )}`,
      "every node answers, or a primary serves",
      null,
    );
  }
  const foreign = answering.filter((node) => !isBlank(node));
  if (foreign.length > 0) {
    return refused(
      "adoption-refused",
      `no primary serves, and ${named(idsOf(foreign), "holds data or follows", "hold data or follow")} somebody`,
      "a person names the node whose data counts",
      "valkeeper groups recover",
    );
  }
  if (!mayWrite(turn)) return null;
  const operation = {
    kind: "initialise",
    step: "begun",
    began: 0 as Epoch,
    target: null,
    by: "automatic",
    reason: "new group of empty nodes",
    request: null,
    insists: false,
  } as const;
  write(
    turn,
    grant({
      ballot,
      writer: self,
      attempt: newAttempt(turn),
      leaseMs: config.leaseMs,
      operation,
      counted: [],
      budget: null,
      above: highestToken(turn, standing),
      table: self.table,
    }),
  );
  return null;
}

const isBlank = ({ reading }: NodeState): boolean =>
  reading !== null && isBootFenced(reading) && reading.keyCount === 0;

/** One step of initialising, under the lease: the declared primary, or the best by priority, becomes the first. */
export function initialise(turn: Turn): void {
  const intent = standingIntent(ballotOf(turn));
  if (intent !== null) {
    if (followIntent(turn, intent)) return;
    const meant = turn.state.nodes[intent.node];
    if (meant?.reading == null || !answersNow(turn, meant) || !isBlank(meant) || isBarred(runOf(turn), meant.id))
      return abandon(turn, `${intent.node} does not answer as a new node`);
    // A predecessor meant it and did not come to it: meant anew, and no other, because what that one sent may still arrive.
    return void writeIntent(turn, meant.id, meant.reading, "intended");
  }
  const { config } = turn.context;
  const declared = config.primary;
  const rank = (node: NodeState) =>
    [Number(node.id !== declared), config.nodes.find((each) => each.id === node.id)?.priority ?? 100] as const;
  const able = nodesOf(turn.state).filter((node) => answersNow(turn, node) && isBlank(node) && rank(node)[1] !== 0);
  const first = able.toSorted((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1] || byName(a, b))[0];
  if (first?.reading == null) return abandon(turn, "no node is left that may be the first primary");
  writeIntent(turn, first.id, first.reading, "intended");
}

const idsOf = (nodes: readonly NodeState[]): readonly NodeId[] => nodes.map((node) => node.id);
const names = (nodes: readonly NodeState[]): string => idsOf(nodes).join(", ");

const refused = (reason: Rejection["reason"], detail: string, ends: string, check: string | null): Rejection => ({
  reason,
  detail,
  ends,
  check,
});
