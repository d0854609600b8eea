import { createServer } from "node:net";
import { LocalError } from "./errors.ts";

// Below the range from which systems take the ports of outgoing connections: a port found free here is not taken a moment later by somebody's
// connection, only by another server.
const lowest = 21_000;
const highest = 28_999;
const given = new Set<number>();

/** A port that nobody listens on at `host`, and that this process has not given away before. */
export async function findFreePort(host = "127.0.0.1"): Promise<number> {
  const size = highest - lowest + 1;
  const start = Math.floor(Math.random() * size);
  for (let step = 0; step < size; step += 1) {
    const port = lowest + ((start + step) % size);
    if (!given.has(port) && (await isFree(host, port))) {
      given.add(port);
      return port;
    }
  }
  throw new LocalError("port-in-use", `no free port between ${lowest} and ${highest} at ${host}`);
}

/** Some servers share a taken port without a word (SO_REUSEPORT), so who starts one asks first. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
