// What is valid and still worth a word? Said at synth and at registration, never an error: each of these is somebody's
// right choice.

import { announced, type GroupConfig } from "./config.ts";
import type { VoterId } from "./types.ts";

/** One sentence each: what it means, and what to do about it. */
export function configWarnings(config: GroupConfig, voters: readonly VoterId[]): readonly string[] {
  return [...nodeWarnings(config), ...voterWarnings(voters), ...settingWarnings(config)];
}

function nodeWarnings({ nodes, primary }: GroupConfig): readonly string[] {
  const warnings: string[] = [];
  const zones = new Set(nodes.map((node) => node.zone));
  if (nodes.length === 1)
    warnings.push("there is one node: there is nothing to fail over to until replicas are found or added");
  if (nodes.length === 2)
    warnings.push("there are two nodes: after a failover there is no further one to fail over to; three are usual");
  if (nodes.length > 1 && zones.size === 1 && !zones.has("")) {
    warnings.push(`all nodes are in zone ${nodes[0]?.zone}: its loss is the loss of the group`);
  }
  if (nodes.every((node) => node.priority === 0)) warnings.push("every node has priority 0, which is never promoted");
  else if (primary !== null && nodes.find((node) => node.id === primary)?.priority === 0) {
    warnings.push(`the declared primary ${primary} has priority 0: once failed over, it never becomes primary again`);
  }
  return warnings;
}

function voterWarnings(voters: readonly VoterId[]): readonly string[] {
  if (voters.length < 3) {
    return [
      `there ${voters.length === 1 ? "is one voter" : "are two voters"}: without any one of them nothing is decided; three are usual`,
    ];
  }
  if (voters.length % 2 === 0) {
    return [`there are ${voters.length} voters: they bear the loss of no more of them than ${voters.length - 1} would`];
  }
  return [];
}

function settingWarnings(config: GroupConfig): readonly string[] {
  const warnings: string[] = [];
  if (config.credentials.user === "default") {
    warnings.push(
      "the coordinator uses the user default: its CLIENT KILL USER also cuts applications and replication links of that user; give it a user of its own",
    );
  }
  if (config.onPossibleLoss === "promote" && config.waitK > 0) {
    warnings.push(`waitK ${config.waitK} has no effect while onPossibleLoss is promote`);
  }
  if (config.minReplicasToWrite > 0 && config.minReplicasToWrite === config.nodes.length - 1) {
    warnings.push(
      `minReplicasToWrite ${config.minReplicasToWrite} is the number of replicas: the loss of one stops all writes`,
    );
  }
  const ttl = config.publication.dns?.ttlSeconds ?? 0;
  if (ttl > 60)
    warnings.push(`publication.dns.ttlSeconds ${ttl}: resolvers may give out the old primary for that long`);
  const names = config.nodes.filter(
    (node) => config.publication.dns !== null && /^[0-9a-f.:]+$/i.test(announced(node).host),
  );
  if (names.length > 0 && names.length < config.nodes.length) {
    warnings.push(
      "some nodes have addresses and some have names: the DNS record changes its type (A, AAAA, CNAME) with the primary",
    );
  }
  if (config.stopInstance === "required") {
    warnings.push(
      "stopInstance required: where the old primary's host cannot be stopped, no failover happens until a person decides",
    );
  }
  if (config.mode === "observe")
    warnings.push("mode observe: nothing is done, and a group without a record is looked at and not adopted");
  return warnings;
}
