// "By hand, when AWS cannot be reached" of docs/operations.md, on three servers: the commands of the page itself, with these
// nodes' addresses in place of its own.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { findFreePort } from "../../lib/local/free-port.ts";
import { readTools } from "../../lib/local/tools.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes, waitForLink } from "../../lib/local/valkey-set.ts";
import { useProcessGroup } from "../support/local-group.ts";

const page = readFileSync("docs/operations.md", "utf8");
const chapter = page.slice(page.indexOf("## By hand, when AWS cannot be reached"));
const { coordinator, administrator } = localAccess;
const group = useProcessGroup();
let nodes: readonly ValkeyProcess[];

/** The page's, in its order: the dead primary, the promoted one, the one that follows. */
const ADDRESSES = ["10.0.1.10", "10.0.2.10", "10.0.3.10"];

/** The code below a step's heading, block by block; step 0 is what comes before them. */
function blocksOf(step: number): readonly string[] {
  const [before = "", ...steps] = chapter.split(/^(?=\*\*\d\. )/m);
  const text = step === 0 ? before : (steps.find((each) => each.startsWith(`**${step}. `)) ?? "");
  const blocks = [...text.split(/^## /m)[step === 0 ? 1 : 0]!.matchAll(/^```\n(.*?)^```$/gms)];
  return blocks.map(([, code = ""]) => code);
}

/** Runs a block as a person would type it; `instead` is the node that stands where the page has `of`. */
function carryOut(block: string | undefined, { of, instead }: { of?: number; instead?: number } = {}): Promise<string> {
  const meant = (index: number): ValkeyProcess | undefined =>
    nodes[index === of && instead !== undefined ? instead : index];
  const placed = ADDRESSES.reduce(
    (text, address, index) => text.replaceAll(address, meant(index)?.host ?? ""),
    `set -eu -o pipefail\n${blocksOf(0).join("")}${block ?? "false"}`,
  ).replaceAll("6379", String(nodes[0]?.port));
  const PATH = `${dirname(readTools().valkey.cli)}:${process.env["PATH"]}`;
  const env = { PATH, REDISCLI_AUTH: administrator.password };
  return new Promise((resolve, reject) => {
    execFile("bash", ["-c", placed], { env, timeout: 20_000 }, (error, out, notes) =>
      error === null ? resolve(out) : reject(new Error(`${placed}\n${out}\n${notes}`, { cause: error })),
    );
  });
}

const roleOf = async (node: ValkeyProcess | undefined): Promise<unknown> =>
  (await node?.info("replication"))?.get("role");
const login = (node: ValkeyProcess | undefined): Promise<unknown> | undefined =>
  node?.ask("AUTH", coordinator.user, coordinator.password).catch((error: Error) => error.message);

describe.skipIf(process.platform !== "linux")("by hand, as docs/operations.md says", () => {
  beforeAll(async () => {
    // A follower is told an address and a port; the page has one port for all.
    const port = await findFreePort();
    const hosts = ["127.9.0.11", "127.9.0.12", "127.9.0.13"];
    const own = hosts.map((host) => ({
      host,
      port,
      settings: { "bind-source-addr": host, "replica-announce-ip": host },
    }));
    nodes = (await startReplicatedNodes({ group, access: localAccess, boot: "fenced", nodes: own })).all;
  }, 60_000);

  it("keeps the voters out", async () => {
    for (const instead of [1, 2]) await carryOut(blocksOf(1)[0], { of: 1, instead });
    for (const node of nodes.slice(1)) expect(await login(node)).toMatch(/WRONGPASS/);
    expect(await login(nodes[0])).toBe("OK");
  });

  it("shows who has the newest data", async () => {
    // WAIT counts for what its own connection wrote.
    const client = nodes[0]!.open();
    await client.call("SET", "key", "value");
    expect(await client.call("WAIT", "2", "5000")).toBe(2);
    client.disconnect();
    const seen = await carryOut(blocksOf(2)[0]);
    expect(seen).toMatch(/^role:slave\r?$/m);
    expect(seen).toMatch(/^slave_repl_offset:\d+\r?$/m);
    expect(seen).toMatch(/^master_replid:[0-9a-f]{40}\r?$/m);
  });

  it("fences an old primary that answers: it takes no write, and comes back fenced", async () => {
    const [old] = nodes;
    await carryOut(blocksOf(3)[0]);
    expect(await roleOf(old)).toBe("slave");
    await expect(old?.ask("SET", "key", "late")).rejects.toThrow(/READONLY/);
    await old?.kill();
    await old?.restart({ boot: "plain" });
    expect(Object.fromEntries((await old?.info("replication")) ?? [])).toMatchObject({
      ...{ role: "slave", master_host: "127.0.0.1", master_port: "1" },
    });
    await old?.kill();
  });

  it("promotes one, which keeps what was written, and has the others follow, the old primary too", async () => {
    const [old, promoted, other] = nodes;
    await carryOut(blocksOf(4)[0]);
    expect(await roleOf(promoted)).toBe("master");
    expect(await promoted?.ask("GET", "key")).toBe("value");
    await promoted?.ask("SET", "key", "newer");
    expect(await carryOut(blocksOf(5)[0])).toMatch(/master_link_status:/);
    await old?.restart({ boot: "fenced" });
    await carryOut(blocksOf(5)[0], { of: 2, instead: 0 });
    for (const node of [other, old]) {
      if (node !== undefined) await waitForLink(node);
      expect([await roleOf(node), await node?.ask("GET", "key")]).toEqual(["slave", "newer"]);
    }
  });

  it("lets the voters in again, also after a restart", async () => {
    const [, promoted, other] = nodes;
    await carryOut(blocksOf(7)[0]);
    for (const node of [promoted, other]) expect(await login(node)).toBe("OK");
    await other?.kill();
    await other?.restart();
    expect(await login(other)).toBe("OK");
  });
});
