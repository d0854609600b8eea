// Servers that are not Valkey, or that pretend to be: what they send is written by the test.

import { createServer, type Server, type Socket } from "node:net";
import { afterEach } from "vitest";
import type { Address } from "../../lib/core/types.ts";

export interface Impostor {
  readonly address: Address;
  /** Everything it received. */
  readonly received: () => string;
  readonly connections: () => number;
}

/** Called for each connection; `first` resolves with the first bytes that come. */
export type Behaviour = (socket: Socket, first: Promise<string>, index: number) => void | Promise<void>;

export function useImpostors(): (behave: Behaviour) => Promise<Impostor> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });
  return async (behave) => {
    let received = "";
    let connections = 0;
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      const first = new Promise<string>((resolve) => {
        socket.on("data", (chunk: Buffer) => {
          received += chunk.toString("latin1");
          resolve(chunk.toString("latin1"));
        });
      });
      void behave(socket, first, connections);
      connections += 1;
    });
    servers.push(server);
    const address = await listen(server);
    return { address, received: () => received, connections: () => connections };
  };
}

function listen(server: Server): Promise<Address> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") throw new Error("it listens on no port");
      resolve({ host: "127.0.0.1", port: bound.port });
    });
  });
}

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** Replies to AUTH and CLIENT SETNAME. */
export const LOGGED_IN = "+OK\r\n+OK\r\n";
