import { describe, expect, it } from "vitest";
import { checkConfig } from "../../lib/core/config-check.ts";
import { configWarnings } from "../../lib/core/config-warnings.ts";
import { voterId } from "../../lib/core/types.ts";

describe("configWarnings", () => {
  const warningsOf = (rest: object, voters: readonly string[] = ["a", "b", "c"]) => {
    const ids = voters.map(voterId);
    const three = ["n1", "n2", "n3"].map((id) => ({ id, host: id, zone: id }));
    const credentials = { user: "valkeeper", secretId: "s" };
    return configWarnings(checkConfig({ name: "g", nodes: three, credentials, ...rest }, { voters: ids }), ids);
  };

  it("has none for three nodes in three zones with a user of their own", () => {
    expect(warningsOf({})).toEqual([]);
  });

  it.each([
    [
      { nodes: [{ id: "n1", host: "h" }] },
      "there is one node: there is nothing to fail over to until replicas are found or added",
    ],
    [
      { credentials: { secretId: "s" } },
      "the coordinator uses the user default: its CLIENT KILL USER also cuts applications and replication links of that user; give it a user of its own",
    ],
    [{ waitK: 1 }, "waitK 1 has no effect while onPossibleLoss is promote"],
    [{ minReplicasToWrite: 2 }, "minReplicasToWrite 2 is the number of replicas: the loss of one stops all writes"],
    [
      { stopInstance: "required" },
      "stopInstance required: where the old primary's host cannot be stopped, no failover happens until a person decides",
    ],
    [{ mode: "observe" }, "mode observe: nothing is done, and a group without a record is looked at and not adopted"],
    [
      { nodes: ["n1", "n2", "n3"].map((id) => ({ id, host: id, zone: "a" })) },
      "all nodes are in zone a: its loss is the loss of the group",
    ],
    [
      { nodes: ["n1", "n2"].map((id) => ({ id, host: id, zone: id })) },
      "there are two nodes: after a failover there is no further one to fail over to; three are usual",
    ],
    [
      { nodes: ["n1", "n2", "n3"].map((id) => ({ id, host: id, zone: id, priority: 0 })), primary: "n1" },
      "every node has priority 0, which is never promoted",
    ],
    [
      { nodes: ["n1", "n2", "n3"].map((id) => ({ id, host: id, priority: id === "n2" ? 0 : 1 })), primary: "n2" },
      "the declared primary n2 has priority 0: once failed over, it never becomes primary again",
    ],
    [
      { publication: { dns: { hostedZoneId: "Z1", name: "v.example.com", ttlSeconds: 61 } } },
      "publication.dns.ttlSeconds 61: resolvers may give out the old primary for that long",
    ],
    [
      {
        nodes: ["10.0.0.1", "fd00::2", "cache-3"].map((host, index) => ({ id: `n${index}`, host })),
        publication: { dns: { hostedZoneId: "Z1", name: "v.example.com", ttlSeconds: 60 } },
      },
      "some nodes have addresses and some have names: the DNS record changes its type (A, AAAA, CNAME) with the primary",
    ],
  ])("%o gives one", (settings, warning) => {
    expect(warningsOf(settings)).toEqual([warning]);
  });

  const dns = { publication: { dns: { hostedZoneId: "Z1", name: "v.example.com", ttlSeconds: 60 } } };
  const hosts = (...all: readonly string[]) => ({ nodes: all.map((host, index) => ({ id: `n${index}`, host })) });
  it.each([
    [
      "two nodes whose zones are not known",
      { nodes: hosts("a", "b", "c").nodes.map((each) => ({ ...each, zone: "" })) },
    ],
    [
      "a zone that is not known beside one that is",
      { nodes: ["", "a", ""].map((zone, index) => ({ id: `n${index}`, host: `h${index}`, zone })) },
    ],
    ["a primary that may become one again", { primary: "n1" }],
    [
      "another node than the primary with priority 0",
      { nodes: ["n1", "n2", "n3"].map((id) => ({ id, host: id, priority: id === "n3" ? 0 : 1 })), primary: "n1" },
    ],
    [
      "a priority of 0 where no primary is declared",
      { nodes: ["n1", "n2", "n3"].map((id) => ({ id, host: id, priority: id === "n3" ? 0 : 1 })) },
    ],
    ["a waitK that has an effect", { waitK: 1, onPossibleLoss: "refuse", offsetToleranceBytes: 0 }],
    ["fewer replicas demanded than there are", { minReplicasToWrite: 1 }],
    ["addresses and names without DNS", hosts("10.0.0.1", "n2", "n3")],
    ["addresses alone behind a DNS name", { ...dns, ...hosts("10.0.0.1", "10.0.0.2", "10.0.0.3") }],
    ["names alone behind a DNS name", { ...dns, ...hosts("a.1", "1.b", "c") }],
    [
      "a node with a name that is announced by its address",
      {
        ...dns,
        nodes: ["1", "2", "3"].map((n) => ({ id: `n${n}`, host: `h${n}`, announce: { host: `10.0.0.${n}` } })),
      },
    ],
  ])("has none for %s", (_, settings) => {
    expect(warningsOf(settings)).toEqual([]);
  });

  it("says nothing of one node's zone, nor of the replicas that it has not", () => {
    expect(warningsOf({ nodes: [{ id: "n1", host: "h", zone: "a" }] })).toHaveLength(1);
  });

  it("says what fewer or an even number of voters means", () => {
    expect(warningsOf({}, ["a"])).toEqual([
      "there is one voter: without any one of them nothing is decided; three are usual",
    ]);
    expect(warningsOf({}, ["a", "b", "c", "d", "e"])).toEqual([]);
    expect(warningsOf({}, ["a", "b"])).toEqual([
      "there are two voters: without any one of them nothing is decided; three are usual",
    ]);
    expect(warningsOf({}, ["a", "b", "c", "d"])).toEqual([
      "there are 4 voters: they bear the loss of no more of them than 3 would",
    ]);
  });
});
