// Where events go: one line per step that changed something.

import type { CoreEvent } from "../core/events.ts";
import type { GroupName, VoterId } from "../core/types.ts";

export interface JournalEntry extends CoreEvent {
  readonly group: GroupName;
  readonly voter: VoterId;
  readonly generation: number;
  readonly tick: number;
}

export interface Journal {
  write(entry: JournalEntry): void;
}
