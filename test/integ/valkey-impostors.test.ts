import type { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { infoText } from "../adapters/valkey/info-texts.ts";
import { sleep } from "../support/local-group.ts";
import { bulk, LOGGED_IN, useImpostors } from "./valkey-impostors.ts";
import { coordinator, useVoters } from "./valkey-voter.ts";

const pretend = useImpostors();
const open = useVoters();
const info = infoText("valkey-8.0.1-primary");

describe("what is no Valkey node", () => {
  it("an HTTP server", async () => {
    const { address } = await pretend(async (socket, first) => {
      await first;
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    expect(await open(address).probe()).toMatchObject({ kind: "misconfigured", reason: "not-valkey" });
  });

  it("a server that greets with garbage", async () => {
    const { address } = await pretend((socket) => void socket.write("\x00\xff\x13SSH-2.0-x\r\n", "latin1"));
    expect(await open(address).probe()).toMatchObject({ kind: "misconfigured", reason: "not-valkey" });
  });

  it("a server that answers more than it was asked: nothing it says later is taken for an answer", async () => {
    const { address } = await pretend((socket) => void socket.write(`${LOGGED_IN}${bulk(info)}+more\r\n`));
    const voter = open(address);
    const first = await voter.answer();
    expect((await voter.answer()).connection.id).toBeGreaterThan(first.connection.id);
  });

  it("a server that answers INFO with another text", async () => {
    const { address } = await pretend((socket) => void socket.write(`${LOGGED_IN}${bulk("hello\r\n")}`));
    expect(await open(address).probe()).toMatchObject({ kind: "misconfigured", reason: "unreadable-info" });
  });

  it("a server that answers INFO with a number", async () => {
    const { address } = await pretend((socket) => void socket.write(`${LOGGED_IN}:7\r\n`));
    expect(await open(address).probe()).toMatchObject({ kind: "misconfigured", reason: "unreadable-info" });
  });

  it("INFO without its last line", async () => {
    const { address } = await pretend((socket) => void socket.write(`${LOGGED_IN}${bulk(info.slice(0, -20))}`));
    expect(await open(address).probe()).toMatchObject({ kind: "misconfigured", reason: "unreadable-info" });
  });

  it("an answer larger than anything that is asked for", async () => {
    const { address } = await pretend((socket) => void socket.write(`${LOGGED_IN}$20000000\r\n`));
    expect(await open(address).probe()).toMatchObject({ kind: "misconfigured", reason: "not-valkey" });
  });

  it("a huge INFO that is complete is a node's", async () => {
    const padding = `# Modules\r\n${"module_field:1\r\n".repeat(400_000)}`;
    const { address } = await pretend((socket) => void socket.write(`${LOGGED_IN}${bulk(info + padding)}`));
    expect((await open(address).probe()).kind).toBe("answered");
  });
});

describe("time", () => {
  it("a server that accepts and never answers is silent at the deadline, and nothing can be parked on it", async () => {
    const { address } = await pretend(() => undefined);
    const begun = performance.now();
    expect(await open(address).probe({ withinMs: 120 })).toMatchObject({ kind: "silent", parkable: null });
    const took = performance.now() - begun;
    expect(took).toBeGreaterThanOrEqual(119);
    expect(took).toBeLessThan(400);
  });

  it("a server that drips has one deadline for all of it", async () => {
    const { address } = await pretend(async (socket) => {
      for (const character of `${LOGGED_IN}${bulk(info)}`) {
        if (socket.destroyed) return;
        socket.write(character);
        await sleep(5);
      }
    });
    const begun = performance.now();
    expect((await open(address).probe({ withinMs: 150 })).kind).toBe("silent");
    expect(performance.now() - begun).toBeLessThan(450);
  });

  it("one that has answered AUTH, and only that, may be parked on", async () => {
    const { address } = await pretend((socket) => void socket.write(LOGGED_IN));
    const observation = await open(address).probe({ withinMs: 120 });
    expect(observation).toMatchObject({ kind: "silent", parkable: { id: 1 } });
  });

  it("leaves no connection behind", async () => {
    const open_ = new Set<object>();
    const { address } = await pretend((socket) => {
      open_.add(socket);
      socket.on("close", () => open_.delete(socket));
    });
    const voter = open(address);
    for (let probe = 0; probe < 3; probe += 1) await voter.probe({ withinMs: 30 });
    voter.node.close();
    await sleep(50);
    expect(open_.size).toBe(0);
  });
});

describe("connections that end", () => {
  it("an address where nobody listens is refused", async () => {
    const { address } = await pretend(() => undefined);
    expect(await open({ ...address, host: "127.0.0.77" }).probe()).toEqual({ kind: "refused", detail: "ECONNREFUSED" });
  });

  it("a name that does not resolve is silence: it says nothing of the node", async () => {
    const observation = await open({ host: "no-such-name.invalid", port: 6379 }).probe();
    expect(observation).toMatchObject({ kind: "silent", parkable: null });
  });

  it.each(["end", "resetAndDestroy"] as const)(
    "an address that closes every connection (%s) is refused",
    async (how) => {
      const impostor = await pretend(async (socket, first) => {
        await first;
        socket[how]();
      });
      expect(await open(impostor.address).probe()).toMatchObject({ kind: "refused" });
      expect(impostor.connections()).toBe(3);
    },
  );

  it("one that was closed twice and then served is served: that was another coordinator's kill", async () => {
    const { address } = await pretend(async (socket, first, index) => {
      await first;
      if (index < 2) socket.end("+OK\r\n+OK\r\n");
      else socket.write(`${LOGGED_IN}${bulk(info)}`);
    });
    expect((await open(address).probe()).kind).toBe("answered");
  });

  it("one turned away at the door is busy: it lives, and serves those who are in", async () => {
    const { address } = await pretend((socket) => void socket.end("-ERR max number of clients reached\r\n"));
    expect(await open(address).probe()).toEqual({ kind: "busy", detail: "ERR max number of clients reached" });
  });

  it("protected mode is a missing password", async () => {
    const { address } = await pretend((socket) => void socket.end("-DENIED Running in protected mode\r\n"));
    expect(await open(address).probe()).toMatchObject({ kind: "misconfigured", reason: "no-auth" });
  });
});

describe("the wire", () => {
  it("a probe over a new connection is one write, and reads the answers in one round trip", async () => {
    const impostor = await pretend((socket, first) => {
      void first.then((text) => {
        expect(text).toContain("AUTH");
        expect(text).toContain("SETNAME");
        expect(text).toMatch(/INFO\r\n.*server.*replication.*persistence.*keyspace\r\n$/s);
        socket.write(`${LOGGED_IN}${bulk(info)}`);
      });
    });
    expect((await open(impostor.address).probe()).kind).toBe("answered");
  });

  it("a password that a server repeats is told to nobody", async () => {
    const { password } = coordinator;
    const words = `ERR unknown command 'AUTH', with args beginning with: 'valkeeper' '${password}'`;
    const { address } = await pretend((socket) => void socket.write(`-${words}\r\n+OK\r\n-ERR y\r\n`));
    const observation = await open(address).probe();
    expect(observation.kind).toBe("misconfigured");
    expect(JSON.stringify(observation)).not.toContain(password);
    expect(JSON.stringify(observation)).toContain("***");
  });
});

describe("whatever is at the other end", () => {
  type Action = { readonly kind: "send"; readonly text: string } | { readonly kind: "wait" | "end" | "reset" };
  const piece = fc.constantFrom(
    LOGGED_IN,
    bulk(info),
    bulk(info),
    "+OK\r\n",
    "-BUSY x\r\n",
    "-LOADING x\r\n",
    "$5\r\n",
    "*3\r\n",
    "zz",
  );
  const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 4, arbitrary: piece.map((text): Action => ({ kind: "send", text })) },
    { weight: 1, arbitrary: fc.constantFrom<Action>({ kind: "wait" }, { kind: "end" }, { kind: "reset" }) },
  );
  const script = fc.array(action, { maxLength: 6 });

  async function play(socket: Socket, actions: readonly Action[]): Promise<void> {
    for (const each of actions) {
      if (each.kind === "send") socket.write(each.text);
      else if (each.kind === "wait") await sleep(3);
      else if (each.kind === "end") socket.end();
      else socket.resetAndDestroy();
      if (socket.destroyed || socket.writableEnded) return;
    }
  }

  it("every probe ends by its deadline, with what was truly said", async () => {
    await fc.assert(
      fc.asyncProperty(script, script, async (first, second) => {
        const { address } = await pretend((socket, _, index) => play(socket, index % 2 === 0 ? first : second));
        const voter = open(address);
        for (let probe = 0; probe < 3; probe += 1) {
          const begun = performance.now();
          const observation = await voter.probe({ withinMs: 25 });
          expect(performance.now() - begun).toBeLessThan(1_000);
          if (observation.kind === "answered")
            expect(observation.reading).toMatchObject({ version: "8.0.1", offset: 173 });
          if (observation.kind === "silent" && observation.parkable !== null) {
            // Only where AUTH was truly answered.
            expect([...first, ...second].some((each) => each.kind === "send" && each.text.startsWith("+OK"))).toBe(
              true,
            );
          }
        }
        voter.node.close();
      }),
      { numRuns: 60 },
    );
  });
});
