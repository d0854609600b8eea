// How does an operator's order reach a voter? As the one request record of the group. A voter that holds the lease
// carries it out or refuses it; this follows its result and the history until it ended. Leaving early changes nothing:
// the request goes on.

import { PortError } from "../core/errors.ts";
import type { EventName } from "../core/events.ts";
import type { HistoryRecord, RequestKind, RequestRecord, RequestResult, SpecRecord } from "../core/records.ts";
import { type NodeId, nodeId, wallTime } from "../core/types.ts";
import type { Call } from "./environment.ts";
import { EXIT, type ExitCode, worst } from "./exit-code.ts";
import { CommandFailed, refused, usage } from "./failure.ts";
import { newest, unseen } from "./history.ts";
import { stepLine } from "./history-text.ts";
import { announceOrder } from "./look.ts";
import { patienceOf } from "./patience.ts";
import { duration } from "./units.ts";

const TIMEOUT_MS = 30_000;
const POLL_MS = 100;
/** After its expiry a voter answers a request that nobody took up; this long is left for that. */
const AFTER_EXPIRY_MS = 3_000;
/** One that was taken up ends within its step time-outs, however often it is taken over. */
const CARRIED_OUT_MS = 120_000;
const STEPS_BEFORE = 100;
const LAST_STEPS_WAITS = 10;
const ANSWERS: ReadonlySet<EventName> = new Set(["request.done", "request.refused"]);
const ENDS = /\.(completed|abandoned)$/;

export interface Order {
  readonly kind: RequestKind;
  readonly target: NodeId | null;
  readonly acceptDataLoss: boolean;
  readonly reason: string;
  /** How long a voter may take to begin it. Null: half a minute, or three rounds of voters that rest. */
  readonly timeoutMs: number | null;
  /** Null: whoever runs the command. */
  readonly by: string | null;
}

/** What followed from one order. */
export interface Followed {
  readonly group: string;
  readonly exit: ExitCode;
  readonly request: RequestRecord;
  readonly result: RequestResult | null;
  readonly steps: readonly HistoryRecord[];
}

/** The order's target as a node of the group, by its id. */
export function targetOf(spec: SpecRecord, known: readonly string[], name: string | undefined): NodeId | null {
  if (name === undefined) return null;
  if (known.includes(name)) return nodeId(name);
  throw usage(`group ${spec.group} has no node ${JSON.stringify(name)}: there are ${known.join(", ")}`);
}

/** Writes the order and follows it to its end, printing every step unless one document is wanted. */
export async function carryOut(call: Call, spec: SpecRecord, order: Order, label = ""): Promise<Followed> {
  const { environment } = call;
  const { group } = spec;
  const restsMs = await announceOrder(call, spec);
  const timeoutMs = order.timeoutMs ?? (restsMs === null ? TIMEOUT_MS : 3 * restsMs);
  const seen = new Set((await newest(call, group, STEPS_BEFORE)).map((record) => record.id));
  const askedAt = environment.wallTime();
  const request: RequestRecord = {
    schema: 1,
    id: environment.newId(),
    kind: order.kind,
    target: order.target,
    by: order.by ?? environment.operator,
    reason: order.reason,
    acceptDataLoss: order.acceptDataLoss,
    askedAt,
    expiresAt: wallTime(askedAt + timeoutMs),
    result: null,
  };
  if (!(await written(call, spec, request))) await refuseForStanding(call, spec);
  tell(
    call,
    label,
    `${order.kind} of ${group}${order.target === null ? "" : ` (${order.target})`} asked by ${request.by}`,
  );
  if (restsMs !== null) {
    call.environment.screen.note(
      `${label}the voters look every ${duration(restsMs)} (economy mode): the first that comes takes the order up`,
    );
  }
  return follow(call, { spec, request, seen, label });
}

/** An order whose answer was lost may stand all the same: that must be said, or it is given twice. */
async function written(call: Call, { group }: SpecRecord, request: RequestRecord): Promise<boolean> {
  try {
    return await call.store.writeRequest(group, request, request.askedAt);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new CommandFailed(
      EXIT.storeUnreachable,
      `whether the order for ${group} was written is not known (${error.message}): \`valkeeper status ${group}\` shows it; if it was, it expires in ${duration(request.expiresAt - request.askedAt)}`,
    );
  }
}

async function refuseForStanding(call: Call, { group }: SpecRecord): Promise<never> {
  const standing = await call.store.readRequest(group);
  if (standing === null) throw refused(`another order for ${group} was written at the same moment: try again`);
  const age = duration(call.environment.wallTime() - standing.askedAt);
  const left = duration(standing.expiresAt - call.environment.wallTime());
  throw refused(
    `another order for ${group} has not ended: ${standing.kind} by ${standing.by}, ${age} ago, expires in ${left}; see \`valkeeper history ${group} --follow\``,
  );
}

interface Following {
  readonly spec: SpecRecord;
  readonly request: RequestRecord;
  readonly seen: Set<string>;
  readonly label: string;
}

async function follow(call: Call, following: Following): Promise<Followed> {
  const { store, environment } = call;
  const { request, seen, label } = following;
  const { group } = following.spec;
  const steps: HistoryRecord[] = [];
  const ended = (exit: ExitCode, result: RequestResult | null): Followed => ({ group, exit, request, result, steps });
  const tellSteps = async (): Promise<void> => {
    for (const record of await unseen(call, group, seen)) {
      steps.push(record);
      // Its answer is the last line, in its own words.
      if (!ANSWERS.has(record.event)) tell(call, label, `  ${stepLine(record, request.askedAt)}`);
    }
  };
  const patience = patienceOf(call);
  let isTakenUp = false;
  for (;;) {
    const now = environment.wallTime();
    const read = await patience.ask(() =>
      Promise.all([store.readRequest(group), store.readBallot(group), tellSteps()]),
    );
    if (read !== null) {
      const [standing, ballot] = read;
      if (standing?.id !== request.id) {
        throw refused(`the order for ${group} was replaced before its end was seen: \`valkeeper history ${group}\``);
      }
      if (standing.result !== null) {
        // The history is written behind the result, and the last replica re-pointed behind it: both are given a moment.
        for (let waits = 0; waits < LAST_STEPS_WAITS && !isToldWhole(steps); waits += 1) {
          await environment.pause(POLL_MS);
          await patience.ask(tellSteps);
        }
        return ended(tellResult(call, following, standing.result), standing.result);
      }
      isTakenUp = ballot?.operation?.request === request.id;
    }
    if (environment.interrupted.aborted) return ended(tellLeft(call, following, "interrupted"), null);
    const deadline = request.expiresAt + (isTakenUp ? CARRIED_OUT_MS : AFTER_EXPIRY_MS);
    if (now > deadline) return ended(tellLeft(call, following, lateness(isTakenUp, read !== null)), null);
    await environment.pause(POLL_MS);
  }
}

function isToldWhole(steps: readonly HistoryRecord[]): boolean {
  const isBegun = steps.some(({ event }) => event === "operation.begun");
  return steps.some(({ event }) => ANSWERS.has(event)) && (!isBegun || steps.some(({ event }) => ENDS.test(event)));
}

type Left = "interrupted" | "slow" | "not taken up" | "out of sight";

const lateness = (isTakenUp: boolean, isSeen: boolean): Left =>
  !isSeen ? "out of sight" : isTakenUp ? "slow" : "not taken up";

function tellResult(call: Call, { request, label, spec }: Following, result: RequestResult): ExitCode {
  const took = duration(result.at - request.askedAt);
  // Who is primary says since which epoch.
  const epoch = result.detail.includes("epoch") ? "" : `epoch ${result.epoch}, `;
  tell(call, label, `${result.kind}: ${result.detail} (${epoch}${took} after it was asked)`);
  if (result.kind === "failed") tell(call, label, `see \`valkeeper why ${spec.group}\``);
  return result.kind === "done" ? EXIT.ok : EXIT.refused;
}

function tellLeft(call: Call, { spec, label, request }: Following, why: Left): ExitCode {
  const { group } = spec;
  const see = `\`valkeeper history ${group} --follow\` and \`valkeeper status ${group}\` show it`;
  const text = {
    interrupted: `no longer waiting; the order goes on: ${see}`,
    slow: `no longer waiting; the order is still being carried out: ${see}`,
    "out of sight": `no longer waiting, because the table does not answer; whether the order was carried out is not known: ${see}`,
    "not taken up": `no voter took the order up within ${duration(request.expiresAt - request.askedAt)}; it has expired and will not be carried out: is any voter running? \`valkeeper status ${group}\``,
  }[why];
  call.environment.screen.note(`${label}${text}`);
  return EXIT.timedOut;
}

function tell(call: Call, label: string, text: string): void {
  if (!call.json) call.environment.screen.out(`${label}${text}`);
}

/** The command's end: one document for machines; people have read it all. */
export function concluded(call: Call, followed: readonly Followed[]): ExitCode {
  if (call.json) {
    const orders = followed.map(({ group, exit, request, result, steps }) => ({ group, exit, request, result, steps }));
    call.environment.screen.out(JSON.stringify({ schema: 1, orders }, null, 2));
  }
  return worst(followed.map(({ exit }) => exit));
}
