// Which metrics do the functions write? Their meters are shown everything that they count, and what they say is looked at:
// a name in a table of names is written by nobody yet.

import { EmfMetrics } from "../../lib/adapters/metrics/emf-metrics.ts";
import { emptyBallot } from "../../lib/core/ballot.ts";
import { EVENTS, type EventName } from "../../lib/core/events.ts";
import type { VoterGroupView } from "../../lib/core/records.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { BOOT_FENCE } from "../../lib/core/token.ts";
import { attemptId, epoch, groupName, instant, nodeId, voterId, wallTime } from "../../lib/core/types.ts";
import type { GroupStore } from "../../lib/ports/group-store.ts";
import { CONDITION_AFTER_MS, CONDITION_OF } from "../../lib/runtime/group-conditions.ts";
import { METRIC_NAMESPACE } from "../../lib/runtime/metric-names.ts";
import type { PublisherStore } from "../../lib/runtime/publisher-loop.ts";
import { PublisherMeter } from "../../lib/runtime/publisher-meter.ts";
import { VoterMeter } from "../../lib/runtime/voter-meter.ts";
import { nodeView, rejected, viewOf } from "../runtime/views.ts";
import type { Widget } from "./body.ts";
import { type EmfLine, figuresOf } from "./figures.ts";

const group = groupName("mymaster");
const NOW = 1_000_000;

/** What AWS reports by itself, of what the dashboard looks at. */
const OF_AWS: readonly string[] = [
  ...["AWS/DynamoDB ConsumedReadCapacityUnits by TableName", "AWS/DynamoDB ConsumedWriteCapacityUnits by TableName"],
  ...["AWS/Lambda Errors by FunctionName", "AWS/Lambda Throttles by FunctionName"],
];

const wordsOf = (metric: { readonly namespace: string; readonly name: string; readonly dimensions: object }): string =>
  `${metric.namespace} ${metric.name} by ${Object.keys(metric.dimensions).sort().join(", ")}`;

/** The widgets' metrics that nobody reports. */
export function unwritten(widgets: readonly Widget[], written: ReadonlySet<string>): readonly string[] {
  return widgets.flatMap((widget) => {
    if (widget.kind === "text" || widget.kind === "alarms") return [];
    const missing = widget.metrics.map(wordsOf).filter((metric) => !written.has(metric));
    return missing.map((metric) => `${widget.title}: ${metric}`);
  });
}

/** `namespace name by dimensions` of each. */
export async function writtenMetrics(): Promise<ReadonlySet<string>> {
  const lines: EmfLine[] = [];
  const clock = { now: () => instant(NOW), wallTime: () => wallTime(NOW), wakeAt: () => () => undefined };
  const print = (line: string): void => void lines.push(JSON.parse(line) as EmfLine);
  const shared = {
    metrics: new EmfMetrics({ namespace: METRIC_NAMESPACE, clock, print }),
    clock,
    table: "t",
    byGroup: false,
  };
  await showVoter(new VoterMeter({ ...shared, voter: voterId("az-a"), shard: 0 }));
  await showPublisher(new PublisherMeter({ ...shared, shards: 1 }));
  return new Set([...OF_AWS, ...figuresOf(lines).map(wordsOf)]);
}

async function showVoter(meter: VoterMeter): Promise<void> {
  const journal = meter.journal({ write: () => undefined });
  for (const event of Object.keys(EVENTS) as EventName[]) {
    const entry = {
      event,
      group,
      voter: voterId("az-a"),
      epoch: epoch(1),
      node: null,
      generation: 1,
      tick: 1,
      detail: {},
    };
    journal.write(entry);
  }
  const store = meter.store({ writeSlot: () => Promise.resolve(true) } as unknown as GroupStore);
  const reasons = Object.keys(CONDITION_OF) as RejectionReason[];
  const fenced = { n1: nodeView({ role: "replica", follows: BOOT_FENCE }) };
  const views: VoterGroupView[] = [
    ...reasons.map((reason) => viewOf({ rejection: rejected(reason, CONDITION_AFTER_MS) })),
    viewOf({ rejection: rejected("cold-start-waiting", CONDITION_AFTER_MS), nodes: fenced }),
    viewOf({ nodes: { [nodeId("n1")]: nodeView({ class: "misconfigured", sinceMs: CONDITION_AFTER_MS }) } }),
  ];
  const invocation = { voter: voterId("az-a"), shard: 0, groupsPerVoter: null, generation: 1, owner: "o" } as const;
  const slot = { schema: 1, ...invocation, regular: true, restsMs: null } as const;
  for (const view of views) {
    await store.writeSlot({ ...slot, heartbeatAt: wallTime(NOW), groups: { [group]: view } });
  }
  meter.throttled();
  meter.end();
}

async function showPublisher(meter: PublisherMeter): Promise<void> {
  const attempt = { epoch: epoch(1), at: wallTime(NOW - 1), promoted: true };
  const control = { mode: "act", by: "cdk", reason: "", until: null, attempt: attemptId("a") } as const;
  const ballot = {
    ...emptyBallot({ group, table: "t", control, attempt: attemptId("a") }),
    budget: [attempt, attempt],
  };
  await meter.store({ readBallot: () => Promise.resolve(ballot) } as unknown as PublisherStore).readBallot(group);
  meter.ended({ groups: 1, changed: 0, failed: {} }, true);
}
