// An HTTP proxy before the local cloud that meters DynamoDB's requests: how many of each operation, and how many units
// DynamoDB would bill for them, from the items that go through it.

import { Agent, createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { type Attributes, itemBytes, readUnits, writeUnits } from "./capacity.ts";

export interface Metered {
  readonly requests: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

export interface MeteringProxy {
  readonly endpoint: string;
  /** By operation: `GetItem`. Also what only describes the table, which costs nothing. */
  metered(): ReadonlyMap<string, Metered>;
  /** Bytes of the item that was seen last, by the kind of its key: `ballot`, `slot`, `spec` and so on. */
  itemBytes(): ReadonlyMap<string, number>;
}

export async function startMeteringProxy(group: ProcessGroup, target: string): Promise<MeteringProxy> {
  const meter = new Meter();
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const server = createServer((incoming, outgoing) => {
    collect(incoming).then(
      (body) => {
        const { host: _, ...headers } = incoming.headers;
        const method = incoming.method ?? "GET";
        const passed = request(new URL(incoming.url ?? "/", target), { method, headers, agent }, (answer) => {
          collect(answer).then(
            (text) => {
              meter.add(operationOf(incoming.headers), body, text);
              outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
              outgoing.end(text);
            },
            () => outgoing.destroy(),
          );
        });
        passed.on("error", () => outgoing.destroy());
        passed.end(body);
      },
      () => outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  group.onClose(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    metered: () => new Map(meter.operations),
    itemBytes: () => new Map(meter.itemBytes),
  };
}

const operationOf = (headers: IncomingHttpHeaders): string => {
  const target = String(headers["x-amz-target"] ?? "");
  return target.startsWith("DynamoDB_") ? target.slice(target.indexOf(".") + 1) : "other";
};

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

interface Body {
  readonly ConsistentRead?: boolean;
  readonly Item?: Attributes;
  readonly Items?: readonly Attributes[];
  readonly Attributes?: Attributes;
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly Attributes[] }>>;
  readonly Responses?: Readonly<Record<string, readonly Attributes[]>>;
}

class Meter {
  readonly operations = new Map<string, Metered>();
  readonly itemBytes = new Map<string, number>();

  add(operation: string, asked: Buffer, answered: Buffer): void {
    const units = this.#units(operation, parsed(asked), parsed(answered));
    const sum = this.operations.get(operation) ?? { requests: 0, readUnits: 0, writeUnits: 0 };
    this.operations.set(operation, {
      requests: sum.requests + 1,
      readUnits: sum.readUnits + (units.read ?? 0),
      writeUnits: sum.writeUnits + (units.write ?? 0),
    });
  }

  #units(operation: string, asked: Body, answered: Body): { readonly read?: number; readonly write?: number } {
    switch (operation) {
      case "GetItem":
        return { read: readUnits(this.#bytes(answered.Item), asked.ConsistentRead === true) };
      case "Query": {
        const bytes = (answered.Items ?? []).reduce((sum, item) => sum + this.#bytes(item), 0);
        return { read: readUnits(bytes, asked.ConsistentRead === true) };
      }
      case "BatchGetItem": {
        const keys = Object.values(asked.RequestItems ?? {}).flatMap((table) => table.Keys);
        const found = Object.values(answered.Responses ?? {}).flat();
        const missing = (keys.length - found.length) * readUnits(0, false);
        return { read: found.reduce((sum, item) => sum + readUnits(this.#bytes(item), false), missing) };
      }
      case "PutItem":
      case "UpdateItem":
        // A refused write shows the item that stands.
        return {
          write: writeUnits(Math.max(this.#bytes(asked.Item), this.#bytes(answered.Attributes ?? answered.Item))),
        };
      default:
        return {};
    }
  }

  #bytes(item: Attributes | undefined): number {
    if (item === undefined) return 0;
    const bytes = itemBytes(item);
    this.itemBytes.set(kindOf(item), bytes);
    return bytes;
  }
}

function kindOf(item: Attributes): string {
  const [pk, sk] = [item["pk"]?.S ?? "", item["sk"]?.S ?? ""];
  if (pk === "groups") return "spec";
  if (pk === "voters") return "slot entry";
  return sk.startsWith("event#") ? "event" : sk;
}

function parsed(text: Buffer): Body {
  try {
    return JSON.parse(text.toString("utf8")) as Body;
  } catch {
    return {};
  }
}
