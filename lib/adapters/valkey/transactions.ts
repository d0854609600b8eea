// Commands of the protocol as Valkey spells them, and what the replies prove. Every change is one MULTI/EXEC, sent in one
// write, with CLIENT KILL USER <coordinator> SKIPME yes inside: it takes effect as a whole and closes the connections of
// every other coordinator, also those whose requests the node has not read yet (R9). Every reply inside EXEC is looked at,
// because an error there does not undo the commands beside it.

import { TOKEN_PORT, tokenAddress } from "../../core/token.ts";
import type { ConnectionRef, NodeCommand, NodeOutcome, NodeReading, PromotionExpectation } from "../../core/types.ts";
import type { Words } from "./connection.ts";
import { parseInfo } from "./info.ts";
import { words as wordsOf } from "./login.ts";
import type { Reply } from "./resp.ts";

/** The commands that are transactions. `promote`'s own check comes before it. */
export type Change = Extract<NodeCommand, { kind: "freeze" | "promote" | "settle" | "repoint" }>;

export interface Step {
  readonly part: "before" | "change" | "rewrite" | "kill" | "kill-other" | "after";
  readonly words: Words;
}

export interface Speech {
  /** As whom the connection is logged in. */
  readonly user: string;
  /** Who else coordinators may be logged in as, around a rotation that changes the user's name. */
  readonly otherUsers: readonly string[];
  /** INFO with or without its sections, as this node takes it. */
  readonly info: Words;
}

export function stepsOf(command: Change, { user, otherUsers, info }: Speech): Step[] {
  const before: Step = { part: "before", words: info };
  const after: Step = { part: "after", words: info };
  const kill: Step[] = [
    { part: "kill", words: killCoordinators(user) },
    ...otherUsers.map((other): Step => ({ part: "kill-other", words: killCoordinators(other) })),
  ];
  const killClients: Step = { part: "kill", words: ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"] };
  const rewrite: Step = { part: "rewrite", words: ["CONFIG", "REWRITE"] };
  const follow = (host: string, port: number): Step => ({ part: "change", words: ["REPLICAOF", host, String(port)] });
  switch (command.kind) {
    case "freeze": {
      const token = tokenAddress(command.epoch);
      return [before, follow(token.host, token.port), rewrite, ...kill, after];
    }
    case "promote":
      // No CONFIG REWRITE: a promoted node that restarts must come back fenced (verification I1).
      return [{ part: "change", words: ["REPLICAOF", "NO", "ONE"] }, ...kill, killClients, after];
    case "settle":
      return [before, ...kill, after];
    case "repoint": {
      const dropped = command.dropClients ? [killClients] : [];
      return [before, follow(command.to.host, command.to.port), rewrite, ...kill, ...dropped, after];
    }
  }
}

export const asTransaction = (steps: readonly Step[]): Words[] => [
  ["MULTI"],
  ...steps.map((step) => step.words),
  ["EXEC"],
];

/**
 * A user that is the coordinator's alone is cut off as a whole. `default` is everybody's: its applications have to go too,
 * for nothing tells them from a stale coordinator, but a coordinator is always a normal client, so replication links
 * and subscribers of that user may stay.
 */
const killCoordinators = (user: string): Words => [
  ...["CLIENT", "KILL", "USER", user],
  ...(user === "default" ? ["TYPE", "normal"] : []),
  ...["SKIPME", "yes"],
];

export interface Context {
  readonly command: Change;
  readonly steps: readonly Step[];
  readonly connection: ConnectionRef;
  /** The reading before a promotion, which has none inside; null for the others. */
  readonly checked: NodeReading | null;
}

/** What the replies to a whole transaction prove. */
export function readTransaction(replies: readonly Reply[], context: Context): NodeOutcome {
  const { steps } = context;
  const [multi, ...rest] = replies;
  const executed = rest.at(-1);
  const queued = rest.slice(0, -1);
  if (executed?.kind === "array" && executed.items.length === steps.length) return readItems(executed.items, context);
  const complaint = [multi, ...queued, executed].find((reply) => reply?.kind === "error");
  const detail = complaint === undefined ? "EXEC answered nothing that can be read" : wordsOf(complaint);
  if (multi?.kind !== "error") {
    // EXECABORT: nothing of it was carried out.
    return executed?.kind === "error" ? { kind: "refused", detail, reading: null } : { kind: "unknown", detail };
  }
  // Without MULTI every command was carried out, or refused, by itself.
  const change = queued[steps.findIndex((step) => step.part === "change")];
  if (change !== undefined && change.kind !== "error") {
    return { kind: "unknown", detail: `carried out without a transaction, because MULTI was refused: ${detail}` };
  }
  return { kind: "refused", detail, reading: null };
}

function readItems(items: readonly Reply[], { command, steps, connection, checked }: Context): NodeOutcome {
  const errorOf = (part: Step["part"], expected?: RegExp): string | null => {
    const errors = items.filter((each, index) => steps[index]?.part === part && each.kind === "error").map(wordsOf);
    return errors.find((text) => expected?.test(text) !== true) ?? null;
  };
  const readingOf = (part: Step["part"]): NodeReading | string =>
    readInfo(items[steps.findIndex((step) => step.part === part)]);
  const after = readingOf("after");
  const refusal = errorOf("change");
  if (refusal !== null) return { kind: "refused", detail: refusal, reading: typeof after === "string" ? null : after };
  // A user that was deleted has no connections left: the server closed them.
  const unkilled = errorOf("kill") ?? errorOf("kill-other", /^ERR No such user/);
  if (unkilled !== null) {
    const detail = `CLIENT KILL was refused: ${unkilled}`;
    // A promotion has happened all the same, and is not to be called one that has not.
    if (command.kind === "promote") return { kind: "unknown", detail };
    return { kind: "refused", detail, reading: typeof after === "string" ? null : after };
  }
  const before = checked ?? readingOf("before");
  if (typeof before === "string") return { kind: "unknown", detail: `INFO before the change: ${before}` };
  if (typeof after === "string") return { kind: "unknown", detail: `INFO after the change: ${after}` };
  return { kind: "applied", before, after, rewriteError: errorOf("rewrite"), connection };
}

/** A reading, or why there is none. */
function readInfo(reply: Reply | undefined): NodeReading | string {
  if (reply?.kind !== "bulk") return wordsOf(reply);
  const parsed = parseInfo(reply.bytes.toString("latin1"));
  return parsed.kind === "reading" ? parsed.reading : parsed.kind === "sentinel" ? "a Sentinel's" : parsed.reason;
}

/** Why the node may not be promoted, or null. The same process, the same data to the byte, still under the same token (R6, R11). */
export function whyNotAsExpected(reading: NodeReading, expect: PromotionExpectation): string | null {
  if (reading.runId !== expect.runId) return `another process: run id ${reading.runId}`;
  if (reading.role !== "replica") return "it is a primary already";
  if (reading.replicationId !== expect.replicationId) return `another history: replication id ${reading.replicationId}`;
  if (reading.offset !== expect.offset) return `offset ${reading.offset} instead of ${expect.offset}`;
  const { follows } = reading;
  if (expect.tokenHost !== null && (follows?.host !== expect.tokenHost || follows.port !== TOKEN_PORT)) {
    return `it follows ${follows?.host} port ${follows?.port} instead of the token ${expect.tokenHost}`;
  }
  return null;
}
