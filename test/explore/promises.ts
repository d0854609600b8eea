// What must hold, said once more without core: of an item as plain JSON, of nodes as records. Each function looks at one
// thing that takes effect and names what it breaks. promises.test.ts has a made-up world for each.

import type { Item, Json } from "../../lib/core/ballot-write.ts";
import type { NodeCommand, NodeId, VoterId } from "../../lib/core/types.ts";
import type { NodeRecord, Table, World } from "./world.ts";

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

export function brokenByWrite({ name, before, after, nodes }: Written): string[] {
  const broken: string[] = [];
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
  const isDecided = name === "commit" || name === "record-restored";
  const node = nodes.find((each) => each.id === primary["node"]);
  if (isDecided && operation["kind"] !== "repair" && node !== undefined && node.touchedBy !== epoch)
    broken.push(`R24: ${name} of ${node.id} under ${epoch}, and epoch ${node.touchedBy} was the last to reach it`);
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
export function brokenBySending(voter: VoterId, command: NodeCommand, table: Table): string[] {
  if (!("epoch" in command)) return [];
  const granted = table.granted[`${command.epoch}`];
  if (granted === undefined)
    return [`S10: ${voter} sends ${command.kind} of epoch ${command.epoch}, which nobody was granted`];
  // The others may only silence.
  if (granted !== voter && command.kind !== "freeze")
    return [`S10: ${voter} sends ${command.kind} of epoch ${command.epoch}, which ${granted} was granted`];
  return [];
}

/** A command that took effect on `before`, which was one of `nodes`. */
export interface Effected {
  readonly command: NodeCommand;
  readonly before: NodeRecord;
  readonly nodes: readonly NodeRecord[];
  readonly item: Item;
}

export function brokenByCommand({ command, before, nodes, item }: Effected): string[] {
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
  return [...broken, ...worse(before, epoch, nodes, item)];
}

/** S6: of the processes that this epoch has frozen, that are known members, and that hold the same history. */
function worse(chosen: NodeRecord, epoch: number, nodes: readonly NodeRecord[], item: Item): string[] {
  const members = plain(plain(item["members"])["nodes"]);
  const isOldPrimary = plain(item["primary"])["node"] === chosen.id;
  const ahead = nodes.filter(
    (each) =>
      each.isUp &&
      each.frozenBy === epoch &&
      chosen.frozenBy === epoch &&
      plain(members[each.id])["runId"] === each.runId &&
      each.replicationId === chosen.replicationId &&
      each.log.length > chosen.log.length,
  );
  if (isOldPrimary) return [];
  return ahead.map((each) => `S6: ${chosen.id} was promoted although ${each.id}, frozen as well, has more`);
}

export function brokenByPublishing(table: Table, next: NonNullable<Table["published"]>): string[] {
  const { published, item } = table;
  const primary = plain(item["primary"]);
  if (next.epoch === primary["epoch"] && next.node !== primary["node"])
    return [`S1: ${next.node} was published for epoch ${next.epoch}, whose primary is ${primary["node"]}`];
  if (published !== null && next.epoch === published.epoch && next.node !== published.node)
    return [`S2: epoch ${next.epoch} was published for ${published.node} and for ${next.node}`];
  return [];
}

/** One healthy published primary that everybody who is up follows, and no lease. */
export function isHealthy({ nodes, table }: World): boolean {
  const { item, published } = table;
  if (item["lease"] !== undefined || item["operation"] !== undefined) return false;
  const id = plain(item["primary"])["node"];
  const primary = nodes.find((each) => each.id === id);
  if (primary === undefined || !primary.isUp || primary.isHung || primary.role !== "primary") return false;
  if (published !== null && published.node !== id) return false;
  return nodes.every((each) => each === primary || !each.isUp || (each.role === "replica" && each.isLinked));
}

/**
 * A state that does not find back to health although nothing goes wrong any more: S12 wants every living voter to say why.
 * `published` nodes that still serve beside the primary break S5, whatever is said.
 */
export function brokenByResting(world: World): string[] {
  const { nodes, table, voters } = world;
  const once = new Set<Json | undefined>(Object.values(table.primaries) as NodeId[]);
  const serving = nodes.filter((each) => each.isUp && !each.isHung && each.role === "primary" && once.has(each.id));
  if (serving.length > 1) return [`S5: ${serving.map((each) => each.id).join(" and ")} go on serving side by side`];
  const silent = voters.filter((each) => each.state !== null && each.state.rejection === null);
  if (silent.length === 0) return [];
  return [`S11, S12: no way back to health, and ${silent.map((each) => each.id).join(", ")} give no reason`];
}
