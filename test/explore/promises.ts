// What must hold, said once more without core: of an item as plain JSON, of nodes as records. Each function looks at one
// thing that takes effect and names what it breaks. promises.test.ts has a made-up world for each.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { BallotWrite, Item, Json } from "../../lib/core/ballot-write.ts";
import type { GroupConfig } from "../../lib/core/config.ts";
import type { NodeCommand, NodeId, VoterId } from "../../lib/core/types.ts";
import type { NodeRecord, Published, Table, World } from "./world.ts";

type Plain = Readonly<Record<string, Json | undefined>>;

const plain = (value: Json | undefined): Plain => (value ?? {}) as Plain;
const numberAt = (item: Item, ...path: readonly string[]): number => {
  let value: Json | undefined = item as Json;
  for (const key of path) value = plain(value)[key];
  return typeof value === "number" ? value : 0;
};

/** A write of the table that took effect. */
export interface Written {
  readonly name: string;
  readonly voter: VoterId;
  readonly before: Table;
  readonly after: Item;
  readonly nodes: readonly NodeRecord[];
}

const QUORUM = 2;

export function brokenByWrite(written: Written): string[] {
  const { name, before, after, nodes } = written;
  const broken: string[] = name === "cast-vote" ? brokenByVote(written) : [];
  const primary = plain(after["primary"]);
  const [epoch, of] = [numberAt(after, "epoch"), numberAt(after, "primary", "epoch")];
  const earlier = before.primaries[`${of}`];
  if (earlier !== undefined && earlier !== primary["node"])
    broken.push(`S1: epoch ${of} has the primaries ${earlier} and ${primary["node"]}`);
  if (epoch < numberAt(before.item, "epoch"))
    broken.push(`S2: the epoch ${numberAt(before.item, "epoch")} became ${epoch}`);
  if (of < numberAt(before.item, "primary", "epoch")) broken.push(`S2: the primary's epoch fell to ${of}`);
  const operation = plain(after["operation"]);
  const isAutomatic = operation["by"] === "automatic" && operation["kind"] !== "repair";
  if (name === "grant" && isAutomatic && votesAgainst(before.item) < QUORUM)
    broken.push(`S3: ${operation["kind"]} of epoch ${epoch} began with ${votesAgainst(before.item)} votes`);
  const { mode } = plain(before.item["control"]);
  const isContinued =
    operation["began"] !== undefined && operation["began"] === plain(before.item["operation"])["began"];
  if (epoch > numberAt(before.item, "epoch") && !isContinued && mode !== "act")
    broken.push(`S8: ${name} of ${operation["kind"] ?? "nothing"} under epoch ${epoch} while ${mode}`);
  const isDecided = name === "commit" || name === "record-restored";
  const node = nodes.find((each) => each.id === primary["node"]);
  if (isDecided && operation["kind"] !== "repair" && node !== undefined && node.touchedBy !== epoch)
    broken.push(`R24: ${name} of ${node.id} under ${epoch}, and epoch ${node.touchedBy} was the last to reach it`);
  // Another process than the one that is committed: it is not made primary of anything.
  const isCommitted = isDecided && node !== undefined && node.runId === primary["runId"];
  if (isCommitted && operation["insists"] !== true) broken.push(...lost(node, before));
  return broken;
}

/** S9: what a client was told to be safe, and the next primary does not have. */
const lost = (node: NodeRecord, { acknowledged }: Table): string[] =>
  acknowledged
    .filter((log) => !node.log.startsWith(log))
    .map((log) => `S9: ${node.id} with "${node.log}" is made primary, and "${log}" was acknowledged`);

/** One voter is one vote, and what it has said last counts. */
function brokenByVote({ voter, before, after }: Written): string[] {
  const [old, next] = [before.item, after].map((item) => plain(item[`vote_${voter}`])) as [Plain, Plain];
  const order = ({ generation, seq }: Plain): number => Number(generation ?? 0) * 1e6 + Number(seq ?? 0);
  const broken: string[] = [];
  if (order(next) <= order(old)) broken.push(`S7: a vote of ${voter} replaced a newer one`);
  const isOnSame = old["node"] === next["node"] && old["epoch"] === next["epoch"];
  if (isOnSame && old["level"] === "down" && next["level"] === "suspect")
    broken.push(`R23: ${voter} weakened a vote from down to suspect`);
  return broken;
}

function votesAgainst(item: Item): number {
  const primary = plain(item["primary"]);
  return Object.entries(item).filter(([name, value]) => {
    const vote = plain(value);
    const isOnIt = vote["node"] === primary["node"] && vote["epoch"] === primary["epoch"];
    return name.startsWith("vote_") && vote["level"] === "down" && isOnIt;
  }).length;
}

/** A command that a voter sends. */
export interface Sending {
  readonly voter: VoterId;
  readonly command: NodeCommand;
  readonly table: Table;
  /** The record as the voter was last shown it. */
  readonly shown: Pick<Ballot, "control" | "operation" | "lease"> | null;
}

export function brokenBySending({ voter, command, table, shown }: Sending): string[] {
  const broken: string[] = [];
  const mode = shown?.control.mode ?? "act";
  // What was begun before is finished by its holder, and by whoever fences for it.
  const belongs = shown?.operation != null && (command.kind === "freeze" || shown.lease?.holder === voter);
  if (mode !== "act" && !belongs) broken.push(`S8: ${voter} sends ${command.kind} and knows that the group is ${mode}`);
  if (!("epoch" in command)) return broken;
  const granted = table.granted[`${command.epoch}`];
  const what = `S10: ${voter} sends ${command.kind} of epoch ${command.epoch}`;
  if (granted === undefined) return [...broken, `${what}, which nobody was granted`];
  // The others may only silence.
  if (granted !== voter && command.kind !== "freeze") return [...broken, `${what}, which ${granted} was granted`];
  return broken;
}

/** A command that took effect on `before`, which was one of `nodes`. */
export interface Effected {
  readonly command: NodeCommand;
  readonly before: NodeRecord;
  readonly nodes: readonly NodeRecord[];
  readonly item: Item;
}

export function brokenByCommand(effect: Effected): string[] {
  const { command, before, item } = effect;
  if (!("epoch" in command)) return [];
  const { epoch, kind } = command;
  const broken: string[] = [];
  if (epoch < before.touchedBy)
    broken.push(`S4: ${kind} of epoch ${epoch} took effect on ${before.id} behind one of ${before.touchedBy}`);
  const primary = plain(item["primary"]);
  const isQuiet = item["operation"] === undefined;
  if (
    kind === "freeze" &&
    isQuiet &&
    primary["node"] === before.id &&
    primary["runId"] === before.runId &&
    before.role === "primary"
  )
    broken.push(`S5: the committed primary ${before.id} was silenced by epoch ${epoch} although no operation stands`);
  if (kind !== "promote") return broken;
  const intents = (plain(item["lineage"])["intents"] ?? []) as readonly Plain[];
  const isMeant = intents.some(
    (each) => each["node"] === before.id && each["epoch"] === epoch && each["runId"] === before.runId,
  );
  if (!isMeant) broken.push(`R12: ${before.id} was promoted by epoch ${epoch} without an intent`);
  return [...broken, ...ahead(before, epoch, item), ...incomplete(before, effect)];
}

/** S6: a promotion that comes when a later epoch has decided makes no newer history than that of the primary. */
function ahead({ id }: NodeRecord, epoch: number, item: Item): string[] {
  const primary = plain(item["primary"]);
  if (primary["node"] === id || epoch >= Number(primary["epoch"])) return [];
  const history = rankOf(primary["replicationId"], item);
  if (history === null || history >= epoch) return [];
  return [
    `S6: ${id} was promoted by epoch ${epoch} behind the decision of epoch ${primary["epoch"]} for an older history`,
  ];
}

/** R11: who hands over loses nothing. */
function incomplete(chosen: NodeRecord, { nodes, item }: Effected): string[] {
  const primary = plain(item["primary"]);
  const old = nodes.find((each) => each.id === primary["node"] && each.runId === primary["runId"]);
  if (plain(item["operation"])["kind"] !== "switchover" || old === undefined || old.id === chosen.id) return [];
  if (chosen.log.startsWith(old.log)) return [];
  return [`R11: ${chosen.id} with "${chosen.log}" took over by a switchover from ${old.id} with "${old.log}"`];
}

/** The epoch that began a history, by what the record says of it; null: it says nothing. */
function rankOf(replicationId: Json | undefined, item: Item): number | null {
  const histories = (plain(item["lineage"])["histories"] ?? []) as readonly Plain[];
  const known = histories.find((each) => each["replicationId"] === replicationId);
  return known === undefined ? null : Number(known["epoch"]);
}

/** An intent that a holder sends to the table, and whom it knows to be frozen. */
export interface Intended {
  readonly write: BallotWrite;
  readonly frozen: readonly NodeId[];
  readonly nodes: readonly NodeRecord[];
  readonly item: Item;
}

/** S6: the best of the processes that its epoch has frozen and that are known members, by history and then by what they hold. */
export function brokenByIntending({ write, frozen, nodes, item }: Intended): string[] {
  const lineage = plain(write.changes.find(({ path }) => path.join() === "lineage")?.value ?? undefined);
  const meant = ((lineage["intents"] ?? []) as readonly Plain[]).at(-1);
  const { kind } = plain(item["operation"]);
  if (write.name !== "record-intent" || meant === undefined || kind === "recover") return [];
  const primary = plain(item["primary"]);
  const members = plain(plain(item["members"])["nodes"]);
  const isEligible = (each: NodeRecord): boolean =>
    plain(members[each.id])["runId"] === each.runId &&
    (each.id === primary["node"] || plain(members[each.id])["inSyncEpoch"] === primary["epoch"]);
  const isFrozen = (each: NodeRecord): boolean =>
    each.isUp && each.frozenBy === meant["epoch"] && frozen.includes(each.id);
  const chosen = nodes.find((each) => each.id === meant["node"] && each.runId === meant["runId"] && isFrozen(each));
  // The way back is to the committed primary, whatever others have.
  if (chosen === undefined || chosen.id === primary["node"]) return [];
  return nodes
    .filter((each) => isFrozen(each) && isEligible(each) && hasMore(each, chosen, item))
    .map((each) => `S6: ${chosen.id} was meant although ${each.id}, frozen as well, has more`);
}

function hasMore(one: NodeRecord, other: NodeRecord, item: Item): boolean {
  if (one.replicationId === other.replicationId) return one.log.length > other.log.length;
  const [rank, than] = [historyOf(one, item), historyOf(other, item)];
  return rank !== null && than !== null && rank > than;
}

/** The epoch that began the node's history, by the record or by the intent that it was promoted with. */
function historyOf(node: NodeRecord, item: Item): number | null {
  const intents = (plain(item["lineage"])["intents"] ?? []) as readonly Plain[];
  const intent = intents.find(
    (each) =>
      each["node"] === node.id &&
      each["runId"] === node.runId &&
      each["replicationId"] === node.second?.id &&
      Number(each["offset"]) + 1 === node.second?.offset,
  );
  return rankOf(node.replicationId, item) ?? (intent === undefined ? null : Number(intent["epoch"]));
}

/** S1, S2: a publication, however old, is of a commit that was made, and runs ahead of no record. */
export function brokenByPublishing({ primaries, item }: Table, next: Published): string[] {
  const committed = primaries[`${next.epoch}`];
  if (next.node !== committed)
    return [`S1: ${next.node} was published for epoch ${next.epoch}, whose primary is ${committed ?? "nobody"}`];
  const revision = numberAt(item, "revision");
  if (next.epoch === numberAt(item, "primary", "epoch") && next.revision > revision)
    return [`S2: ${spelt(next)} was published, and the record has come to ${revision}`];
  return [];
}

/** S2: what takes the place of what is published is newer, and of a commit that was made. */
export function brokenByPutting(table: Table, next: Published): string[] {
  const broken = brokenByPublishing(table, next);
  const { published } = table;
  if (published === null) return broken;
  const isNewer =
    next.epoch > published.epoch || (next.epoch === published.epoch && next.revision > published.revision);
  return isNewer ? broken : [...broken, `S2: ${spelt(next)} was published over ${spelt(published)}`];
}

const spelt = ({ epoch, revision, node }: Published): string => `${node} of epoch ${epoch}, revision ${revision}`;

/** One healthy published primary that everybody who is up follows, and no lease. */
export function isHealthy({ nodes, table }: World): boolean {
  const { item } = table;
  if (item["lease"] !== undefined || item["operation"] !== undefined) return false;
  if (table.request !== null && table.request.result === null) return false;
  const id = plain(item["primary"])["node"];
  const primary = nodes.find((each) => each.id === id);
  if (primary === undefined || !primary.isUp || primary.isHung || primary.role !== "primary") return false;
  if (!isPublished(table)) return false;
  return nodes.every((each) => each === primary || !each.isUp || (each.role === "replica" && each.isLinked));
}

/** Followers are told exactly what the record says. */
const isPublished = ({ item, published }: Table): boolean =>
  published !== null &&
  published.node === plain(item["primary"])["node"] &&
  published.epoch === numberAt(item, "primary", "epoch") &&
  published.revision === numberAt(item, "revision");

/** What a group that rests unhealthy is judged by. */
export type RestingConfig = Pick<GroupConfig, "onPossibleLoss" | "waitK" | "coldStart">;

/**
 * A state that does not find back to health although nothing goes wrong any more: S12 wants every living voter to say why, by a
 * reason that only a person ends, or a node that is down, and that is true. `published` nodes that still serve beside the
 * primary break S5, whatever is said.
 */
export function brokenByResting(world: World, config: RestingConfig): string[] {
  const { nodes, table, voters } = world;
  const once = new Set<Json | undefined>(Object.values(table.primaries) as NodeId[]);
  const serving = nodes.filter((each) => each.isUp && !each.isHung && each.role === "primary" && once.has(each.id));
  if (serving.length > 1) return [`S5: ${serving.map((each) => each.id).join(" and ")} go on serving side by side`];
  if (!isPublished(table)) {
    const said = table.published === null ? "nothing" : spelt(table.published);
    return [`L1: ${said} is published, and the record says otherwise`];
  }
  const said = voters.flatMap(({ id, state }) =>
    state === null ? [] : [{ id, reason: state.rejection?.rejection.reason ?? "no reason" }],
  );
  const wrong = said.filter(({ reason }) => !isExcuse(reason, world, config));
  if (wrong.length === 0) return [];
  const words = wrong.map(({ id, reason }) => `${id} gives ${reason}`).join(", ");
  return [`S11, S12: no way back to health, and ${words}`];
}

function isExcuse(reason: string, { nodes, table: { item } }: World, config: RestingConfig): boolean {
  const primary = plain(item["primary"]);
  const own = nodes.find((each) => each.id === primary["node"]);
  const isServed = own?.isUp === true && !own.isHung && own.runId === primary["runId"] && own.role === "primary";
  const isWhole = nodes.every((each) => each.isUp && !each.isHung);
  const isUnknown = (each: NodeRecord): boolean => historyOf(each, item) === null;
  switch (reason) {
    case "paused":
      return plain(item["control"])["mode"] === "paused";
    case "too-few-nodes":
    case "possible-loss-refused":
      return !isWhole;
    case "cold-start-waiting":
      return !isServed && isWhole && config.coldStart === "wait" && countedIn(nodes, item) < neededIn(item, config);
    case "unknown-history":
      return !isServed && isWhole && nodes.some((each) => each.log !== "" && isUnknown(each));
    default:
      return false;
  }
}

/** R4, by the record: the process that was in sync, beside the primary's node. */
const countedIn = (nodes: readonly NodeRecord[], item: Item): number =>
  nodes.filter((each) => {
    const member = plain(plain(plain(item["members"])["nodes"])[each.id]);
    const isSame = member["runId"] === each.runId && Number(member["inSyncEpoch"] ?? 0) > 0;
    return isSame && each.id !== plain(item["primary"])["node"] && historyOf(each, item) !== null;
  }).length;

const neededIn = (item: Item, { onPossibleLoss, waitK }: RestingConfig): number =>
  onPossibleLoss === "promote" ? 1 : Math.max(1, Object.keys(plain(plain(item["members"])["nodes"])).length - waitK);
