// As whom does a voter log in to a group's nodes? Secrets are read once and kept for as long as the process lives, which
// in Lambda is many invocations: reading them again and again costs money, and a failover must not have to. A password
// that a node refuses is read again, so that a rotation needs no deployment.

import type { CredentialsReference } from "../../core/config.ts";
import { messageOf } from "../../core/errors.ts";
import { elapsedMs, type GroupName, type Instant } from "../../core/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Credentials } from "../valkey/login.ts";

/** The password that a reference leads to; rejects with the reason in words. */
export type ReadPassword = (reference: StoredReference) => Promise<string>;
/** A reference to something kept elsewhere. */
export type StoredReference = Extract<CredentialsReference, { kind: "secrets-manager" | "ssm-secure-string" }>;

interface Entry {
  readonly reference: CredentialsReference;
  /** Who voters of this process were before the group's user was changed. */
  readonly previousUser: string | null;
  password: string | null;
  isKnown: boolean;
  reading: Promise<void> | null;
  readAt: Instant | null;
  failure: string | null;
}

/** A refused password is read again at most this often: a wrong one stays wrong, and every reading is billed. */
const READ_AGAIN_MS = 5_000;

export class CredentialsBook {
  readonly #entries = new Map<GroupName, Entry>();
  readonly #read: ReadPassword;
  readonly #clock: Pick<Clock, "now">;

  constructor(read: ReadPassword, clock: Pick<Clock, "now">) {
    this.#read = read;
    this.#clock = clock;
  }

  /** What is known now. Call `load` first: without it nobody is let in. */
  current(group: GroupName, reference: CredentialsReference): Credentials {
    const { password, previousUser } = this.#entry(group, reference);
    return { user: reference.user, password, previousUser };
  }

  /** Resolves with null when the credentials are known, else with the reason. Never rejects. */
  async load(group: GroupName, reference: CredentialsReference): Promise<string | null> {
    const entry = this.#entry(group, reference);
    if (entry.isKnown) return null;
    await this.#readWhenDue(entry);
    return entry.isKnown ? null : (entry.failure ?? "the credentials are not read yet");
  }

  /** A node refused what is known. */
  async readAgain(group: GroupName, reference: CredentialsReference): Promise<void> {
    await this.#readWhenDue(this.#entry(group, reference));
  }

  #entry(group: GroupName, reference: CredentialsReference): Entry {
    const known = this.#entries.get(group);
    if (known !== undefined && isSame(known.reference, reference)) return known;
    const entry: Entry = {
      reference,
      previousUser: known === undefined || known.reference.user === reference.user ? null : known.reference.user,
      password: reference.kind === "inline" ? reference.password : null,
      isKnown: reference.kind === "inline" || reference.kind === "none",
      reading: null,
      readAt: null,
      failure: null,
    };
    this.#entries.set(group, entry);
    return entry;
  }

  #readWhenDue(entry: Entry): Promise<void> {
    const isRecent = entry.readAt !== null && elapsedMs(entry.readAt, this.#clock.now()) < READ_AGAIN_MS;
    if (entry.reading !== null) return entry.reading;
    if (isRecent || entry.reference.kind === "inline" || entry.reference.kind === "none") return Promise.resolve();
    entry.readAt = this.#clock.now();
    entry.reading = this.#read(entry.reference)
      .then(
        (password) => {
          entry.password = password;
          entry.isKnown = true;
          entry.failure = null;
        },
        // The password that was known stays: a store that is away must not lock voters out of nodes that still take it.
        (error: unknown) => {
          entry.failure = messageOf(error);
        },
      )
      .finally(() => {
        entry.reading = null;
      });
    return entry.reading;
  }
}

const isSame = (left: CredentialsReference, right: CredentialsReference): boolean =>
  JSON.stringify(left) === JSON.stringify(right);
