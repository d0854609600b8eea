// How a client of the bench asks who is primary: all sentinels at once, or the ordered publication in the table. Both
// over connections that stay open, so that a question costs one exchange.

import { Agent, type IncomingMessage, request } from "node:http";
import { Redis } from "ioredis";

export interface Place {
  readonly host: string;
  readonly port: number;
}

export type LookupOptions =
  | { readonly kind: "sentinel"; readonly group: string; readonly sentinels: readonly Place[] }
  | { readonly kind: "publication"; readonly group: string; readonly endpoint: string; readonly table: string };

export interface Answer {
  readonly place: Place;
  /** Orders answers where the source has an order; 0 where it has none. */
  readonly epoch: number;
}

export interface Lookup {
  /** Each source by itself: one that does not answer holds up nobody. An unanswered question yields nothing. */
  ask(onAnswer: (answer: Answer, source: number) => void): Promise<void>;
  close(): void;
}

const ANSWER_WITHIN_MS = 1_000;

export const samePlace = (left: Place | null, right: Place | null): boolean =>
  left?.host === right?.host && left?.port === right?.port;

export function openLookup(options: LookupOptions): Lookup {
  return options.kind === "sentinel" ? askSentinels(options) : askPublication(options);
}

function askSentinels(options: LookupOptions & { readonly kind: "sentinel" }): Lookup {
  const clients = options.sentinels.map(({ host, port }) => {
    const client = new Redis({
      host,
      port,
      protocol: 2,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      commandTimeout: ANSWER_WITHIN_MS,
      connectTimeout: ANSWER_WITHIN_MS,
      retryStrategy: () => 50,
    });
    client.on("error", () => undefined);
    return client;
  });
  const busy = clients.map(() => false);
  return {
    ask: async (onAnswer) => {
      await Promise.all(
        clients.map(async (client, index) => {
          if (busy[index] === true || client.status !== "ready") return;
          busy[index] = true;
          try {
            const reply = await client.call("SENTINEL", "GET-PRIMARY-ADDR-BY-NAME", options.group);
            const [host, port] = reply as [string, string];
            onAnswer({ place: { host, port: Number(port) }, epoch: 0 }, index);
          } catch {
            // Unreachable or unsure: it is asked again with the next question.
          } finally {
            busy[index] = false;
          }
        }),
      );
    },
    close: () => {
      for (const client of clients) client.disconnect();
    },
  };
}

interface PublishedItem {
  readonly epoch?: { readonly N: string };
  readonly primary?: {
    readonly M: {
      readonly address: {
        readonly M: { readonly host: { readonly S: string }; readonly port: { readonly N: string } };
      };
    };
  };
}

function askPublication(options: LookupOptions & { readonly kind: "publication" }): Lookup {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const body = JSON.stringify({
    TableName: options.table,
    Key: { pk: { S: `published#${options.group}` }, sk: { S: "primary" } },
  });
  let busy = false;
  return {
    ask: async (onAnswer) => {
      if (busy) return;
      busy = true;
      try {
        const text = await post(options.endpoint, agent, "GetItem", body);
        const { Item } = JSON.parse(text) as { readonly Item?: PublishedItem };
        const address = Item?.primary?.M.address.M;
        if (address === undefined) return;
        onAnswer(
          { place: { host: address.host.S, port: Number(address.port.N) }, epoch: Number(Item?.epoch?.N ?? 0) },
          0,
        );
      } catch {
        // As above.
      } finally {
        busy = false;
      }
    },
    close: () => agent.destroy(),
  };
}

/** One request of DynamoDB's protocol. The local cloud looks at no signature. */
function post(endpoint: string, agent: Agent, operation: string, body: string): Promise<string> {
  const credential = "Credential=test/20260101/eu-west-1/dynamodb/aws4_request";
  return new Promise((resolve, reject) => {
    const sent = request(
      endpoint,
      {
        method: "POST",
        agent,
        timeout: ANSWER_WITHIN_MS,
        headers: {
          "content-type": "application/x-amz-json-1.0",
          "x-amz-target": `DynamoDB_20120810.${operation}`,
          authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`,
          "content-length": Buffer.byteLength(body),
        },
      },
      (response: IncomingMessage) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve(text));
        response.on("error", reject);
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.on("error", reject);
    sent.end(body);
  });
}
