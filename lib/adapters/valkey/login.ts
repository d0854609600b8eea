// How a connection begins: everything in one write, so that a probe over a new connection takes one round trip after the
// connect. And how what came back is told apart: each class of design 4.3 has its own consequences.

import type { NodeReading, Observation } from "../../core/types.ts";
import type { Exchange, Loss, Words } from "./connection.ts";
import { parseInfo } from "./info.ts";
import type { Reply } from "./resp.ts";

export interface Credentials {
  readonly user: string;
  /** Null: no AUTH is sent; the node takes everybody as `default`. */
  readonly password: string | null;
  /** Who coordinators were before a rotation that changed the user's name: a stale one may still be logged in as that. */
  readonly previousUser: string | null;
}

export type Unanswered = Exclude<Observation, { kind: "answered" }>;

export interface LoginOptions {
  readonly credentials: Credentials;
  readonly clientName: string;
}

/**
 * AUTH has to be the very first command of a connection: Valkey 8.0 and 8.1 say nothing at all to a wrong password while an
 * earlier reply is still to be sent, and every later reply would then be taken for the one before it.
 */
export function loginCommands({ credentials, clientName }: LoginOptions): Words[] {
  const setName: Words = ["CLIENT", "SETNAME", clientName];
  return credentials.password === null ? [setName] : [["AUTH", credentials.user, credentials.password], setName];
}

/**
 * Why the node let this connection not in, from the replies to `loginCommands`; null when it did. The name is a courtesy to
 * whoever reads CLIENT LIST: its refusal is nothing.
 */
export function readLogin([first]: readonly Reply[], credentials: Credentials): Unanswered | null {
  if (credentials.password !== null) {
    return first?.kind === "simple" ? null : failureOf(words(first), credentials);
  }
  return demandsLogin(first) ? failureOf(words(first), credentials) : null;
}

/** The answer to a command of somebody who has not logged in. */
const demandsLogin = (reply: Reply | undefined): boolean =>
  reply?.kind === "error" && /^NO(AUTH|PERM)\b/.test(reply.text);

/** The answer to a stranger's PING. The other errors are given only to those who are in. */
export const isLetIn = (reply: Reply | undefined): boolean =>
  reply?.kind === "simple" || (reply?.kind === "error" && /^(LOADING|BUSY|MASTERDOWN)\b/.test(reply.text));

/**
 * An error where something else was due. Some servers repeat the arguments of a command they do not know, so the password is
 * taken out of whatever is passed on.
 */
export function failureOf(text: string, credentials: Credentials): Unanswered {
  const detail = readable(text, credentials);
  const [word = ""] = text.split(" ", 1);
  switch (word) {
    case "LOADING":
      return { kind: "loading", detail };
    case "BUSY":
      return { kind: "busy", detail };
    case "NOAUTH":
    case "DENIED":
      return { kind: "misconfigured", reason: "no-auth", detail };
    case "WRONGPASS":
      return { kind: "misconfigured", reason: "wrong-password", detail };
    case "NOPERM":
      return { kind: "misconfigured", reason: "no-permission", detail };
  }
  // It lives and serves those who are in; nothing can be done to it. That is what "busy" stands for.
  if (/^ERR max number of clients/.test(text)) return { kind: "busy", detail };
  if (/^ERR (invalid password|AUTH .* called without any password)/.test(text)) {
    return { kind: "misconfigured", reason: "wrong-password", detail };
  }
  return { kind: "misconfigured", reason: "unreadable-info", detail };
}

/** An attempt over a new connection that was lost before INFO was answered. */
export function failureOfLoss(exchange: Extract<Exchange, { kind: "lost" }>, credentials: Credentials): Unanswered {
  // A server that turns somebody away at the door says why and closes: the words count, not the close.
  const said = words(exchange.replies[0]);
  if (/^(ERR max number of clients|DENIED)/.test(said)) return failureOf(said, credentials);
  return failureOfConnect(exchange.loss);
}

function failureOfConnect({ kind, detail }: Loss): Unanswered {
  switch (kind) {
    case "refused":
      return { kind: "refused", detail };
    case "cut":
      // The address takes connections and nobody serves them: a process that is ending, a proxy before a dead one, or a node
      // whose port speaks TLS, which resets plain connections without a word.
      return { kind: "refused", detail: `${detail} before an answer (no node behind a proxy? TLS on one side only?)` };
    case "unreachable":
    case "closed":
      return { kind: "silent", detail, parkable: null };
    case "tls":
    case "not-valkey":
      return { kind: "misconfigured", reason: kind, detail };
  }
}

/** The answer to INFO: a reading, or what the node is instead. */
export function readProbe(info: Reply | undefined, credentials: Credentials): NodeReading | Unanswered {
  if (info?.kind === "error") return failureOf(info.text, credentials);
  const parsed = info?.kind === "bulk" ? parseInfo(info.bytes.toString("latin1")) : null;
  switch (parsed?.kind) {
    case "reading":
      return parsed.reading.mode === "cluster" ? FOREIGN.cluster : parsed.reading;
    case "sentinel":
      return FOREIGN.sentinel;
    default: {
      const detail = readable(parsed?.reason ?? words(info), credentials);
      return { kind: "misconfigured", reason: "unreadable-info", detail };
    }
  }
}

const FOREIGN = {
  cluster: { kind: "misconfigured", reason: "cluster", detail: "cluster-enabled is yes" },
  sentinel: { kind: "misconfigured", reason: "sentinel", detail: "it is a Sentinel" },
} as const satisfies Record<string, Unanswered>;

/** Known by its INFO even where it does not know our user. */
export const isForeign = (said: NodeReading | Unanswered): said is Unanswered =>
  said === FOREIGN.cluster || said === FOREIGN.sentinel;

export const isReading = (said: NodeReading | Unanswered): said is NodeReading => "runId" in said;

const LONGEST_DETAIL = 200;

/** A server's words for a log line: printable, short, without the password. */
export function readable(text: string, { password }: Credentials): string {
  const safe = password === null || password === "" ? text : text.replaceAll(password, "***");
  return safe.replace(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_DETAIL);
}

export function words(reply: Reply | undefined): string {
  switch (reply?.kind) {
    case "simple":
    case "error":
      return reply.text;
    case "integer":
      return String(reply.value);
    case "bulk":
      return reply.bytes.toString("latin1");
    case "array":
    case "null":
    case undefined:
      return `an unexpected answer (${reply?.kind ?? "none"})`;
  }
}
