// A voter's view of one address, for tests of single nodes and of what is no node.

import { afterEach } from "vitest";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import type { Credentials } from "../../lib/adapters/valkey/login.ts";
import { makeValkeyNodes } from "../../lib/adapters/valkey/valkey-node.ts";
import type { TlsConfig } from "../../lib/core/config.ts";
import {
  type Address,
  after,
  epoch,
  type NodeCommand,
  type NodeOutcome,
  type Observation,
} from "../../lib/core/types.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import type { ValkeyNode } from "../../lib/ports/valkey-node.ts";
import { sleep } from "../support/local-group.ts";

export type Answered = Extract<Observation, { kind: "answered" }>;

export const coordinator: Credentials = { ...localAccess.coordinator, previousUser: null };
export const nobody: Credentials = { user: "default", password: null, previousUser: null };
export const noTls: TlsConfig = { enabled: false, ca: null, serverName: null };

const clock = new SystemClock();
const PATIENCE_MS = 2_000;

export class Voter {
  readonly node: ValkeyNode;
  credentials: Credentials;

  constructor(address: Address, options: { readonly credentials?: Credentials; readonly tls?: TlsConfig } = {}) {
    this.credentials = options.credentials ?? coordinator;
    const tls = options.tls ?? noTls;
    this.node = makeValkeyNodes({ clock, credentials: () => this.credentials, tls, clientName: "valkeeper-test" }).open(
      address,
    );
  }

  async probe(options: { readonly withinMs?: number; readonly fresh?: boolean } = {}): Promise<Observation> {
    const deadline = after(clock.now(), options.withinMs ?? PATIENCE_MS);
    return this.node.probe({ deadline, fresh: options.fresh ?? false });
  }

  async answer(options: { readonly fresh?: boolean } = {}): Promise<Answered> {
    const observation = await this.probe(options);
    if (observation.kind !== "answered") throw new Error(JSON.stringify(observation));
    return observation;
  }

  async ask(command: NodeCommand, withinMs = PATIENCE_MS): Promise<NodeOutcome> {
    return this.node.execute(command, after(clock.now(), withinMs));
  }

  async freeze(epochNumber: number): Promise<NodeOutcome> {
    const { connection } = await this.answer();
    return this.ask({ kind: "freeze", epoch: epoch(epochNumber), connection: connection.id, parked: false });
  }

  async settle(): Promise<NodeOutcome> {
    const { connection } = await this.answer();
    return this.ask({ kind: "settle", epoch: epoch(9), connection: connection.id });
  }

  async settings(): Promise<Answered["settings"]> {
    await this.answer();
    await sleep(50);
    return (await this.answer()).settings;
  }
}

/** Voters of one test file, closed after each test. */
export function useVoters(): (
  address: Address,
  options?: { readonly credentials?: Credentials; readonly tls?: TlsConfig },
) => Voter {
  const voters: Voter[] = [];
  afterEach(() => {
    for (const voter of voters.splice(0)) voter.node.close();
  });
  return (address, options) => {
    const voter = new Voter(address, options);
    voters.push(voter);
    return voter;
  };
}
