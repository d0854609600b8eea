import { describe, expect, it } from "vitest";
import { type CallLimits, call, describeFailure, type FailureKind, pauseMs } from "../../../lib/adapters/aws/call.ts";

const LIMITS: CallLimits = { attemptTimeoutMs: 60, totalMs: 300, attempts: 3 };
const failWith = (error: object) => Object.assign(new Error("words"), error);
const THROTTLED = failWith({ name: "ThrottlingException", $metadata: { httpStatusCode: 400 } });
const RESET = failWith({ code: "ECONNRESET" });

/** Answers in this order: an error is thrown, anything else returned. */
function answering(...answers: readonly unknown[]) {
  let sent = 0;
  const send = async (): Promise<unknown> => {
    const answer = answers[Math.min(sent, answers.length - 1)];
    sent += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { send, times: () => sent };
}

describe("a bounded call", () => {
  it("returns the first answer", async () => {
    const { send, times } = answering("yes");
    expect(await call(send, LIMITS)).toEqual({ kind: "answered", value: "yes", earlierAmbiguous: false });
    expect(times()).toBe(1);
  });

  it("tries again after a definite no that may pass, and remembers nothing of it", async () => {
    expect(await call(answering(THROTTLED, "yes").send, LIMITS)).toMatchObject({
      kind: "answered",
      earlierAmbiguous: false,
    });
  });

  it("remembers a try that got no answer", async () => {
    expect(await call(answering(RESET, THROTTLED, "yes").send, LIMITS)).toMatchObject({
      kind: "answered",
      earlierAmbiguous: true,
    });
    const condition = failWith({ name: "ConditionalCheckFailedException", $metadata: { httpStatusCode: 400 } });
    expect(await call(answering(RESET, condition).send, LIMITS)).toMatchObject({
      kind: "failed",
      failure: { kind: "condition" },
      earlierAmbiguous: true,
    });
  });

  it("gives up after its tries", async () => {
    const { send, times } = answering(THROTTLED);
    expect(await call(send, LIMITS)).toMatchObject({ failure: { kind: "not-executed" }, earlierAmbiguous: false });
    expect(times()).toBe(3);
  });

  it("ends a try that does not end by itself, and aborts it", async () => {
    const signals: AbortSignal[] = [];
    const start = performance.now();
    const never = (signal: AbortSignal): Promise<never> => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    expect(await call(never, LIMITS)).toMatchObject({
      failure: { kind: "ambiguous", detail: "DeadlineExceeded: no answer within 60 ms" },
    });
    expect(performance.now() - start).toBeLessThan(LIMITS.totalMs + 60);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, true]);
  });

  it("stays within its total, whatever the tries would allow", async () => {
    const start = performance.now();
    await call(() => new Promise(() => undefined), { attemptTimeoutMs: 80, totalMs: 100, attempts: 50 });
    expect(performance.now() - start).toBeLessThan(200);
  });

  it("turns an exception before anything was sent into a failure too", async () => {
    const thrown = call(() => {
      throw new TypeError("bad input");
    }, LIMITS);
    expect(await thrown).toMatchObject({ kind: "failed", failure: { detail: "TypeError: bad input" } });
  });

  it("pauses longer each time, never alike, up to a limit", () => {
    for (const [attempt, full] of [
      [1, 10],
      [2, 20],
      [4, 80],
      [30, 400],
    ] as const) {
      const pause = pauseMs(attempt);
      expect(pause).toBeGreaterThanOrEqual(full / 2);
      expect(pause).toBeLessThanOrEqual(full);
    }
  });
});

describe("what is known after a failure", () => {
  const answered = (name: string, httpStatusCode: number, more: object = {}) => ({
    name,
    $metadata: { httpStatusCode, ...more },
  });
  it.each<readonly [FailureKind, object]>([
    ["condition", answered("ConditionalCheckFailedException", 400)],
    ["not-executed", answered("ProvisionedThroughputExceededException", 400)],
    ["not-executed", answered("PriorRequestNotComplete", 400)],
    ["not-executed", answered("Whatever", 429)],
    ["not-executed", answered("InvalidSignatureException", 403, { clockSkewCorrected: true })],
    ["not-executed", { code: "ECONNREFUSED", syscall: "connect" }],
    ["not-executed", { code: "ENOTFOUND", syscall: "getaddrinfo" }],
    ["not-executed", { code: "EHOSTUNREACH", syscall: "connect" }],
    ["ambiguous", { code: "EHOSTUNREACH", syscall: "read" }],
    ["ambiguous", { code: "ECONNRESET", syscall: "read" }],
    ["ambiguous", { code: "EPIPE" }],
    ["ambiguous", { name: "TimeoutError" }],
    ["ambiguous", { name: "AbortError" }],
    ["ambiguous", answered("InternalServerError", 500)],
    ["ambiguous", answered("ServiceUnavailable", 503)],
    ["ambiguous", answered("RequestTimeout", 408)],
    ["ambiguous", { name: "SyntaxError", $metadata: { httpStatusCode: 200 } }],
    ["rejected", answered("InvalidSignatureException", 403)],
    ["rejected", answered("ValidationException", 400)],
    ["rejected", answered("ExpiredTokenException", 400)],
    ["rejected", { name: "CredentialsProviderError" }],
  ])("%s: %o", (kind, error) => {
    expect(describeFailure(failWith(error)).kind).toBe(kind);
  });

  it("is said in words also where the error has none", () => {
    expect(describeFailure(Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })).detail).toBe(
      "AggregateError: ECONNREFUSED",
    );
    expect(describeFailure("odd").detail).toBe("Error: odd");
  });
});
