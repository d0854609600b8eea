// How long may one call to AWS take, and what may be said of one that failed? The SDK's own retries are switched off
// (clients.ts): they know no deadline, and a retried conditional write that comes back "condition failed" may be the echo
// of its own first try. Here every try is bounded, all of them together are, and a failure says whether the service can
// have carried the request out.

import { setTimeout as sleep } from "node:timers/promises";

export interface CallLimits {
  /** One try, from sending to the last byte of the answer. */
  readonly attemptTimeoutMs: number;
  /** All tries and the pauses between them. */
  readonly totalMs: number;
  readonly attempts: number;
}

export type FailureKind =
  /** The condition was evaluated and did not hold; nothing changed. */
  | "condition"
  /** The service, or the connection that was never made, says: not carried out. A later try may be. */
  | "not-executed"
  /** Not carried out, and the same request never will be: invalid, not allowed, no such table. */
  | "rejected"
  /** Sent, and no answer that can be trusted: it may have been carried out, or may still be. */
  | "ambiguous";

export interface Failure {
  readonly kind: FailureKind;
  /** The vendor's error, for `cause`. */
  readonly error: unknown;
  /** One clause for people. */
  readonly detail: string;
}

export type Called<T> =
  /** `earlierAmbiguous`: a try before this one may have been carried out too. */
  | { readonly kind: "answered"; readonly value: T; readonly earlierAmbiguous: boolean }
  | { readonly kind: "failed"; readonly failure: Failure; readonly earlierAmbiguous: boolean };

const FIRST_PAUSE_MS = 10;
const PAUSE_LIMIT_MS = 400;
/** With less time than this left another try would only end as one more ambiguous answer. */
const SHORTEST_TRY_MS = 20;

/** Sends until answered, definitely refused, or out of time or tries. Never rejects. */
export async function call<T>(send: (signal: AbortSignal) => Promise<T>, limits: CallLimits): Promise<Called<T>> {
  const deadline = performance.now() + limits.totalMs;
  let earlierAmbiguous = false;
  for (let attempt = 1; ; attempt += 1) {
    const left = deadline - performance.now();
    const tried = await tryOnce(send, Math.max(SHORTEST_TRY_MS, Math.min(limits.attemptTimeoutMs, left)));
    if (tried.kind === "answered") return { ...tried, earlierAmbiguous };
    const { failure } = tried;
    if (failure.kind === "condition" || failure.kind === "rejected") return { ...tried, earlierAmbiguous };
    const pause = pauseMs(attempt);
    if (attempt >= limits.attempts || performance.now() + pause + SHORTEST_TRY_MS > deadline) {
      return { ...tried, earlierAmbiguous };
    }
    earlierAmbiguous ||= failure.kind === "ambiguous";
    await sleep(pause);
  }
}

/** Doubled each time, with jitter over its upper half: voters that were throttled together must not come back together. */
export function pauseMs(attempt: number): number {
  const full = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), PAUSE_LIMIT_MS);
  return full / 2 + (Math.random() * full) / 2;
}

async function tryOnce<T>(
  send: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
): Promise<{ readonly kind: "answered"; readonly value: T } | { readonly kind: "failed"; readonly failure: Failure }> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // The SDK stops watching the clock when it has the headers; an answer that stops half-way would hold the loop for ever.
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new DeadlineExceeded(timeoutMs);
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return { kind: "answered", value: await Promise.race([send(controller.signal), expired]) };
  } catch (error) {
    return { kind: "failed", failure: describeFailure(error) };
  } finally {
    clearTimeout(timer);
  }
}

class DeadlineExceeded extends Error {
  override readonly name = "DeadlineExceeded";
  constructor(timeoutMs: number) {
    super(`no answer within ${Math.round(timeoutMs)} ms`);
  }
}

/** Names by which services say that they turned a request away before doing anything. */
const TURNED_AWAY = new Set([
  "ThrottlingException",
  "Throttling",
  "ThrottledException",
  "RequestThrottled",
  "RequestThrottledException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "TooManyRequestsException",
  "TooManyUpdates",
  "PriorRequestNotComplete",
]);

/** System calls' errors that come only while a connection is being made. */
const NO_CONNECTION = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);
/** These can also end an established connection; only `syscall` tells. */
const NO_ROUTE = new Set(["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]);

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
}

export function describeFailure(error: unknown): Failure {
  const known = (typeof error === "object" && error !== null ? error : {}) as SdkError;
  return { kind: kindOf(known), error, detail: wordsOf(known, error) };
}

/** An error of the service, known by its name: its class may be of another copy of the SDK. */
export const isNamed = (error: unknown, ...names: readonly string[]): boolean =>
  error instanceof Error && names.includes(error.name);

/** The service had no capacity for it, or the account no quota. */
export function isTurnedAway(error: unknown): boolean {
  const { name, $metadata } = (typeof error === "object" && error !== null ? error : {}) as SdkError;
  return (name !== undefined && TURNED_AWAY.has(name)) || $metadata?.httpStatusCode === 429;
}

function kindOf(error: SdkError): FailureKind {
  if (error.name === "ConditionalCheckFailedException") return "condition";
  if (isTurnedAway(error)) return "not-executed";
  if (error.code !== undefined && NO_CONNECTION.has(error.code)) return "not-executed";
  if (error.code !== undefined && NO_ROUTE.has(error.code) && error.syscall === "connect") return "not-executed";
  if (error.name === "CredentialsProviderError") return "rejected";
  // This machine's clock had jumped: the signature was refused, and the SDK has set itself right for the next request.
  if (error.$metadata?.clockSkewCorrected === true) return "not-executed";
  const status = error.$metadata?.httpStatusCode ?? 0;
  if (status >= 400 && status < 500 && status !== 408) return "rejected";
  return "ambiguous";
}

function wordsOf(known: SdkError, error: unknown): string {
  const name = known.name === undefined || known.name === "Error" ? (known.code ?? "Error") : known.name;
  // Node's error for a name with several addresses has an empty message and only a code.
  const message = known.message || known.code || String(error);
  return `${name}: ${message}`;
}
