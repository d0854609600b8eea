// The whole way from a Sentinel installation and back, as docs/deploy.md tells it: real Sentinels, the files they wrote,
// the shipped command, real voters.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitWords } from "../../lib/cli/sentinel-conf.ts";
import { SERVER_DIRECTIVES } from "../../lib/cli/sentinel-directives.ts";
import { groupName } from "../../lib/core/types.ts";
import { findFreePort } from "../../lib/local/free-port.ts";
import { readTools } from "../../lib/local/tools.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { LiveGroup } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";
import { type Ended, runValkeeper } from "../support/shipped-command.ts";

const SESSIONS = groupName("sessions");
const { user, password } = localAccess.administrator;

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup;
let sentinels: readonly { readonly file: string; readonly client: Redis; readonly lines: string[] }[];

const valkeeper = (...args: string[]): Promise<Ended> =>
  runValkeeper({ endpoint: endpoint(), table: live.table }, args);

/** With quorum 3, two of them say what they see and never act on it. */
async function startSentinel(name: string) {
  const folder = group.makeFolder(name);
  const file = join(folder, "sentinel.conf");
  const port = await findFreePort();
  const [primary] = live.nodes;
  const written = [
    "# written by hand",
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor ${SESSIONS} ${primary?.host} ${primary?.port} 3`,
    `sentinel down-after-milliseconds ${SESSIONS} 1000`,
    `sentinel failover-timeout ${SESSIONS} 20000`,
    `sentinel auth-user ${SESSIONS} ${user}`,
    `sentinel auth-pass ${SESSIONS} "${password}"`,
  ];
  writeFileSync(file, `${written.join("\n")}\n`);
  const lines: string[] = [];
  const command = readTools().valkey.sentinel;
  await group.spawn({ name, command, args: [file], endedBy: "SIGKILL", onLine: (line) => lines.push(line) });
  const client = new Redis({ host: "127.0.0.1", port, protocol: 2, enableReadyCheck: false, retryStrategy: () => 50 });
  client.on("error", () => undefined);
  return { file, client, lines };
}

const knowsAll = (file: string): boolean => {
  const text = readFileSync(file, "utf8");
  return (text.match(/^sentinel known-replica /gm) ?? []).length === 2 && /^sentinel known-sentinel /m.test(text);
};

beforeAll(async () => {
  const plain = { boot: "plain", unprepared: true } as const;
  // The voters know this group only to have something to begin with: it is watched and never adopted.
  live = await LiveGroup.create({
    group,
    endpoint: endpoint(),
    nodes: [plain, plain, plain],
    settings: { mode: "observe" },
  });
  const [primary, ...replicas] = live.nodes;
  for (const replica of replicas) await replica.ask("REPLICAOF", primary?.host ?? "", primary?.port ?? 0);
  sentinels = await Promise.all(["sentinel-1", "sentinel-2"].map(startSentinel));
  await eventually("the Sentinels know all", () => sentinels.every(({ file }) => knowsAll(file)), 40_000);
  live.startVoters(240_000);
}, 60_000);

afterAll(async () => {
  for (const { client } of sentinels) client.disconnect();
  live.close();
  for (const node of live.nodes) await node.kill();
});

describe("from Sentinel to Valkeeper and back", () => {
  const imported = (...more: string[]): Promise<Ended> => {
    const zones = live.nodes.flatMap((node, index) => ["--zone", `${node.host}:${node.port}=az-${"abc"[index]}`]);
    const options = [...zones, "--user", "valkeeper", "--secret-id", "valkey/failover", ...more];
    return valkeeper("groups", "import", sentinels[0]?.file ?? "", ...options);
  };

  it("knows every directive of the server that runs here", async () => {
    const reply = (await live.node("n1").ask("CONFIG", "GET", "*")) as string[];
    const names = reply.filter((_, index) => index % 2 === 0);
    expect(names.length).toBeGreaterThan(200);
    expect(names.filter((name) => !SERVER_DIRECTIVES.has(name))).toEqual([]);
  });

  it("imports the file that a Sentinel wrote, and tells of every line that it leaves out", async () => {
    const { exit, out, notes } = await imported();
    expect(exit).toBe(0);
    const [first, ...replicas] = live.nodes.map(({ host, port }, index) => ({
      host,
      port,
      zone: `az-${"abc"[index]}`,
    }));
    const sorted = replicas.toSorted((a, b) => (String(a.port) < String(b.port) ? -1 : 1));
    expect(JSON.parse(out)).toEqual({
      groups: [
        {
          name: "sessions",
          mode: "observe",
          nodes: [first, ...sorted].map((node, index) => ({ id: `n${index + 1}`, ...node })),
          quorum: 3,
          downAfterMs: 1_000,
          stepTimeoutMs: 20_000,
          credentials: { user: "valkeeper", secretId: "valkey/failover" },
        },
      ],
    });
    expect(out + notes).not.toContain(password);
    // Each line of the file is converted or told of, and nothing else is.
    const kept = /^(monitor|down-after-milliseconds|failover-timeout|known-replica)$/;
    const left = readFileSync(sentinels[0]?.file ?? "", "utf8")
      .split("\n")
      .flatMap((text, index) => {
        const words = splitWords(text) ?? [];
        const isLeft =
          words.length > 0 && !text.startsWith("#") && !(words[0] === "sentinel" && kept.test(words[1] ?? ""));
        return isLeft ? [String(index + 1)] : [];
      });
    const told = notes.split("\n").flatMap((note) => /sentinel\.conf:(\d+): dropped: /.exec(note)?.[1] ?? []);
    expect(left.length).toBeGreaterThan(8);
    expect(told).toEqual(left);
  });

  it("is watched side by side: both see the primary fall silent, and neither acts", async () => {
    expect(await imported("--add")).toMatchObject({
      exit: 0,
      out: "sessions is registered: 3 nodes, quorum 3 of 3 voters",
    });
    const why = async (words: RegExp): Promise<void> => {
      let out = "";
      await eventually(
        "the voters say so",
        async () => {
          out = (await valkeeper("why", "sessions")).out;
          return (out.match(words) ?? []).length === 3;
        },
        20_000,
      ).catch(() => expect(out).toMatch(words));
    };
    await why(/^az-[abc] +n1 is primary, 3 of 3 nodes answer +(the group is only observed|same)$/gm);
    await live.node("n1").ask("CLIENT", "PAUSE", 9_000, "ALL");
    await why(/^az-[abc] +n1 was primary, silent \d\.\ds \(down: longer than 1\.0s\), 2 of 3 nodes answer/gm);
    const isTold = (): boolean =>
      sentinels.every(({ lines }) => lines.join("\n").includes(`+sdown master ${SESSIONS} `));
    await eventually("both Sentinels take it for down", async () => isTold(), 5_000);
    await why(/^az-[abc] +n1 is primary, 3 of 3 nodes answer/gm);
    const roles = await Promise.all(live.nodes.map((node) => node.info("replication")));
    expect(roles.map((info) => info.get("role"))).toEqual(["master", "slave", "slave"]);
    expect((await live.store.readBallot(SESSIONS))?.primary).toBe(null);
  }, 60_000);

  it("is handed over when the last Sentinel has let go, and not before", async () => {
    expect((await valkeeper("groups", "set", "sessions", "mode=act")).exit).toBe(0);
    let out = "";
    await eventually(
      "adoption is refused",
      async () => {
        out = (await valkeeper("why", "sessions")).out;
        return out.includes("a Sentinel still watches");
      },
      20_000,
    );
    expect(out).toContain("ends when every Sentinel has removed the group (SENTINEL REMOVE)");
    for (const { client } of sentinels) {
      await client.call("SENTINEL", "REMOVE", SESSIONS);
      expect(await client.call("SENTINEL", "GET-PRIMARY-ADDR-BY-NAME", SESSIONS)).toBe(null);
    }
    await eventually(
      "it is adopted",
      async () => (await live.store.readBallot(SESSIONS))?.primary?.node === "n1",
      20_000,
    );
  }, 60_000);

  it("goes back: let go here, monitored there, where the primary is now", async () => {
    const [n1, n2] = live.nodes;
    // The group that is only watched knows the nodes by the same ids; the imported one by the order of their addresses.
    const config = JSON.parse((await valkeeper("groups", "list", "--json")).out).groups.find(
      (each: { readonly group: string }) => each.group === SESSIONS,
    ).config;
    const target = config.nodes.find((node: { readonly port: number }) => node.port === n2?.port).id;
    const moved = await valkeeper("switchover", "sessions", "--to", target, "--reason", "to be found there");
    expect([moved.exit, moved.notes]).toEqual([0, ""]);
    expect((await valkeeper("groups", "remove", "sessions", "--yes")).exit).toBe(0);
    for (const { client } of sentinels) {
      await client.call("SENTINEL", "MONITOR", SESSIONS, n2?.host ?? "", n2?.port ?? 0, 2);
      await client.call("SENTINEL", "SET", SESSIONS, "auth-user", user, "auth-pass", password);
    }
    await eventually(
      "the Sentinel has found the group",
      async () => {
        const reply = (await sentinels[0]?.client.call("SENTINEL", "PRIMARY", SESSIONS)) as string[];
        const at = (name: string): string | undefined => reply[reply.indexOf(name) + 1];
        return at("flags") === "master" && at("num-slaves") === "2" && at("num-other-sentinels") === "1";
      },
      30_000,
    );
    expect(await live.store.readSpec(SESSIONS)).toBe(null);
    expect(await n1?.info("replication").then((info) => info.get("role"))).toBe("slave");
  }, 60_000);
});
