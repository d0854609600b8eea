// An HTTP proxy before the local cloud that counts DynamoDB's requests by operation, to say what a quiet group costs. It can hand
// them to another server than those of the other services.

import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { ProcessGroup } from "../../lib/local/process-group.ts";

export interface CountingProxy {
  readonly endpoint: string;
  /** By operation: `DynamoDB_20120810.GetItem`. */
  counts(): ReadonlyMap<string, number>;
}

export interface Targets {
  readonly cloud: string;
  /** @default as of the other services */
  readonly dynamodb?: string;
}

export async function startCountingProxy(group: ProcessGroup, targets: Targets): Promise<CountingProxy> {
  const counted = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const server = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers["x-amz-target"] ?? "other");
    counted.set(operation, (counted.get(operation) ?? 0) + 1);
    const { host: _, ...headers } = incoming.headers;
    const target = operation.startsWith("DynamoDB") ? (targets.dynamodb ?? targets.cloud) : targets.cloud;
    const passed = request(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method ?? "GET", headers, agent },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  group.onClose(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, counts: () => new Map(counted) };
}
