import { describe, expect, it } from "vitest";
import { matchHost, nodeOn } from "../../../lib/adapters/hosts/matching.ts";
import type { NodeConfig } from "../../../lib/core/config.ts";
import { groupName, nodeId } from "../../../lib/core/types.ts";
import type { Host, NodePlace } from "../../../lib/ports/hosts.ts";

const host = (changes: Partial<Host>): Host => ({
  kind: "instance",
  id: "i-1",
  state: "running",
  zone: null,
  group: groupName("orders"),
  node: null,
  addresses: ["10.0.0.1"],
  names: ["ip-10-0-0-1.eu-west-1.compute.internal"],
  keeper: null,
  unstoppable: null,
  resumable: null,
  ...changes,
});
const place = (address: string): NodePlace => ({ group: groupName("orders"), node: nodeId("a"), host: address });
const nowhere = () => Promise.resolve(null);
const found = (wanted: string, hosts: readonly Host[], leadsTo: readonly string[] | null = null) =>
  matchHost(place(wanted), hosts, () => Promise.resolve(leadsTo));
const reason = async (wanted: string, hosts: readonly Host[], leadsTo: readonly string[] | null = null) => {
  const search = await found(wanted, hosts, leadsTo);
  return search.kind === "none" ? search.reason : search.host.id;
};

describe("a node's host", () => {
  it("is the tagged one with its address, in any spelling", async () => {
    const hosts = [
      host({ id: "i-2", addresses: ["10.0.0.2"] }),
      host({}),
      host({ id: "i-6", addresses: ["2001:db8::1"] }),
    ];
    expect(await reason("10.0.0.1", hosts)).toBe("i-1");
    expect(await reason("2001:DB8:0:0:0:0:0:1", hosts)).toBe("i-6");
  });

  it("is none that is tagged for another group, or whose address is another", async () => {
    const other = host({ group: groupName("other") });
    expect(await reason("10.0.0.1", [other])).toBe(
      "no EC2 instance or ECS task that is tagged valkeeper:group=orders has the address 10.0.0.1",
    );
    expect(await reason("10.0.0.9", [host({ node: nodeId("a") })])).toMatch(/has the address 10\.0\.0\.9$/);
  });

  it("is none where the tag names another node", async () => {
    expect(await reason("10.0.0.1", [host({ node: nodeId("b") })])).toBe(
      "i-1 has the address 10.0.0.1 and is tagged valkeeper:node=b, not a",
    );
  });

  it("is none when two could be meant", async () => {
    expect(await reason("10.0.0.1", [host({}), host({ id: "i-2" })])).toMatch(/^i-1 and i-2 are all tagged for a/);
    const named = [host({ node: nodeId("a") }), host({ id: "i-2", node: nodeId("a"), addresses: ["10.0.0.2"] })];
    expect(await reason("a.internal", named)).toMatch(/^i-1 and i-2 are all tagged for a/);
  });

  it("is taken by the node's tag where the node has a name", async () => {
    expect(await reason("a.internal", [host({})])).toMatch(
      /is tagged valkeeper:node=a, which a node that is declared by/,
    );
    expect(await reason("a.internal", [host({ node: nodeId("a") })])).toBe("i-1");
  });

  it("is not one that the name does not lead to", async () => {
    const hosts = [host({ node: nodeId("a") })];
    expect(await reason("a.internal", hosts, ["10.0.0.1"])).toBe("i-1");
    expect(await reason("a.internal", hosts, ["10.0.0.7"])).toBe(
      "i-1 is tagged for a, but a.internal leads to 10.0.0.7, not to it",
    );
    expect(await reason("ip-10-0-0-1.eu-west-1.compute.internal", hosts, ["10.0.0.7"])).toBe("i-1");
  });

  it("is a terminated one only by its node's tag, and while nothing else carries that", async () => {
    const gone = host({ state: "stopped", addresses: [], names: [], node: nodeId("a") });
    expect(await reason("10.0.0.1", [gone])).toBe("i-1");
    expect(await reason("10.0.0.1", [{ ...gone, node: null }])).toMatch(/^no EC2 instance/);
    const next = host({ id: "i-2", node: nodeId("a"), addresses: ["10.0.0.2"] });
    expect(await reason("10.0.0.1", [gone, next])).toMatch(/^no EC2 instance/);
    expect(await reason("a.internal", [gone, next])).toBe("i-2");
  });
});

describe("the node on a host", () => {
  const node = (id: string, address: string): NodeConfig => ({
    ...{ id: nodeId(id), host: address, port: 6379, zone: "", priority: null, announce: null },
  });
  const nodes = [node("a", "10.0.0.1"), node("b", "10.0.0.2"), node("c", "c.internal")];

  it("is found by address, or by its tag when it is declared by a name", () => {
    expect(nodeOn(host({}), nodes)?.id).toBe("a");
    expect(nodeOn(host({ node: nodeId("c"), addresses: ["10.0.0.3"] }), nodes)?.id).toBe("c");
  });

  it("is none on a stranger, where tag and address disagree, and where two share the host", async () => {
    expect(nodeOn(host({ addresses: ["10.0.0.9"] }), nodes)).toBeNull();
    expect(nodeOn(host({ node: nodeId("b") }), nodes)).toBeNull();
    expect(nodeOn(host({}), [...nodes, node("d", "10.0.0.1")])).toBeNull();
    expect((await matchHost(place("10.0.0.1"), [], nowhere)).kind).toBe("none");
  });
});
