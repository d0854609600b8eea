// History lines on their way to the table: appended in batches, kept and tried again when the table does not take them,
// so that an operation is explained even when the store was away in its middle. The first line of a quiet time goes at
// once, those behind it together: an operation tells ten things in a tenth of a second, and its own writes come first.

import type { HistoryRecord } from "../core/records.ts";
import { after, type Instant } from "../core/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { GroupStore } from "../ports/group-store.ts";
import { errorText } from "./error-text.ts";

const BATCH = 25;
const RETRY_MS = 1_000;
const SEND_EVERY_MS = 100;
/** More than this is never kept: the newest explain the present. */
const LIMIT = 2_000;

export class HistoryQueue {
  readonly #store: Pick<GroupStore, "appendHistory">;
  readonly #clock: Clock;
  readonly #tell: (trouble: string) => void;
  #isTold = false;
  #waiting: HistoryRecord[] = [];
  #isSending = false;
  #isDraining = false;
  #notBefore: Instant | null = null;
  #cancelPause: () => void = () => {};
  #whenEmpty: (() => void) | null = null;
  #cancelRetry: () => void = () => {};

  /** `tell`: that the table does not take history, once until it does again, and what had to be dropped. */
  constructor(store: Pick<GroupStore, "appendHistory">, clock: Clock, tell: (trouble: string) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#tell = tell;
  }

  add(record: HistoryRecord): void {
    this.#waiting.push(record);
    if (this.#waiting.length > LIMIT) {
      this.#tell(`${this.#waiting.length - LIMIT} lines of history are dropped: the table has taken none for too long`);
      this.#waiting.splice(0, this.#waiting.length - LIMIT);
    }
    this.#sendWhenDue();
  }

  /** Calls back when everything was taken, or at once if nothing waits. */
  drained(callback: () => void): void {
    this.#isDraining = true;
    if (this.#waiting.length === 0 && !this.#isSending) return callback();
    this.#whenEmpty = callback;
    this.#sendWhenDue();
  }

  close(): void {
    this.#cancelRetry();
    this.#cancelPause();
    this.#whenEmpty = null;
  }

  #sendWhenDue(): void {
    const now = this.#clock.now();
    const at = this.#notBefore;
    this.#cancelPause();
    if (at === null || at <= now || this.#isDraining) return this.#send();
    this.#cancelPause = this.#clock.wakeAt(at, () => this.#send());
  }

  #send(): void {
    if (this.#isSending || this.#waiting.length === 0) return;
    this.#isSending = true;
    this.#notBefore = after(this.#clock.now(), SEND_EVERY_MS);
    const batch = this.#waiting.slice(0, BATCH);
    this.#store.appendHistory(batch).then(
      () => this.#sent(batch),
      (error: unknown) => this.#retry(errorText(error)),
    );
  }

  #sent(batch: readonly HistoryRecord[]): void {
    this.#isSending = false;
    this.#isTold = false;
    this.#waiting = this.#waiting.filter((record) => !batch.includes(record));
    if (this.#waiting.length > 0) return this.#sendWhenDue();
    this.#whenEmpty?.();
    this.#whenEmpty = null;
  }

  #retry(trouble: string): void {
    if (!this.#isTold) this.#tell(`history waits: ${trouble}`);
    this.#isTold = true;
    this.#cancelRetry = this.#clock.wakeAt(after(this.#clock.now(), RETRY_MS), () => {
      this.#isSending = false;
      this.#send();
    });
  }
}
