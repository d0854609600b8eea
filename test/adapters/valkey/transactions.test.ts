import { describe, expect, it } from "vitest";
import { parseInfo } from "../../../lib/adapters/valkey/info.ts";
import type { Reply } from "../../../lib/adapters/valkey/resp.ts";
import {
  asTransaction,
  type Change,
  readTransaction,
  stepsOf,
  whyNotAsExpected,
} from "../../../lib/adapters/valkey/transactions.ts";
import { epoch, instant, type NodeReading, replicationId, runId } from "../../../lib/core/types.ts";
import { infoText } from "./info-texts.ts";

const info = ["INFO", "server", "replication", "persistence", "keyspace"];
const speech = { user: "valkeeper", otherUsers: [], info };
const connection = { id: 3, authenticatedAt: instant(5) };

const ok: Reply = { kind: "simple", text: "OK" };
const queued: Reply = { kind: "simple", text: "QUEUED" };
const one: Reply = { kind: "integer", value: 1 };
const error = (text: string): Reply => ({ kind: "error", text });
const bulk = (name: string): Reply => ({ kind: "bulk", bytes: Buffer.from(infoText(name), "latin1") });
const array = (...items: Reply[]): Reply => ({ kind: "array", items });
const before = bulk("valkey-8.0.1-replica");
const after = bulk("valkey-8.0.1-frozen");

function readingOf(name: string): NodeReading {
  const parsed = parseInfo(infoText(name));
  if (parsed.kind !== "reading") throw new Error("unreadable");
  return parsed.reading;
}

const freeze: Change = { kind: "freeze", epoch: epoch(0x01_02_03), connection: 3, parked: false };
const settle: Change = { kind: "settle", epoch: epoch(7), connection: 3 };
const frozen = readingOf("valkey-8.0.1-frozen");
const promote: Change = {
  kind: "promote",
  epoch: epoch(5),
  connection: 3,
  expect: { runId: frozen.runId, replicationId: frozen.replicationId, offset: frozen.offset, tokenHost: "127.0.0.5" },
};

const spell = (
  command: Change,
  options: { readonly user?: string; readonly otherUsers?: readonly string[] } = {},
): string[] => asTransaction(stepsOf(command, { ...speech, ...options })).map((words) => words.join(" "));

/** What the replies to this command's transaction prove; MULTI and the queueing went well unless said. */
function read(command: Change, executed: Reply, replies: readonly Reply[] = []): ReturnType<typeof readTransaction> {
  const steps = stepsOf(command, speech);
  const queueing = replies.length > 0 ? replies : [ok, ...steps.map(() => queued)];
  const checked = command.kind === "promote" ? frozen : null;
  return readTransaction([...queueing, executed], { command, steps, connection, checked });
}

describe("what is sent", () => {
  const text = info.join(" ");
  const kill = "CLIENT KILL USER valkeeper SKIPME yes";

  it("R5: freeze: the epoch as an address, kept in the file", () => {
    expect(spell(freeze)).toEqual(["MULTI", text, "REPLICAOF 127.1.2.3 1", "CONFIG REWRITE", kill, text, "EXEC"]);
  });

  it("promote: nothing is kept in the file, and the clients go", () => {
    const clients = "CLIENT KILL TYPE normal SKIPME yes";
    expect(spell(promote)).toEqual(["MULTI", "REPLICAOF NO ONE", kill, clients, text, "EXEC"]);
  });

  it("settle: only the kill", () => {
    expect(spell(settle)).toEqual(["MULTI", text, kill, text, "EXEC"]);
  });

  it("repoint: with or without the clients", () => {
    const order: Change = {
      kind: "repoint",
      epoch: epoch(5),
      connection: 3,
      to: { host: "::1", port: 7001 },
      dropClients: false,
    };
    const change = ["MULTI", text, "REPLICAOF ::1 7001", "CONFIG REWRITE", kill];
    expect(spell(order)).toEqual([...change, text, "EXEC"]);
    expect(spell({ ...order, dropClients: true })).toEqual([
      ...change,
      "CLIENT KILL TYPE normal SKIPME yes",
      text,
      "EXEC",
    ]);
  });

  it("every user that coordinators may be logged in as; of `default` only normal clients", () => {
    expect(spell(settle, { user: "default", otherUsers: ["new"] })).toEqual([
      ...["MULTI", text],
      ...["CLIENT KILL USER default TYPE normal SKIPME yes", "CLIENT KILL USER new SKIPME yes"],
      ...[text, "EXEC"],
    ]);
  });
});

describe("what the replies prove", () => {
  it("all went well", () => {
    const outcome = read(freeze, array(before, ok, ok, one, after));
    expect(outcome).toMatchObject({ kind: "applied", rewriteError: null, connection, after: { follows: { port: 1 } } });
  });

  it("CONFIG REWRITE's refusal is recorded, no more", () => {
    const outcome = read(
      freeze,
      array(before, ok, error("ERR The server is running without a config file"), one, after),
    );
    expect(outcome).toMatchObject({ kind: "applied", rewriteError: "ERR The server is running without a config file" });
  });

  it("REPLICAOF's refusal is a refusal, whatever happened beside it", () => {
    const outcome = read(
      freeze,
      array(before, error("ERR REPLICAOF not allowed while failing over."), ok, one, before),
    );
    expect(outcome).toMatchObject({
      kind: "refused",
      detail: "ERR REPLICAOF not allowed while failing over.",
      reading: { linkUp: true },
    });
  });

  it("KILL's refusal is one too: older commands may still be under way", () => {
    const outcome = read(freeze, array(before, ok, ok, error("ERR syntax error"), after));
    expect(outcome).toMatchObject({ kind: "refused", detail: "CLIENT KILL was refused: ERR syntax error" });
  });

  it("but a promotion that was not followed by the kill has happened, and is not called refused", () => {
    const promoted = bulk("valkey-8.0.1-promoted");
    expect(read(promote, array(ok, error("ERR syntax error"), one, promoted)).kind).toBe("unknown");
    expect(read(promote, array(ok, one, one, promoted))).toMatchObject({ kind: "applied", before: frozen });
  });

  it("another user's kill may fail only because that user is gone", () => {
    const steps = stepsOf(settle, { ...speech, otherUsers: ["old"] });
    const outcome = (reply: Reply) =>
      readTransaction([ok, queued, queued, queued, queued, array(before, one, reply, after)], {
        command: settle,
        steps,
        connection,
        checked: null,
      }).kind;
    expect(outcome(error("ERR No such user 'old'"))).toBe("applied");
    expect(outcome(error("NOPERM no"))).toBe("refused");
  });

  it.each([
    ["before", array({ kind: "bulk", bytes: Buffer.from("cut") }, ok, ok, one, after)],
    ["after", array(before, ok, ok, one, { kind: "bulk", bytes: Buffer.from("cut") })],
    ["after", array(before, ok, ok, one, error("ERR no"))],
  ])("a change whose INFO %s it cannot be read is unknown: it happened", (where, executed) => {
    expect(read(freeze, executed)).toMatchObject({ kind: "unknown", detail: expect.stringContaining(where) });
  });

  it("EXECABORT means that nothing was done, and the first complaint says why", () => {
    const queueing = [
      ok,
      queued,
      error("NOPERM User has no permissions to run the 'replicaof' command"),
      queued,
      queued,
      queued,
    ];
    expect(read(freeze, error("EXECABORT Transaction discarded"), queueing)).toEqual({
      kind: "refused",
      detail: "NOPERM User has no permissions to run the 'replicaof' command",
      reading: null,
    });
  });

  it("without MULTI it depends on what became of the change by itself", () => {
    const noMulti = error("NOPERM multi");
    const alone = error("ERR EXEC without MULTI");
    expect(read(freeze, alone, [noMulti, before, ok, ok, one, after]).kind).toBe("unknown");
    expect(read(freeze, alone, [noMulti, before, error("NOPERM replicaof"), ok, one, after]).kind).toBe("refused");
    expect(read(settle, alone, [noMulti, before, one, after]).kind).toBe("refused");
  });

  it.each<[string, Reply]>([
    ["null", { kind: "null" }],
    ["too few", array(before)],
    ["no list", ok],
  ])("an EXEC that answered %s proves nothing", (_, executed) => {
    expect(read(freeze, executed).kind).toBe("unknown");
  });
});

describe("what a promotion expects", () => {
  const { expect: expectation } = promote as Extract<Change, { kind: "promote" }>;

  it("is met exactly, or not at all", () => {
    expect(whyNotAsExpected(frozen, expectation)).toBeNull();
    const others: NodeReading[] = [
      { ...frozen, runId: runId("0".repeat(40)) },
      { ...frozen, role: "primary", follows: null },
      { ...frozen, replicationId: replicationId("0".repeat(40)) },
      { ...frozen, offset: frozen.offset + 1 },
      { ...frozen, follows: { host: "127.0.0.6", port: 1 } },
      // A real primary may listen at an address that looks like a token.
      { ...frozen, follows: { host: "127.0.0.5", port: 6379 } },
      { ...frozen, follows: null },
    ];
    for (const reading of others) expect(whyNotAsExpected(reading, expectation)).not.toBeNull();
  });

  it("without a token it may follow anybody, but nobody at all is no replica", () => {
    const untokened = { ...expectation, tokenHost: null };
    expect(whyNotAsExpected({ ...frozen, follows: { host: "10.0.0.1", port: 6379 } }, untokened)).toBeNull();
    expect(whyNotAsExpected({ ...frozen, role: "primary", follows: null }, untokened)).not.toBeNull();
  });
});
