// A process that does for one function on this machine what Lambda and its schedule do in AWS: loads the handler, calls it
// at once and then once a minute, the next call beside the one that still runs, up to the function's concurrency, each with
// a deadline of its own. A call that is still running at its deadline ends the environment, as Lambda ends it.
//
// Arguments: the handler's file, the time-out in ms, the concurrency. SIGUSR2 calls it once more, as a stream would.

import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";
import { SCHEDULE_PERIOD_MS } from "../runtime/timing.ts";

interface Context {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}
type Handler = (event: object, context: Context) => Promise<unknown>;

const [file = "", timeoutText = "", concurrencyText = ""] = process.argv.slice(2);
const timeoutMs = Number(timeoutText);
const concurrency = Number(concurrencyText);
let running = 0;
let handler: Handler | null = null;

// Lambda gives no notice either: whatever is not finished is taken over by others.
process.on("SIGTERM", () => process.exit(0));
// One that comes while the handler is still being loaded finds the first call about to be made; unhandled it would end the process.
process.on("SIGUSR2", () => invoke({}));
// Meant for the parent, which ends this process itself; a terminal sends it to all.
process.on("SIGINT", () => undefined);

handler = ((await import(pathToFileURL(file).href)) as { readonly handler: Handler }).handler;
// An interval keeps the schedule's phase, however long a call takes.
setInterval(callOnSchedule, SCHEDULE_PERIOD_MS);
callOnSchedule();

function callOnSchedule(): void {
  invoke({ scheduledTime: new Date().toISOString() });
}

function invoke(event: object): void {
  if (handler === null) return;
  // Lambda would try a throttled event again for as long as its age allows; the next minute's is due by then.
  if (running >= concurrency) return say("function.throttled", { running });
  running += 1;
  const deadline = performance.now() + timeoutMs;
  const timer = setTimeout(() => {
    say("function.timed-out", { timeoutMs });
    process.exit(1);
  }, timeoutMs);
  const context = {
    awsRequestId: randomUUID(),
    getRemainingTimeInMillis: () => Math.max(0, deadline - performance.now()),
  };
  handler(event, context)
    .catch((error: unknown) => say("function.failed", { detail: error instanceof Error ? error.stack : String(error) }))
    .finally(() => {
      clearTimeout(timer);
      running -= 1;
    });
}

function say(event: string, detail: object): void {
  process.stdout.write(`${JSON.stringify({ event, time: new Date().toISOString(), ...detail })}\n`);
}
