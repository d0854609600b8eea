// What does a command do that has begun to wait, when the table does not answer for a moment? It says so once and asks
// again: what it waits for goes on without it.

import { PortError } from "../core/errors.ts";
import type { Call } from "./environment.ts";

export interface Patience {
  /** What `ask` resolves with, or null while the table does not answer. Other failures are thrown. */
  readonly ask: <T>(ask: () => Promise<T>) => Promise<T | null>;
}

export function patienceOf(call: Call): Patience {
  let isTold = false;
  return {
    ask: async (ask) => {
      try {
        const answer = await ask();
        isTold = false;
        return answer;
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        if (!isTold) call.environment.screen.note(`the table does not answer, still waiting: ${error.message}`);
        isTold = true;
        return null;
      }
    },
  };
}
