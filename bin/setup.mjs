#!/usr/bin/env node
// `node bin/setup.mjs` brings everything in place that the checkout needs; `node bin/setup.mjs TASK` does that and runs the task.
// It starts on whatever Node there is: TypeScript, Node 24 and all packages come only with its first step.

import { makeContext, SetupError } from "../lib/local/setup/context.mjs";
import { prepare } from "../lib/local/setup/prepare.mjs";
import { runTask, taskNames } from "../lib/local/setup/tasks.mjs";

const [task, ...args] = process.argv.slice(2);
const context = makeContext();
try {
  if (task === undefined) {
    await prepare(context, "all");
    context.say("ready");
  } else if (taskNames.includes(task)) {
    process.exitCode = await runTask(context, task, args);
  } else {
    throw new SetupError(`unknown task "${task}"; there are ${taskNames.join(", ")}.`);
  }
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  process.stderr.write(`valkeeper: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
