import { beforeAll, describe, expect, it } from "vitest";
import { COORDINATOR_COMMANDS } from "../../lib/core/acl.ts";
import { type Address, epoch, type NodeCommand } from "../../lib/core/types.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes } from "../../lib/local/valkey-set.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";
import { coordinator, nobody, useVoters, type Voter } from "./valkey-voter.ts";

const group = useProcessGroup();
const open = useVoters();
const addressOf = (node: ValkeyProcess): Address => ({ host: node.host, port: node.port });
let node: ValkeyProcess;

beforeAll(async () => {
  node = await ValkeyProcess.start({ group, access: localAccess });
});

/** A user that may do all that the coordinator needs, but for these. */
async function userWithout(...commands: readonly string[]): Promise<Voter> {
  const name = `without-${commands.join("-").replaceAll("|", "-")}`;
  const rules = COORDINATOR_COMMANDS.filter((command) => !commands.includes(command)).map((command) => `+${command}`);
  await node.ask("ACL", "SETUSER", name, "reset", "on", ">secret", ...rules);
  return open(addressOf(node), { credentials: { user: name, password: "secret", previousUser: null } });
}

const change = (kind: "settle" | "freeze", connection: number): NodeCommand =>
  kind === "settle" ? { kind, epoch: epoch(7), connection } : { kind, epoch: epoch(7), connection, parked: false };

describe("a login that fails", () => {
  it.each([
    ["a wrong password", { ...coordinator, password: "wrong" }, "wrong-password"],
    ["an unknown user", { ...coordinator, user: "nobody" }, "wrong-password"],
    ["no password where one is needed", nobody, "no-auth"],
  ])("%s is no silence, and is told every time", async (_, credentials, reason) => {
    const voter = open(addressOf(node), { credentials });
    for (let probe = 0; probe < 2; probe += 1) {
      expect(await voter.probe()).toMatchObject({ kind: "misconfigured", reason });
    }
  });

  it("a rotated password takes effect at the next connection, without a restart", async () => {
    const voter = open(addressOf(node), { credentials: { ...coordinator, password: "old" } });
    expect(await voter.probe()).toMatchObject({ reason: "wrong-password" });
    voter.credentials = coordinator;
    expect((await voter.probe()).kind).toBe("answered");
    voter.credentials = { ...coordinator, password: "old" };
    // Who is in stays in.
    expect((await voter.probe()).kind).toBe("answered");
    expect(await voter.probe({ fresh: true })).toMatchObject({ reason: "wrong-password" });
  });
});

describe("a missing permission", () => {
  it("INFO: the node cannot be read", async () => {
    const voter = await userWithout("info");
    expect(await voter.probe()).toMatchObject({ kind: "misconfigured", reason: "no-permission" });
  });

  it("CLIENT SETNAME: nothing", async () => {
    const voter = await userWithout("client|setname");
    expect((await voter.probe()).kind).toBe("answered");
  });

  it.each(["config|get", "client|list"])("%s: no settings, and everything else", async (command) => {
    const voter = await userWithout(command);
    expect(await voter.settings()).toBeNull();
    expect((await voter.probe()).kind).toBe("answered");
  });

  it.each(["replicaof", "config|rewrite", "client|kill", "exec"])(
    "%s: a freeze is refused as a whole",
    async (command) => {
      const voter = await userWithout(command);
      expect(await voter.freeze(7)).toMatchObject({ kind: "refused", detail: expect.stringMatching(/NOPERM.*/) });
      expect((await voter.answer()).reading.role).toBe("primary");
    },
  );

  it("MULTI: what was carried out without a transaction is not called refused", async () => {
    const voter = await userWithout("multi");
    expect(await voter.freeze(7)).toMatchObject({ kind: "unknown", detail: expect.stringMatching(/MULTI.*NOPERM/) });
    expect((await voter.answer()).reading.role).toBe("replica");
    await node.ask("REPLICAOF", "NO", "ONE");
    expect(await voter.settle()).toMatchObject({ kind: "refused", detail: expect.stringMatching(/NOPERM/) });
  });

  it("MULTI and REPLICAOF: refused after all", async () => {
    const voter = await userWithout("multi", "replicaof");
    expect(await voter.freeze(7)).toMatchObject({ kind: "refused" });
    expect((await voter.answer()).reading.role).toBe("primary");
  });

  it.each([
    ["client|pause", { kind: "pause", durationMs: 10 }],
    ["failover", { kind: "abort-failover" }],
  ] as const)("%s: refused with the node's words", async (command, order) => {
    const voter = await userWithout(command);
    const { connection } = await voter.answer();
    expect(await voter.ask({ ...order, connection: connection.id })).toMatchObject({
      kind: "refused",
      detail: expect.stringMatching(/^NOPERM/),
    });
  });
});

describe("whose connections a change closes", () => {
  it("those of the user before a rotation too, and a deleted one is no obstacle", async () => {
    await node.ask(
      "ACL",
      "SETUSER",
      "rotated",
      "reset",
      "on",
      ">secret",
      ...COORDINATOR_COMMANDS.map((each) => `+${each}`),
    );
    const rotated = { user: "rotated", password: "secret", previousUser: coordinator.user };
    const stale = open(addressOf(node));
    const { connection } = await stale.answer();
    const voter = open(addressOf(node), { credentials: rotated });
    expect((await voter.settle()).kind).toBe("applied");
    expect((await stale.ask(change("freeze", connection.id))).kind).not.toBe("applied");
    expect((await voter.answer()).reading.role).toBe("primary");
    voter.credentials = { ...rotated, previousUser: "deleted-long-ago" };
    expect((await voter.settle()).kind).toBe("applied");
  });

  it("those of the old name that this very voter is still logged in by", async () => {
    const voter = open(addressOf(node));
    await voter.answer();
    const other = open(addressOf(node));
    const { connection } = await other.answer();
    voter.credentials = { user: "rotated", password: "secret", previousUser: null };
    expect((await voter.settle()).kind).toBe("applied");
    expect((await other.ask(change("freeze", connection.id))).kind).not.toBe("applied");
  });

  it("only coordinators' where they have a user of their own", async () => {
    const client = node.open(localAccess.application);
    await client.ping();
    expect((await open(addressOf(node)).settle()).kind).toBe("applied");
    expect(await client.set("key", "1")).toBe("OK");
    client.disconnect();
  });

  it("N11: with `default` every application's, but no replica's and no subscriber's", async () => {
    const access = { password: "everybody" };
    const { primary, replicas } = await startReplicatedNodes({ group, access, nodes: [{}, {}] });
    const [application, subscriber] = [primary.open(), primary.open()];
    await Promise.all([application.ping(), subscriber.subscribe("news")]);
    const linksBefore = await primary.ask("CLIENT", "LIST", "TYPE", "replica");
    const voter = open(addressOf(primary), { credentials: { user: "default", ...access, previousUser: null } });
    expect((await voter.settle()).kind).toBe("applied");
    await eventually("the application is cut off", () => application.status === "end");
    const idOf = (list: unknown): string | undefined => /^id=(\d+)/.exec(String(list))?.[1];
    expect(idOf(await primary.ask("CLIENT", "LIST", "TYPE", "replica"))).toBe(idOf(linksBefore));
    expect(subscriber.status).toBe("ready");
    expect((await replicas[0]?.info("replication"))?.get("master_link_status")).toBe("up");
    subscriber.disconnect();
  });
});

describe("settings", () => {
  it("tell whether a follower needs a password, and whether the node has one to follow with", async () => {
    const guarded = await open(addressOf(node)).settings();
    expect(guarded).toMatchObject({ requiresAuth: true, primaryAuthSet: true });
    const plain = await ValkeyProcess.start({ group, unprepared: true });
    expect(await open(addressOf(plain), { credentials: nobody }).settings()).toMatchObject({
      requiresAuth: false,
      primaryAuthSet: false,
      pingReplicaPeriodSeconds: 10,
      disklessSyncDelaySeconds: 5,
      minReplicasMaxLagSeconds: 10,
    });
    // A user of its own does not yet mean that strangers are kept out.
    await plain.ask("ACL", "SETUSER", coordinator.user, "on", `>${coordinator.password}`, "+@all");
    expect(await open(addressOf(plain)).settings()).toMatchObject({ requiresAuth: false });
  });

  it("are read anew from another process at the same address", async () => {
    const changed = await ValkeyProcess.start({ group, access: localAccess, minReplicasToWrite: 0 });
    const voter = open(addressOf(changed));
    expect(await voter.settings()).toMatchObject({ minReplicasToWrite: 0 });
    await changed.ask("CONFIG", "SET", "min-replicas-to-write", "1");
    await changed.ask("CONFIG", "REWRITE");
    expect(await voter.settings()).toMatchObject({ minReplicasToWrite: 0 });
    await changed.restart();
    expect((await voter.answer()).settings).toBeNull();
    expect(await voter.settings()).toMatchObject({ minReplicasToWrite: 1 });
  });
});
