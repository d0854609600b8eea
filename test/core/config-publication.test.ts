import { describe, expect, it } from "vitest";
import { checkConfig } from "../../lib/core/config-check.ts";
import { issuesOf, issuesOfSetting, threeVoters } from "./config-issues.ts";

describe("publication", () => {
  it.each([
    [true, "publication should be a map of settings and is true"],
    [{ topic: "a" }, 'publication has no setting "topic": there are parameterPrefix, dns'],
    [{ dns: true }, "publication.dns should be a map of settings and is true"],
    [
      { parameterPrefix: "valkeeper", dns: { hostedZoneId: "Z1", name: "h" } },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "valkeeper"',
    ],
    [
      { parameterPrefix: "a/valkeeper" },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "a/valkeeper"',
    ],
    [
      { parameterPrefix: 7 },
      "publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is 7",
    ],
    ...["aZ1", "Z1-", "z1"].map((id): [object, string] => [
      { dns: { hostedZoneId: id, name: "h" } },
      `publication.dns.hostedZoneId should be the id of a Route 53 hosted zone like Z0123456789ABCDEFGHIJ and is "${id}"`,
    ]),
    [
      { dns: { hostedZoneId: "Z1", name: "h", ttlSeconds: -1 } },
      "publication.dns.ttlSeconds should be from 0 to 86400 seconds and is -1",
    ],
    [
      { parameterPrefix: "valkeeper" },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "valkeeper"',
    ],
    [
      { parameterPrefix: "/valkeeper/" },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "/valkeeper/"',
    ],
    [
      { parameterPrefix: "/AWS/x" },
      'publication.parameterPrefix should not begin with /aws or /ssm, which Systems Manager keeps for itself, and is "/AWS/x"',
    ],
    [
      { dns: { hostedZoneId: "example.com", name: "v.example.com" } },
      'publication.dns.hostedZoneId should be the id of a Route 53 hosted zone like Z0123456789ABCDEFGHIJ and is "example.com"',
    ],
    [{ dns: { hostedZoneId: "Z1", name: "v..com" } }, 'publication.dns.name should be a DNS name and is "v..com"'],
    [
      { dns: { hostedZoneId: "Z1", name: "h" } },
      "publication.dns.name h is also the host of node n1: the record would point at itself",
    ],
    [
      { dns: { hostedZoneId: "Z1", name: `${"a.".repeat(124)}com` } },
      "publication.dns.name has 251 characters and may have 242: its twin _valkeeper.<name> must fit",
    ],
    [
      { dns: { hostedZoneId: "Z1", name: "v.example.com", readersName: "r..com" } },
      'publication.dns.readersName should be a DNS name and is "r..com"',
    ],
  ])("%o is refused", (publication, issue) => {
    expect(issuesOfSetting("publication", publication)).toEqual([issue]);
  });

  it("take a name for the readers where every node has an address, the primary's name excepted", () => {
    const input = (nodes: readonly object[], readersName: string) => ({
      name: "g",
      nodes,
      publication: { dns: { hostedZoneId: "Z1", name: "v.example.com", readersName } },
    });
    const issues = (nodes: readonly object[], readersName: string) => issuesOf(input(nodes, readersName));
    const taken = (nodes: readonly object[], readersName: string) =>
      checkConfig(input(nodes, readersName), threeVoters).publication.dns?.readersName;
    const [n1, n2] = [
      { id: "n1", host: "10.0.0.1" },
      { id: "n2", host: "cache-2.internal" },
    ];
    expect(taken([n1], "r.example.com.")).toBe("r.example.com");
    expect(taken([n1, { ...n2, announce: { host: "2001:db8::2" } }], "r.example.com")).toBe("r.example.com");
    expect(issues([n1], "V.example.com.")).toEqual([
      "publication.dns.readersName V.example.com is also publication.dns.name: the primary and the readers need a name each",
    ]);
    expect(issues([n1, n2], "r.example.com")).toEqual([
      "publication.dns.readersName r.example.com needs the nodes' IP addresses and node n2 is cache-2.internal: a record of names (CNAME) cannot have several; give the address as the node's host or announce.host, or leave readersName out and let applications read the parameter <prefix>/<group>/readers",
    ]);
    expect(issues([n1], `${"a.".repeat(124)}com`)).toEqual([
      "publication.dns.readersName has 251 characters and may have 242: its twin _valkeeper.<name> must fit",
    ]);
    expect(issues([n1, { ...n2, announce: { host: "r.example.com" } }], "r.example.com")).toHaveLength(2);
  });

  it("take DNS names and zones in either spelling", () => {
    const { publication } = checkConfig(
      {
        name: "g",
        nodes: [{ id: "n1", host: "h" }],
        publication: { dns: { hostedZoneId: "/hostedzone/Z1ABC", name: "primary.valkey.internal." } },
      },
      threeVoters,
    );
    expect(publication).toEqual({
      parameterPrefix: "/valkeeper",
      dns: { hostedZoneId: "Z1ABC", name: "primary.valkey.internal", ttlSeconds: 5 },
    });
  });

  it("take a name that leaves just enough for its twin, and a path with levels that others keep for themselves", () => {
    const name = `${"a.".repeat(119)}com.`;
    expect(name.length - 1).toBe(241);
    expect(issuesOfSetting("publication", { dns: { hostedZoneId: "Z1", name: `x${name}` } })).toEqual([]);
    expect(issuesOfSetting("publication", { parameterPrefix: "/valkeeper/aws" })).toEqual([]);
    expect(issuesOfSetting("publication", { parameterPrefix: null })).toEqual([]);
  });

  it("names a record's name that is none once, also beside the readers'", () => {
    const dns = { hostedZoneId: "Z1", name: "v..com", readersName: "r.example.com" };
    expect(issuesOfSetting("publication", { dns })).toContain(
      'publication.dns.name should be a DNS name and is "v..com"',
    );
  });

  it("points no record at itself, whatever the spelling of its name, nor takes two names for one", () => {
    const asHost = (host: string, name: string) =>
      issuesOf({ name: "g", nodes: [{ id: "n1", host }], publication: { dns: { hostedZoneId: "Z1", name } } }).filter(
        (issue) => issue.includes("would point at itself"),
      ).length;
    expect([asHost("Cache.internal.", "cache.INTERNAL"), asHost("cache.internal", "cache.internal.")]).toEqual([1, 1]);
    expect(asHost("acache.internal", "a.cache.internal")).toBe(0);
  });

  it("leave alone what only the deployment knows", () => {
    const token = (name: string) => `\${Token[${name}]}`;
    const isUnresolved = (text: string) => text.includes("{Token[");
    const input = {
      name: "g",
      nodes: [{ id: "n1", host: token("a.1") }],
      publication: { dns: { hostedZoneId: token("z.2"), name: `v.${token("n.3")}` } },
    };
    expect(issuesOf(input, { ...threeVoters, isUnresolved })).toEqual([]);
    const twice = { ...input, nodes: ["n1", "n2"].map((id) => ({ id, host: token("one"), zone: "a" })) };
    expect(issuesOf(twice, { ...threeVoters, isUnresolved })).toEqual([
      `nodes n1 and n2 have the same address ${token("one")} port 6379`,
    ]);
    expect(issuesOf(input)).toHaveLength(3);
  });
});
