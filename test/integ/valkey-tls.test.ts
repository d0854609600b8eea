import { readFileSync } from "node:fs";
import { createServer, type TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import type { TlsConfig } from "../../lib/core/config.ts";
import type { Address } from "../../lib/core/types.ts";
import { makeTlsFiles } from "../../lib/local/tls.ts";
import { localAccess, type TlsFiles } from "../../lib/local/valkey-config.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { useProcessGroup } from "../support/local-group.ts";
import { noTls, useVoters } from "./valkey-voter.ts";

const group = useProcessGroup();
const open = useVoters();
let node: ValkeyProcess;
let trusted: TlsConfig;
let foreign: TlsFiles;
const address = (): Address => ({ host: node.host, port: node.port });

beforeAll(async () => {
  const files = await makeTlsFiles({ group, hosts: ["127.0.0.1", "node.test"] });
  foreign = await makeTlsFiles({ group, hosts: ["127.0.0.1"] });
  trusted = { enabled: true, ca: readFileSync(files.ca, "utf8"), serverName: null };
  node = await ValkeyProcess.start({ group, access: localAccess, tls: files });
});

describe("TLS", () => {
  it("a node with a certificate of our authority is read and changed", async () => {
    const voter = open(address(), { tls: trusted });
    const first = await voter.answer();
    expect((await voter.answer()).connection).toEqual(first.connection);
    expect(await voter.settings()).toMatchObject({ requiresAuth: true });
    expect((await voter.freeze(7)).kind).toBe("applied");
  });

  it("the name may be another than the address", async () => {
    expect((await open(address(), { tls: { ...trusted, serverName: "node.test" } }).probe()).kind).toBe("answered");
  });

  it("another name than the certificate's is misconfigured", async () => {
    const observation = await open(address(), { tls: { ...trusted, serverName: "other.test" } }).probe();
    expect(observation).toEqual({ kind: "misconfigured", reason: "tls", detail: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it.each([
    ["another authority", () => readFileSync(foreign.ca, "utf8")],
    ["the system's authorities", () => null],
  ])("%s is misconfigured", async (_, ca) => {
    const observation = await open(address(), { tls: { ...trusted, ca: ca() } }).probe();
    expect(observation).toMatchObject({ kind: "misconfigured", reason: "tls" });
  });

  it("a server with a wrong certificate never gets to see the password", async () => {
    let received = "";
    const files = { key: readFileSync(foreign.key), cert: readFileSync(foreign.certificate) };
    const server = createServer(files, (socket: TLSSocket) => {
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString("latin1");
      });
      socket.on("error", () => undefined);
    });
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address() as { readonly port: number };
    const observation = await open({ host: "127.0.0.1", port: bound.port }, { tls: trusted }).probe();
    expect(observation).toMatchObject({ kind: "misconfigured", reason: "tls" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(received).toBe("");
    server.close();
  });

  it("plain text to a TLS port is misconfigured or refused, never silence", async () => {
    expect(["misconfigured", "refused"]).toContain((await open(address(), { tls: noTls }).probe()).kind);
  });

  it("TLS to a plain port has the same deadline", async () => {
    const plain = await ValkeyProcess.start({ group });
    const voter = open({ host: plain.host, port: plain.port }, { tls: trusted });
    const begun = performance.now();
    expect(["silent", "misconfigured"]).toContain((await voter.probe({ withinMs: 200 })).kind);
    expect(performance.now() - begun).toBeLessThan(500);
  });

  it("a hung node is silent at the deadline, its kept connection may be parked on, and nobody listening is refused", async () => {
    const voter = open(address(), { tls: trusted });
    const { connection } = await voter.answer();
    node.hang();
    const begun = performance.now();
    expect(await voter.probe({ withinMs: 150 })).toMatchObject({ kind: "silent", parkable: connection });
    expect(await voter.probe({ withinMs: 150, fresh: true })).toMatchObject({ kind: "silent", parkable: connection });
    expect(performance.now() - begun).toBeLessThan(700);
    node.wake();
    await node.kill();
    expect(await voter.probe({ fresh: true })).toMatchObject({ kind: "refused", detail: "ECONNREFUSED" });
  });
});
