import { describe, expect, it } from "vitest";
import { checkConfig } from "../../lib/core/config-check.ts";
import { issuesOf, threeVoters } from "./config-issues.ts";

const ofNodes = (...nodes: readonly unknown[]) => issuesOf({ name: "g", nodes });

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
      threeVoters,
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
