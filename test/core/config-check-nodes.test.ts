import { describe, expect, it } from "vitest";
import { canonicalHost } from "../../lib/core/address-format.ts";
import { type CheckContext, checkConfig } from "../../lib/core/config-check.ts";
import { configWarnings } from "../../lib/core/config-warnings.ts";
import { ConfigurationError } from "../../lib/core/errors.ts";
import { voterId } from "../../lib/core/types.ts";

const context: CheckContext = { voters: ["az-a", "az-b", "az-c"].map(voterId) };

function issuesOf(input: unknown, given: CheckContext = context): readonly string[] {
  try {
    checkConfig(input, given);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).issues;
  }
}
const ofNodes = (...nodes: readonly unknown[]) => issuesOf({ name: "g", nodes });
const withSetting = (name: string, value: unknown, given: Partial<CheckContext> = {}) =>
  issuesOf({ name: "g", nodes: [{ id: "n1", host: "h" }], [name]: value }, { ...context, ...given });

describe("nodes", () => {
  it.each([undefined, null, [], "n1=h:1", {}])("%o is no list of nodes", (nodes) => {
    expect(issuesOf({ name: "g", nodes })[0]).toMatch(/^nodes should be a list of 1 to 32 nodes and (is|has) /);
  });

  it.each([
    "10.0.0.1",
    "valkey-1.example.internal",
    "localhost",
    "fd00::1",
    "::1",
    "fd00:0:0:0:0:0:0:1",
    "::ffff:10.0.0.1",
  ])("can be at %s", (host) => {
    expect(ofNodes({ id: "n1", host })).toEqual([]);
  });

  it.each([
    ["", "nodes.n1.host should be a host name or an IP address and is empty"],
    [7, "nodes.n1.host should be a host name or an IP address and is 7"],
    ["10.0.0.256", 'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "10.0.0.256"'],
    ["10.0.0", 'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "10.0.0"'],
    ["a b", 'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "a b"'],
    ["h\r\nSLAVEOF", 'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "h\\r\\nSLAVEOF"'],
    ["-h", 'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "-h"'],
    [
      "[fd00::1]",
      'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "[fd00::1]": write IPv6 addresses without brackets',
    ],
    ["fe80::1%eth0", 'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "fe80::1%eth0"'],
    ["1::2::3", 'nodes.n1.host should be a host name, an IPv4 or an IPv6 address and is "1::2::3"'],
    ["0.0.0.0", "nodes.n1.host is 0.0.0.0, which nobody can connect to: give the address that the node is reached by"],
    ["::", "nodes.n1.host is ::, which nobody can connect to: give the address that the node is reached by"],
  ])("cannot be at %o", (host, issue) => {
    expect(ofNodes({ id: "n1", host })).toEqual([issue]);
  });

  it.each([0, 65_536, "6379", 1.5])("cannot listen on port %o", (port) => {
    expect(ofNodes({ id: "n1", host: "h", port })[0]).toMatch(
      /^nodes\.n1\.port should be .*from 1 to 65535 \(a TCP port\) and is /,
    );
  });

  it("S4: cannot be at an address that spells an epoch or the boot fence", () => {
    expect(ofNodes({ id: "n1", host: "127.0.0.9", port: 1 }, { id: "n2", host: "127.0.0.1", port: 1 })).toEqual([
      "nodes.n1 is 127.0.0.9:1, an address that Valkeeper gives to frozen nodes to follow (127.x.y.z port 1): no node can listen there",
      "nodes.n2 is 127.0.0.1:1, an address that Valkeeper gives to frozen nodes to follow (127.x.y.z port 1): no node can listen there",
    ]);
    expect(ofNodes({ id: "n1", host: "127.0.0.9", port: 7001 }, { id: "n2", host: "10.0.0.1", port: 1 })).toEqual([]);
    expect(ofNodes({ id: "n1", host: "10.127.0.1", port: 1 }, { id: "n2", host: "a127.b", port: 1 })).toEqual([]);
  });

  it("have distinct ids and sockets, whatever the spelling", () => {
    expect(ofNodes({ id: "n1", host: "h1" }, { id: "n1", host: "h2" })).toEqual(['nodes: two have the id "n1"']);
    expect(ofNodes({ id: "n1", host: "Host.internal" }, { id: "n2", host: "host.internal." })).toEqual([
      "nodes n1 and n2 have the same address host.internal. port 6379",
    ]);
    expect(ofNodes({ id: "n1", host: "fd00::1" }, { id: "n2", host: "FD00:0::0:1" })).toEqual([
      "nodes n1 and n2 have the same address FD00:0::0:1 port 6379",
    ]);
    expect(ofNodes({ id: "n1", host: "h" }, { id: "n2", host: "h", port: 6380 })).toEqual([]);
    expect(
      ofNodes(
        { id: "n1", host: "h1", announce: { host: "lb", port: 1 } },
        { id: "n2", host: "h2", announce: { host: "lb", port: 1 } },
      ),
    ).toEqual(["nodes n1 and n2 announce the same address lb port 1"]);
    const named = { id: "n1", host: "h1", announce: { host: "h2", port: 6379 } };
    expect(ofNodes(named, { id: "n2", host: "h2" })).toEqual([
      "nodes n1 and n2 announce the same address h2 port 6379",
    ]);
  });

  it.each(["", "n 1", "n.1", "-n", "é", "x".repeat(33), 7])("cannot have the id %o", (id) => {
    expect(ofNodes({ id, host: "h" })[0]).toMatch(/^nodes\[0\]\.id should be 1 to 32 letters, digits, - and _/);
  });

  it("announce an address that can be connected to, on the port of a node whose own is not known", () => {
    expect(ofNodes({ id: "n1", host: "h", announce: { host: "0.0.0.0" } })).toEqual([
      "nodes.n1.announce.host is 0.0.0.0, which nobody can connect to: give the address that the node is reached by",
    ]);
    expect(ofNodes({ id: "n1", host: "h", announce: true })).toEqual([
      "nodes.n1.announce should be a map of settings and is true",
    ]);
    expect(ofNodes({ id: "n1", host: "", announce: { host: "pub" } })).toHaveLength(1);
  });

  it("may be 32, and not one more", () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ id: `n${index}`, host: `h${index}` }));
    expect(ofNodes(...many(32))).toEqual([]);
    expect(ofNodes(...many(33))).toEqual(["nodes should be a list of 1 to 32 nodes and has 33"]);
  });

  it("take priorities, zones and the port of what they announce", () => {
    const config = checkConfig(
      {
        name: "g",
        nodes: [{ id: "n1", host: "h", port: 7000, zone: "eu-west-1a", priority: 0, announce: { host: "pub" } }],
      },
      context,
    );
    expect(config.nodes[0]).toEqual({
      id: "n1",
      host: "h",
      port: 7000,
      zone: "eu-west-1a",
      priority: 0,
      announce: { host: "pub", port: 7000 },
    });
    expect(ofNodes({ id: "n1", host: "h", priority: -1, zone: "a b" })).toEqual([
      'nodes.n1.zone should be 1 to 32 letters, digits, - and _, beginning with a letter or digit, and is "a b"',
      "nodes.n1.priority should be from 0 to 1000000 (lowest wins, 0 never), or null, and is -1",
    ]);
  });
});

describe("canonicalHost", () => {
  it.each([
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["1::", "1::"],
    ["1:2:3:4:5:6:7:8:9", null],
    ["1:2:3:4:5:6:7::8", null],
    [":1:2:3:4:5:6:7", null],
    ["12345::", null],
    ["::1.2.3", null],
    ["01.2.3.4", null],
    ["a..b", null],
    [`${"a".repeat(64)}.b`, null],
    ["", null],
    [".", null],
    ["Host.Internal.", "host.internal"],
    ["a b.", null],
    [`${"a.".repeat(126)}b`, `${"a.".repeat(126)}b`],
    [`${"a.".repeat(126)}b.`, `${"a.".repeat(126)}b`],
    [`${"a.".repeat(126)}bc`, null],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::ffff:10.1.2.3", "::ffff:a01:203"],
    ["10.1.2.3:1:2:3:4:5:6", null],
    ["1.2.3.4::", null],
    ["1.2.3.4::1.2.3.4", null],
  ])("of %s is %s", (text, canonical) => {
    expect(canonicalHost(text)).toBe(canonical);
  });
});

describe("credentials", () => {
  it("are understood by the field they have", () => {
    const of = (credentials: unknown) =>
      checkConfig({ name: "g", nodes: [{ id: "n1", host: "h" }], credentials }, { ...context, inlineCredentials: true })
        .credentials;
    expect(of({ user: "valkeeper", secretId: "valkey/failover" })).toEqual({
      kind: "secrets-manager",
      user: "valkeeper",
      secretId: "valkey/failover",
    });
    expect(of({ user: "valkeeper", parameter: "/valkey/password" })).toEqual({
      kind: "ssm-secure-string",
      user: "valkeeper",
      parameter: "/valkey/password",
    });
    expect(of({ password: "p w" })).toEqual({ kind: "inline", user: "default", password: "p w" });
    expect(of({})).toEqual({ kind: "none", user: "default" });
  });

  it("are never inline outside local, and never repeated in a message", () => {
    const issues = withSetting("credentials", { user: "valkeeper", password: "hunter2" });
    expect(issues).toEqual([
      "credentials.password is given inline, and no record ever holds a password: put it into Secrets Manager (secretId) or an SSM SecureString (parameter)",
    ]);
    expect(withSetting("credentials", { password: "hunter2", kind: "inlined" }).join()).not.toContain("hunter2");
    for (const password of [7, ""]) {
      expect(withSetting("credentials", { password }, { inlineCredentials: true })).toEqual([
        "credentials.password should be a text that is not empty",
      ]);
    }
    expect(withSetting("credentials", { kind: "secrets-manager", secretId: "a" })).toEqual([]);
  });

  it.each([
    [
      { user: "valkeeper" },
      'credentials name the user "valkeeper" and no secret: add secretId (Secrets Manager) or parameter (SSM SecureString)',
    ],
    [{ secretId: "a", parameter: "b" }, "credentials have secretId and parameter: give one of them"],
    [
      { kind: "secrets-manager", parameter: "b" },
      'credentials.kind is "secrets-manager" and parameter belongs to "ssm-secure-string"',
    ],
    [
      { kind: "secrets-manager" },
      "credentials.secretId should be the name or ARN of a Secrets Manager secret and is missing",
    ],
    [
      { kind: "vault", secretId: "a" },
      'credentials.kind should be "inline" or "secrets-manager" or "ssm-secure-string" or "none" and is "vault"',
    ],
    [{ user: "two words" }, 'credentials.user should be a user name without blanks and is "two words"'],
    [
      { kind: "ssm-secure-string" },
      "credentials.parameter should be the name or ARN of an SSM SecureString parameter and is missing",
    ],
    [{ user: "two words", secretId: "a" }, 'credentials.user should be a user name without blanks and is "two words"'],
    ["hunter2", 'credentials should be a map of settings and is "hunter2"'],
  ])("%o is refused", (credentials, issue) => {
    expect(withSetting("credentials", credentials)).toEqual([issue]);
  });
});

describe("tls and publication", () => {
  it.each([
    [
      "tls",
      { enabled: true, ca: "MIIB" },
      'tls.ca should be a certificate as PEM text (-----BEGIN CERTIFICATE----- ...) and is "MIIB"',
    ],
    ["tls", { enabled: "yes" }, 'tls.enabled should be true or false and is "yes"'],
    ["tls", true, "tls should be a map of settings and is true"],
    ["tls", { enabled: "yes", serverName: "a" }, 'tls.enabled should be true or false and is "yes"'],
    ["tls", { ca: 7 }, "tls.ca should be a certificate as PEM text (-----BEGIN CERTIFICATE----- ...) and is 7"],
    ["tls", { serverName: "a..b" }, 'tls.serverName should be a DNS name and is "a..b"'],
    ["tls", { serverName: 7 }, "tls.serverName should be a DNS name and is 7"],
    [
      "tls",
      { ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----" },
      "tls.ca is given and tls.enabled is false: enable TLS or leave it out",
    ],
    ["publication", true, "publication should be a map of settings and is true"],
    ["publication", { topic: "a" }, 'publication has no setting "topic": there are parameterPrefix, dns'],
    ["publication", { dns: true }, "publication.dns should be a map of settings and is true"],
    [
      "publication",
      { parameterPrefix: "valkeeper", dns: { hostedZoneId: "Z1", name: "h" } },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "valkeeper"',
    ],
    [
      "publication",
      { parameterPrefix: "a/valkeeper" },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "a/valkeeper"',
    ],
    [
      "publication",
      { parameterPrefix: 7 },
      "publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is 7",
    ],
    ...["aZ1", "Z1-", "z1"].map((id): [string, object, string] => [
      "publication",
      { dns: { hostedZoneId: id, name: "h" } },
      `publication.dns.hostedZoneId should be the id of a Route 53 hosted zone like Z0123456789ABCDEFGHIJ and is "${id}"`,
    ]),
    [
      "publication",
      { dns: { hostedZoneId: "Z1", name: "h", ttlSeconds: -1 } },
      "publication.dns.ttlSeconds should be from 0 to 86400 seconds and is -1",
    ],
    [
      "publication",
      { parameterPrefix: "valkeeper" },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "valkeeper"',
    ],
    [
      "publication",
      { parameterPrefix: "/valkeeper/" },
      'publication.parameterPrefix should be a path like /valkeeper (levels of letters, digits, -, _ and ., none empty), or null, and is "/valkeeper/"',
    ],
    [
      "publication",
      { parameterPrefix: "/AWS/x" },
      'publication.parameterPrefix should not begin with /aws or /ssm, which Systems Manager keeps for itself, and is "/AWS/x"',
    ],
    [
      "publication",
      { dns: { hostedZoneId: "example.com", name: "v.example.com" } },
      'publication.dns.hostedZoneId should be the id of a Route 53 hosted zone like Z0123456789ABCDEFGHIJ and is "example.com"',
    ],
    [
      "publication",
      { dns: { hostedZoneId: "Z1", name: "v..com" } },
      'publication.dns.name should be a DNS name and is "v..com"',
    ],
    [
      "publication",
      { dns: { hostedZoneId: "Z1", name: "h" } },
      "publication.dns.name h is also the host of node n1: the record would point at itself",
    ],
    [
      "publication",
      { dns: { hostedZoneId: "Z1", name: `${"a.".repeat(124)}com` } },
      "publication.dns.name has 251 characters and may have 242: its twin _valkeeper.<name> must fit",
    ],
    [
      "publication",
      { dns: { hostedZoneId: "Z1", name: "v.example.com", readersName: "r..com" } },
      'publication.dns.readersName should be a DNS name and is "r..com"',
    ],
  ])("%s %o is refused", (name, value, issue) => {
    expect(withSetting(name, value)).toEqual([issue]);
  });

  it("take a name for the readers where every node has an address, the primary's name excepted", () => {
    const issues = (nodes: readonly object[], readersName: string) => {
      try {
        const dns = { hostedZoneId: "Z1", name: "v.example.com", readersName };
        const checked = checkConfig({ name: "g", nodes, publication: { dns } }, context);
        return checked.publication.dns?.readersName;
      } catch (error) {
        return (error as { readonly issues: readonly string[] }).issues;
      }
    };
    const [n1, n2] = [
      { id: "n1", host: "10.0.0.1" },
      { id: "n2", host: "cache-2.internal" },
    ];
    expect(issues([n1], "r.example.com.")).toBe("r.example.com");
    expect(issues([n1, { ...n2, announce: { host: "2001:db8::2" } }], "r.example.com")).toBe("r.example.com");
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
      context,
    );
    expect(publication).toEqual({
      parameterPrefix: "/valkeeper",
      dns: { hostedZoneId: "Z1ABC", name: "primary.valkey.internal", ttlSeconds: 5 },
    });
  });

  it("take a name that leaves just enough for its twin, and a path with levels that others keep for themselves", () => {
    const name = `${"a.".repeat(119)}com.`;
    expect(name.length - 1).toBe(241);
    expect(withSetting("publication", { dns: { hostedZoneId: "Z1", name: `x${name}` } })).toEqual([]);
    expect(withSetting("publication", { parameterPrefix: "/valkeeper/aws" })).toEqual([]);
    expect(withSetting("publication", { parameterPrefix: null })).toEqual([]);
  });

  it("names a record's name that is none once, also beside the readers'", () => {
    const dns = { hostedZoneId: "Z1", name: "v..com", readersName: "r.example.com" };
    expect(withSetting("publication", { dns })).toContain('publication.dns.name should be a DNS name and is "v..com"');
  });

  it("need something that stops hosts where a failover is to wait for that", () => {
    const asked = (stopInstance: string, hasStopper?: boolean) =>
      issuesOf(
        { name: "g", nodes: [{ id: "n1", host: "h" }], stopInstance },
        hasStopper === undefined ? context : { ...context, hasStopper },
      );
    expect(asked("required", false)).toEqual([
      'stopInstance "required" needs something that stops hosts, and this deployment has none: give it hostStopping, or use "off"',
    ]);
    expect([asked("required", true), asked("required"), asked("off", false)]).toEqual([[], [], []]);
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
    expect(issuesOf(input, { ...context, isUnresolved })).toEqual([]);
    const twice = { ...input, nodes: ["n1", "n2"].map((id) => ({ id, host: token("one"), zone: "a" })) };
    expect(issuesOf(twice, { ...context, isUnresolved })).toEqual([
      `nodes n1 and n2 have the same address ${token("one")} port 6379`,
    ]);
    expect(issuesOf(input)).toHaveLength(3);
  });
});

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
    [{ mode: "observe" }, "mode observe: everything is decided and recorded, nothing is done"],
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
