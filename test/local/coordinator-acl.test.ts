import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COORDINATOR_COMMANDS, coordinatorAclLine } from "../../lib/core/acl.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { useProcessGroup } from "../support/local-group.ts";

const group = useProcessGroup();
const { coordinator } = localAccess;
let node: ValkeyProcess;
let client: Redis;

beforeAll(async () => {
  node = await ValkeyProcess.start({ group, access: localAccess });
  client = node.open(coordinator);
});
afterAll(() => client.disconnect());

const call = async (words: readonly string[]): Promise<unknown> => client.call(words[0]!, ...words.slice(1));

describe("the coordinator's user", () => {
  it("is the line that the documents print", () => {
    expect(coordinatorAclLine({ user: "valkeeper", password: "secret" })).toBe(
      "user valkeeper on >secret resetkeys resetchannels -@all +ping +info +role +replicaof +failover +multi +exec +client|setname +client|list +client|kill +client|pause +config|get +config|rewrite +acl|whoami",
    );
  });

  it.each([
    "PING",
    "INFO all",
    "ROLE",
    "CLIENT SETNAME voter",
    "CLIENT LIST",
    `CLIENT KILL USER ${coordinator.user} SKIPME yes`,
    "CLIENT KILL TYPE normal SKIPME yes",
    "CLIENT PAUSE 1 WRITE",
    "CONFIG GET repl-backlog-size",
    "CONFIG REWRITE",
    "ACL WHOAMI",
    "REPLICAOF NO ONE",
  ])("may send %s", async (words) => {
    await expect(call(words.split(" "))).resolves.toBeDefined();
  });

  it("may abort a failover, of which there is none", async () => {
    await expect(call(["FAILOVER", "ABORT"])).rejects.toThrow("No failover in progress");
  });

  it.each([
    "GET key",
    "SET key value",
    "CONFIG SET dir /tmp",
    "CONFIG RESETSTAT",
    "CLIENT UNPAUSE",
    "ACL SETUSER other",
    "ACL GETUSER default",
    "SHUTDOWN",
    "MODULE LIST",
    "FLUSHALL",
    "SUBSCRIBE channel",
    "EVAL return 0",
  ])("may not send %s", async (words) => {
    await expect(call(words.split(" "))).rejects.toThrow("NOPERM");
  });

  it("carries out the whole freeze and the whole promotion as one transaction each", async () => {
    const kill = ["CLIENT", "KILL", "USER", coordinator.user, "SKIPME", "yes"];
    const freeze = await transaction([
      ["INFO"],
      ["REPLICAOF", "127.0.0.9", "1"],
      ["CONFIG", "REWRITE"],
      kill,
      ["INFO"],
    ]);
    expect(freeze.slice(1, 4)).toEqual(["OK", "OK", 0]);
    expect(freeze[0]).toContain("role:master");
    expect(freeze[4]).toContain("master_host:127.0.0.9");
    expect(node.readConfig()).toContain("replicaof 127.0.0.9 1");
    const everybody = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
    const promotion = await transaction([["REPLICAOF", "NO", "ONE"], kill, everybody, ["INFO"]]);
    expect(promotion.slice(0, 2)).toEqual(["OK", 0]);
    expect(promotion[3]).toContain("role:master");
  });

  it("closes the coordinator's other connections and nobody else's", async () => {
    const other = node.open(coordinator);
    const application = node.open(localAccess.application);
    await Promise.all([other.ping(), application.ping()]);
    expect(await call(["CLIENT", "KILL", "USER", coordinator.user, "SKIPME", "yes"])).toBe(1);
    expect(await application.ping()).toBe("PONG");
    await expect(other.ping()).rejects.toThrow();
    other.disconnect();
    application.disconnect();
  });

  it("lists every command once", () => {
    expect(new Set(COORDINATOR_COMMANDS).size).toBe(COORDINATOR_COMMANDS.length);
  });
});

async function transaction(commands: readonly (readonly string[])[]): Promise<unknown[]> {
  const multi = client.multi();
  for (const [command = "", ...args] of commands) {
    multi.call(command, ...args);
  }
  const replies = await multi.exec();
  return (replies ?? []).map(([error, reply]) => {
    if (error !== null) {
      throw error;
    }
    return reply;
  });
}
