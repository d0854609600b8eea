// Nodes that are asked only when it is known how to log in, and whose refusal of a password has it read again. Probing
// without credentials would show every node of the group as misconfigured, for no fault of theirs.

import type { GroupConfig } from "../../core/config.ts";
import { type Address, elapsedMs, type Observation } from "../../core/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ProbeRequest, ValkeyNode, ValkeyNodes } from "../../ports/valkey-node.ts";
import { makeValkeyNodes } from "../valkey/valkey-node.ts";
import type { CredentialsBook } from "./credentials-book.ts";

export interface CredentialedNodesOptions {
  readonly config: GroupConfig;
  readonly book: CredentialsBook;
  readonly clock: Clock;
  /** As CLIENT LIST shows the connections. */
  readonly clientName: string;
}

export function openCredentialedNodes(options: CredentialedNodesOptions): ValkeyNodes {
  const { config, book, clock, clientName } = options;
  const nodes = makeValkeyNodes({
    clock,
    clientName,
    tls: config.tls,
    credentials: () => book.current(config.name, config.credentials),
  });
  return { open: (address) => new CredentialedNode(nodes.open(address), options) };
}

class CredentialedNode implements ValkeyNode {
  readonly address: Address;
  readonly #node: ValkeyNode;
  readonly #options: CredentialedNodesOptions;

  constructor(node: ValkeyNode, options: CredentialedNodesOptions) {
    this.address = node.address;
    this.#node = node;
    this.#options = options;
  }

  async probe(request: ProbeRequest): Promise<Observation> {
    const { book, config } = this.#options;
    const missing = await this.#untilKnown(request);
    if (missing !== null) return { kind: "misconfigured", reason: "no-auth", detail: missing };
    const seen = await this.#node.probe(request);
    if (seen.kind === "misconfigured" && (seen.reason === "wrong-password" || seen.reason === "no-auth")) {
      // Not waited for: this probe has its answer, the next connection takes what is read.
      void book.readAgain(config.name, config.credentials);
    }
    return seen;
  }

  /** Null when the credentials are known, else why not by the probe's deadline. */
  async #untilKnown(request: ProbeRequest): Promise<string | null> {
    const { book, config, clock } = this.#options;
    let cancel = (): void => undefined;
    const late = new Promise<string>((resolve) => {
      cancel = clock.wakeAt(request.deadline, () =>
        resolve(`the credentials could not be read within ${Math.round(elapsedMs(startedAt, clock.now()))} ms`),
      );
    });
    const startedAt = clock.now();
    const outcome = await Promise.race([book.load(config.name, config.credentials), late]);
    cancel();
    return outcome;
  }

  execute: ValkeyNode["execute"] = (command, deadline) => this.#node.execute(command, deadline);
  onLateOutcome: ValkeyNode["onLateOutcome"] = (listener) => this.#node.onLateOutcome(listener);
  onCut: ValkeyNode["onCut"] = (listener) => this.#node.onCut(listener);
  close = (): void => this.#node.close();
}
