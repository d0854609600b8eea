// A request that a service turned away and took at the next try is seen by nobody, because `call` tries again. Sustained,
// it is the warning that comes before the votes of a zone's loss do not fit the table.

import { isTurnedAway } from "../aws/call.ts";

type Handler = (args: unknown) => Promise<unknown>;

/** What is used of an SDK client: every one of them has it, each with its own types. */
interface Client {
  readonly middlewareStack: {
    add(middleware: (next: Handler) => Handler, options: { readonly step: "initialize"; readonly name: string }): void;
  };
}

/** Calls `onThrottled` for each try that the service turned away; the error goes on to whoever asked. */
export function watchThrottles(client: object, onThrottled: () => void): void {
  const { middlewareStack } = client as Client;
  const middleware =
    (next: Handler): Handler =>
    async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (isTurnedAway(error)) onThrottled();
        throw error;
      }
    };
  middlewareStack.add(middleware, { step: "initialize", name: "valkeeperThrottles" });
}
