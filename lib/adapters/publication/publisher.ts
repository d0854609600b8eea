// The Publisher port: one publication brought to the table, to SSM and to Route 53. Which of the copies this process
// reaches is decided by the clients it is given; what it does not reach is left to the publisher function.

import type { Route53Client } from "@aws-sdk/client-route-53";
import type { SSMClient } from "@aws-sdk/client-ssm";
import type { GroupConfig } from "../../core/config.ts";
import { messageOf } from "../../core/errors.ts";
import { comparePublications, saysTheSame } from "../../core/publication.ts";
import type { Publication, PublicationTarget } from "../../core/records.ts";
import { epoch } from "../../core/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PublicationStore } from "../../ports/group-store.ts";
import type { Publisher, PublishOutcome, Standing } from "../../ports/publisher.ts";
import { publishParameters, standingTopology } from "./parameters.ts";
import { orderText } from "./publication-text.ts";
import { RecordQueue } from "./record-queue.ts";

export interface PublisherOptions {
  readonly store: PublicationStore;
  /** Null: no path to SSM from here. */
  readonly ssm: SSMClient | null;
  /** Null: no path to Route 53 from here. */
  readonly route53: Route53Client | null;
  readonly clock: Pick<Clock, "wallTime">;
  /**
   * Write down why a copy could not be written, for those who ask. The publisher does: what a voter could not write is tried
   * there again, and a voter has more urgent things to do.
   * @default false
   */
  readonly notesFailures?: boolean;
}

/** Of what a service says; the rest is in the journal. */
const DETAIL_LIMIT = 500;

/** What is published through, made from the options once. */
interface Means extends Omit<PublisherOptions, "route53"> {
  readonly records: RecordQueue | null;
}

/** One for all groups of a process: their changes to one zone share batches. */
export function createPublisher({ route53, ...others }: PublisherOptions): Publisher {
  const options: Means = { ...others, records: route53 === null ? null : new RecordQueue(route53) };
  return {
    async publish(target, publication, config) {
      try {
        const outcome = await publishTo(target, publication, config, options);
        if (outcome.kind === "applied" && target !== "table") await confirm(target, publication, outcome, options);
        if (outcome.kind === "failed" && target !== "table") await noteFailure(target, publication, outcome, options);
        return outcome;
      } catch (error) {
        // A store that does not answer, a damaged record: the next run of the publisher tries again, and alarms.
        return { kind: "failed", detail: messageOf(error) };
      }
    },
    standing: (config) => standing(config, options),
  };
}

/**
 * Of all that this process reaches. What a copy was last confirmed to say counts too: it is all that a voter without a
 * path to SSM and Route 53 can know of them. Rejects when something that is reached cannot be read.
 */
async function standing(config: GroupConfig, { store, ssm, records }: Means): Promise<Standing> {
  const { parameterPrefix: prefix, dns } = config.publication;
  const group = config.name;
  const [published, copies, topology, record] = await Promise.all([
    store.readPublication(group),
    store.readCopies(group),
    ssm === null || prefix === null ? null : standingTopology({ ssm, group, prefix }),
    records === null || dns === null ? epoch(0) : records.standingEpoch(dns),
  ]);
  const known = [published, copies.ssm, copies.dns, topology].map((each) => each?.epoch ?? 0);
  return { epoch: epoch(Math.max(...known, record)), table: topology?.table ?? null };
}

function publishTo(
  target: PublicationTarget,
  publication: Publication,
  config: GroupConfig,
  { store, ssm, records }: Means,
): PromiseLike<PublishOutcome> | PublishOutcome {
  const { parameterPrefix, dns } = config.publication;
  switch (target) {
    case "table":
      return publishItem(store, publication);
    case "ssm":
      if (parameterPrefix === null) return { kind: "skipped", detail: "no parameters are configured" };
      if (ssm === null) return { kind: "skipped", detail: "SSM is left to the publisher function" };
      return publishParameters({ ssm, publication, prefix: parameterPrefix });
    case "dns":
      if (dns === null) return { kind: "skipped", detail: "no DNS record is configured" };
      if (records === null) return { kind: "skipped", detail: "Route 53 is left to the publisher function" };
      return records.publish(publication, dns);
  }
}

async function publishItem(store: PublicationStore, publication: Publication): Promise<PublishOutcome> {
  if (await store.writePublication(publication)) return { kind: "applied", changed: true };
  const standing = await store.readPublication(publication.group);
  if (standing === null) return { kind: "failed", detail: "the group was removed meanwhile" };
  const order = comparePublications(standing, publication);
  if (order > 0) return { kind: "superseded", detail: orderText(standing) };
  // S1: one epoch has one primary. Whoever wrote another under it, this is not a copy that lags behind.
  if (order < 0 || !saysTheSame(standing, publication)) {
    return { kind: "failed", detail: `the table says something else of ${orderText(standing)}` };
  }
  return { kind: "applied", changed: false };
}

/** What status shows. Written when something changed, or when an earlier confirmation was lost. */
async function confirm(
  target: "ssm" | "dns",
  publication: Publication,
  outcome: PublishOutcome & { readonly kind: "applied" },
  { store, clock }: Means,
): Promise<void> {
  const { group, epoch, revision } = publication;
  try {
    if (!outcome.changed) {
      const { [target]: confirmed, [failureOf(target)]: failure } = await store.readCopies(group);
      const isConfirmed = confirmed !== null && comparePublications(confirmed, publication) === 0;
      if (isConfirmed && failure === undefined) return;
    }
    await store.writeCopies(group, { [target]: { epoch, revision, at: clock.wallTime() } });
  } catch {
    // The copy itself stands. The publisher's next run finds it unconfirmed and writes this again.
  }
}

const failureOf = <T extends "ssm" | "dns">(target: T): `${T}Failure` => `${target}Failure`;

/** Once for the same words: it is tried again each minute. */
async function noteFailure(
  target: "ssm" | "dns",
  { group }: Publication,
  outcome: PublishOutcome & { readonly kind: "failed" },
  { store, clock, notesFailures = false }: Means,
): Promise<void> {
  if (!notesFailures) return;
  const detail = outcome.detail.slice(0, DETAIL_LIMIT);
  try {
    const { [failureOf(target)]: standing } = await store.readCopies(group);
    if (standing?.detail === detail) return;
    await store.writeCopies(group, { [failureOf(target)]: { detail, at: clock.wallTime() } });
  } catch {
    // The journal has it too, and the next run tries again.
  }
}
