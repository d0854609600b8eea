// A small HTTP proxy before an AWS endpoint that does to requests what networks and services do: turns them away, loses
// them, answers late, or carries them out and loses the answer. The SDK, its sockets and its errors are real. Speaks the
// error formats of the JSON services (DynamoDB, SSM, Secrets Manager) and of Route 53.

import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export type Fault =
  /** The service says no before doing anything. */
  | {
      readonly kind: "error";
      readonly name: string;
      readonly status?: number;
      readonly headers?: Record<string, string>;
    }
  /** Carried out, and answered with this error. */
  | { readonly kind: "apply-then-error"; readonly name: string; readonly status: number }
  /** Never reaches the service, and is never answered. */
  | { readonly kind: "hang" }
  /** The connection is reset; the request never reaches the service. */
  | { readonly kind: "cut" }
  /** Carried out; the connection is reset instead of an answer. */
  | { readonly kind: "apply-then-cut" }
  /** Carried out; headers and half of the body come, then nothing more. */
  | { readonly kind: "half-answer"; readonly ending: "hang" | "cut" }
  /** Reaches the service only after `ms`, also when nobody waits for the answer any more. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Not what an AWS service says: a captive portal, a proxy's page. */
  | { readonly kind: "page" }
  /** A batch of which nothing was processed, as under throttling. */
  | { readonly kind: "unprocessed" };

interface Injection {
  readonly fault: Fault;
  readonly operation: string | null;
  left: number;
}

/** A request as it came, by operation: `UpdateItem`, `PutParameter`, `ChangeResourceRecordSets`, `CompleteLifecycleAction`. */
export interface SeenRequest {
  readonly operation: string;
  readonly fault: Fault["kind"] | null;
}

interface Received {
  readonly operation: string;
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

export class FaultProxy {
  readonly #target: URL;
  readonly #server: Server;
  #injections: Injection[] = [];
  #limit: { readonly perSecond: number; tokens: number; at: number } | null = null;
  #isForbidden: (body: string) => boolean = () => false;
  #seen: SeenRequest[] = [];
  /** Of each request, its operation and its text. */
  onRequest: (operation: string, body: string) => void = () => undefined;
  #port = 0;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((request, response) => {
      this.#receive(request, response).catch(() => response.destroy());
    });
  }

  /** On a free port of 127.0.0.1. */
  static async before(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await proxy.accept();
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Every request since `calm`. */
  get seen(): readonly SeenRequest[] {
    return this.#seen;
  }

  /** The next `times` requests (of that operation) meet this fault; several injections are used up in their order. */
  inject(fault: Fault, options: { readonly times?: number; readonly operation?: string } = {}): void {
    this.#injections.push({ fault, operation: options.operation ?? null, left: options.times ?? 1 });
  }

  /** So many requests a second, and as many at once; the others are turned away as the service does. */
  limit(perSecond: number | null): void {
    this.#limit = perSecond === null ? null : { perSecond, tokens: perSecond, at: performance.now() };
  }

  /** Route 53 refuses each change batch whose text is so, as for a protected name. */
  forbidChanges(isForbidden: (body: string) => boolean): void {
    this.#isForbidden = isForbidden;
  }

  /** No more faults, and nothing seen. */
  calm(): void {
    this.#injections = [];
    this.#seen = [];
    this.#limit = null;
    this.#isForbidden = () => false;
  }

  /** Nobody listens any more: connections are refused, open ones closed. */
  async refuse(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Listens (again), on the port it had. */
  async accept(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.refuse();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const received = { operation: operationOf(request, body), request, body };
    const fault = this.#take(received.operation) ?? this.#standingFault(received);
    this.#seen.push({ operation: received.operation, fault: fault?.kind ?? null });
    this.onRequest(received.operation, received.body.toString("utf8"));
    await this.#answer(received, response, fault);
  }

  #take(operation: string): Fault | null {
    const found = this.#injections.find((each) => each.left > 0 && (each.operation ?? operation) === operation);
    if (found === undefined) return null;
    found.left -= 1;
    return found.fault;
  }

  #standingFault({ operation, body }: Received): Fault | null {
    if (!this.#mayPass()) return { kind: "error", name: "Throttling" };
    const isForbidden = operation === "ChangeResourceRecordSets" && this.#isForbidden(body.toString("utf8"));
    return isForbidden ? { kind: "error", name: "InvalidChangeBatch" } : null;
  }

  #mayPass(): boolean {
    const limit = this.#limit;
    if (limit === null) return true;
    const now = performance.now();
    limit.tokens = Math.min(limit.perSecond, limit.tokens + ((now - limit.at) / 1_000) * limit.perSecond);
    limit.at = now;
    if (limit.tokens < 1) return false;
    limit.tokens -= 1;
    return true;
  }

  async #answer(received: Received, response: ServerResponse, fault: Fault | null): Promise<void> {
    switch (fault?.kind) {
      case undefined:
        return send(response, await this.#forward(received));
      case "error":
        return send(response, errorAnswer(received, fault.name, fault.status ?? 400, fault.headers));
      case "apply-then-error":
        await this.#forward(received);
        return send(response, errorAnswer(received, fault.name, fault.status));
      case "hang":
        return;
      case "cut":
        return void response.socket?.resetAndDestroy();
      case "apply-then-cut":
        await this.#forward(received);
        return void response.socket?.resetAndDestroy();
      case "half-answer":
        return sendHalf(response, await this.#forward(received), fault.ending);
      case "delay":
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return send(response, await this.#forward(received));
      case "page":
        return send(response, page());
      case "unprocessed":
        return send(response, unprocessed(received));
    }
  }

  #forward({ request, body }: Received): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { hostname: host, port } = this.#target;
      const { connection: _connection, ...headers } = request.headers;
      const options = { host, port, path: request.url, method: request.method, headers, agent: false } as const;
      const forwarded = httpRequest(options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const { connection: _close, "transfer-encoding": _chunked, ...kept } = answer.headers;
          resolve({ status: answer.statusCode ?? 500, headers: kept, body: Buffer.concat(chunks) });
        });
      });
      forwarded.on("error", reject);
      forwarded.end(body);
    });
  }
}

function operationOf(request: IncomingMessage, body: Buffer): string {
  const target = request.headers["x-amz-target"];
  if (typeof target === "string") return target.split(".").at(-1) ?? target;
  if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true) {
    return new URLSearchParams(body.toString("utf8")).get("Action") ?? "";
  }
  if (request.url?.includes("/rrset")) {
    return request.method === "POST" ? "ChangeResourceRecordSets" : "ListResourceRecordSets";
  }
  return `${request.method} ${request.url}`;
}

function send(response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  response.writeHead(answer.status, { ...answer.headers, "content-length": String(answer.body.length) });
  response.end(answer.body);
}

function sendHalf(response: ServerResponse, answer: Answer, ending: "hang" | "cut"): void {
  response.writeHead(answer.status, { ...answer.headers, "content-length": String(answer.body.length) });
  response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () => {
    if (ending === "cut") response.socket?.resetAndDestroy();
  });
}

function errorAnswer(received: Received, name: string, status: number, headers: Record<string, string> = {}): Answer {
  const message = `${name} by the fault proxy`;
  const isJson = received.request.headers["x-amz-target"] !== undefined;
  const body = isJson
    ? JSON.stringify({ __type: `com.amazonaws#${name}`, message })
    : `<ErrorResponse><Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error><RequestId>0</RequestId></ErrorResponse>`;
  const type = isJson ? "application/x-amz-json-1.0" : "text/xml";
  return { status, headers: { "content-type": type, ...headers }, body: Buffer.from(body) };
}

const page = (): Answer => ({
  status: 200,
  headers: { "content-type": "text/html" },
  body: Buffer.from("<html><body>Please sign in</body></html>"),
});

function unprocessed({ body }: Received): Answer {
  const { RequestItems: items } = JSON.parse(body.toString("utf8")) as { readonly RequestItems: unknown };
  const answer = { Responses: {}, UnprocessedKeys: items, UnprocessedItems: items };
  return {
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: Buffer.from(JSON.stringify(answer)),
  };
}
