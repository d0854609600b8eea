// Starts the program that a task is about, on the right Node, and is as transparent as it can be: same terminal, signals passed on, the
// program's own exit code.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { watchParent } from "./parent-watch.mjs";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];
// npm passes on to us what the terminal has sent to all of us already; what arrives within this time is the same wish.
const sameWishMs = 1_000;

/** @returns {Promise<number>} the exit code, 128 + n for a signal, as shells count */
export function launch(context, { node, args, environment = {}, cwd = context.root }) {
  return new Promise((resolve, reject) => {
    const path = [join(context.root, "node_modules", ".bin"), dirname(node), context.environment.PATH ?? ""].join(
      delimiter,
    );
    const child = spawn(node, args, {
      cwd,
      stdio: "inherit",
      env: { ...context.environment, ...environment, PATH: path },
    });
    const stopForwarding = forwardSignals(child);
    const stopWatching = watchParent(context.environment, () => child.kill("SIGTERM"));
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      stopForwarding();
      stopWatching();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function forwardSignals(child) {
  // Ctrl-C reaches the whole foreground group, the child included: forwarding it as well would look like a second, impatient one.
  const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  const lastAt = new Map();
  const handlers = forwarded.map((signal) => {
    const handler = () => {
      const now = Date.now();
      const isRepeated = now - (lastAt.get(signal) ?? Number.NEGATIVE_INFINITY) < sameWishMs;
      lastAt.set(signal, now);
      if (!isRepeated && !(signal === "SIGINT" && onTerminal)) {
        child.kill(signal);
      }
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) {
      process.off(signal, handler);
    }
  };
}
