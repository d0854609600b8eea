// The voter put together: the engine's loop with the adapters of AWS and Valkey. The handler calls it in Lambda, in the
// local cloud and in `valkeeper local` alike.

import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { openCredentialedNodes } from "../../lib/adapters/credentials/credentialed-nodes.ts";
import { CredentialsBook } from "../../lib/adapters/credentials/credentials-book.ts";
import { readStoredPassword } from "../../lib/adapters/credentials/stored-password.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import type { OnUnreadable } from "../../lib/adapters/dynamodb/specs.ts";
import { ConsoleJournal } from "../../lib/adapters/journal/console-journal.ts";
import { EmfMetrics } from "../../lib/adapters/metrics/emf-metrics.ts";
import { watchThrottles } from "../../lib/adapters/metrics/throttles.ts";
import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import { after, epoch, groupName, type VoterId, type WallTime } from "../../lib/core/types.ts";
import type { Clock } from "../../lib/ports/clock.ts";
import type { Journal } from "../../lib/ports/journal.ts";
import type { VoterEnvironment } from "../../lib/runtime/environment.ts";
import { METRIC_NAMESPACE } from "../../lib/runtime/metric-names.ts";
import { EVENT_AGE_LIMIT_MS, LEAVE_MARGIN_MS } from "../../lib/runtime/timing.ts";
import { runVoter, type VoterSummary } from "../../lib/runtime/voter-loop.ts";
import { VoterMeter } from "../../lib/runtime/voter-meter.ts";

/** What the schedule sends. */
export interface VoterEvent {
  readonly scheduledTime?: string;
}

/** What is used of Lambda's context. */
export interface Invocation {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export type VoterResult = VoterSummary | { readonly reason: "event-too-old"; readonly ageMs: number };

export function makeVoter(environment: VoterEnvironment): (event: VoterEvent, at: Invocation) => Promise<VoterResult> {
  const clock = new SystemClock();
  const plainJournal = new ConsoleJournal(clock);
  const { region, dualStack, secret, table } = environment;
  // Kept over invocations, unlike everything with a connection: sockets do not survive a frozen environment.
  const book = new CredentialsBook(async (reference) => {
    const clients = createAwsClients({ region, dualStack });
    try {
      return await readStoredPassword(reference, { clients, placed: secret });
    } finally {
      clients.destroy();
    }
  }, clock);
  return async (event, invocation) => {
    const deadline = after(clock.now(), invocation.getRemainingTimeInMillis() - LEAVE_MARGIN_MS);
    const ageMs = ageOf(event, clock.wallTime());
    if (ageMs > EVENT_AGE_LIMIT_MS) return { reason: "event-too-old", ageMs };
    const meter = meterOf(environment, clock);
    const journal = meter?.journal(plainJournal) ?? plainJournal;
    const clients = createAwsClients({ region, dualStack });
    const onUnreadable = tellOnce(journal, environment.voter);
    const store = createDynamodbStore({ client: clients.dynamodb, table, onUnreadable });
    const ssm = environment.publishes.includes("ssm") ? clients.ssm : null;
    const route53 = environment.publishes.includes("dns") ? clients.route53 : null;
    if (meter !== null) {
      for (const client of [clients.dynamodb, ssm, route53]) {
        if (client !== null) watchThrottles(client, () => meter.throttled());
      }
    }
    try {
      const summary = await runVoter({
        voter: environment.voter,
        voters: environment.voters,
        shard: environment.shard,
        ...(environment.groupsPerVoter === null ? {} : { groupsPerVoter: environment.groupsPerVoter }),
        owner: invocation.awsRequestId,
        store: meter?.store(store) ?? store,
        openNodes: (config) =>
          openCredentialedNodes({ config, book, clock, clientName: `valkeeper-${environment.voter}` }),
        publisher: createPublisher({ store, ssm, route53, clock }),
        clock,
        journal,
        deadline,
        economy: environment.economy,
      });
      // An invocation that only says so counts as a success: an error is what alarms look at.
      if (summary.reason === "failed") throw new Error(`a group's step failed: ${summary.detail}`);
      return summary;
    } finally {
      meter?.end();
      clients.destroy();
    }
  };
}

/** Of one invocation; null where nobody reads the figures. */
function meterOf({ metrics: level, table, voter, shard }: VoterEnvironment, clock: Clock): VoterMeter | null {
  if (level === "off") return null;
  const metrics = new EmfMetrics({ namespace: METRIC_NAMESPACE, clock });
  return new VoterMeter({ metrics, clock, table, voter, shard, byGroup: level === "groups" });
}

/** A damaged record is left out of what many records are read for, again and again: once an invocation it is told. */
export function tellOnce(journal: Journal, voter: VoterId): OnUnreadable {
  const told = new Set<string>();
  return ({ kind, name, detail }) => {
    const reason = `${kind} ${name}: ${detail}`;
    if (told.has(reason)) return;
    told.add(reason);
    const group = groupName(kind === "spec" ? name : "*");
    journal.write({
      event: "record.unreadable",
      epoch: epoch(0),
      node: null,
      detail: { reason },
      group,
      voter,
      generation: 0,
      tick: 0,
    });
  };
}

/** 0 when the event does not say when it was due, or when an emulator left Scheduler's keyword in it. */
function ageOf({ scheduledTime }: VoterEvent, now: WallTime): number {
  const due = Date.parse(scheduledTime ?? "");
  return Number.isNaN(due) ? 0 : now - due;
}
