// `status --json`: the stable shape that docs/cli.md describes.

import { modeAt } from "../core/control.ts";
import { assess, copiesOf, latestView, nodesOf, readersNow, setAsideNow, viewsOf } from "./assessment.ts";
import type { GroupSnapshot } from "./snapshot.ts";
import { votersAt } from "./status-text.ts";

/** One group. */
export function statusDocument(snapshot: GroupSnapshot) {
  const { ballot, spec, config, at } = snapshot;
  const { words, exit, reasons } = assess(snapshot);
  return {
    group: spec.group,
    at,
    words,
    exit,
    reasons,
    epoch: ballot?.epoch ?? null,
    primary: ballot?.primary == null ? null : { node: ballot.primary.node, epoch: ballot.primary.epoch },
    operation: ballot?.operation ?? null,
    mode: ballot === null ? null : modeAt(ballot, at),
    control: ballot?.control ?? null,
    armed: ballot?.armed ?? false,
    published: Object.fromEntries(
      copiesOf(snapshot).map(({ target, epoch, revision, lacks }) => [target, { epoch, revision, lacks }]),
    ),
    readers: readersNow(snapshot).map(({ node, address }) => ({ node, address })),
    setAside: setAsideNow(snapshot),
    nodes: nodesOf(snapshot).map((node) => nodeDocument(snapshot, node)),
    voters: snapshot.voters.map(({ voter, isAlive, heartbeatAgeMs, restsMs, viewAgeMs, view }) => ({
      voter,
      isAlive,
      heartbeatAgeMs,
      restsMs,
      viewAgeMs,
      vote: view?.vote ?? "none",
      rejection: view?.rejection ?? null,
      candidate: view?.candidate ?? null,
      notCandidates: view?.notCandidates ?? {},
    })),
    quorum: config.quorum,
    votes: { down: votersAt(snapshot, "down"), suspect: votersAt(snapshot, "suspect") },
    request: snapshot.request,
    overrides: spec.overrides,
    shard: spec.shard,
  };
}

function nodeDocument(snapshot: GroupSnapshot, node: ReturnType<typeof nodesOf>[number]) {
  const latest = latestView(snapshot, node.id);
  return {
    node: node.id,
    address: latest?.address ?? node.address,
    zone: node.zone || (latest?.zone ?? ""),
    isDiscovered: node.isDiscovered,
    role: latest?.role ?? null,
    linkUp: latest?.role === "replica" ? latest.linkUp : null,
    offset: latest?.offset ?? null,
    lagBytes: latest?.lagBytes ?? null,
    version: latest?.version ?? null,
    seenBy: Object.fromEntries(
      viewsOf(snapshot).flatMap(({ voter, view }) => {
        const seen = view.nodes[node.id];
        return seen === undefined
          ? []
          : [[voter, { class: seen.class, sinceMs: seen.sinceMs, latencyMs: seen.latencyMs, detail: seen.detail }]];
      }),
    ),
  };
}
