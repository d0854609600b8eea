// What `npm start`, `npm test` and the other scripts do after the set-up.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./context.mjs";
import { launch } from "./launch.mjs";
import { ensureLocalstack } from "./local-cloud.mjs";
import { prepare } from "./prepare.mjs";

const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts"];

const tasks = {
  start: (run, args) => run.node("all", ["bin/start.ts", ...args]),
  bench: (run, args) => run.node("all", ["test/bench/run.ts", ...args]),
  sim: (run, args) => run.node("packages", ["test/sim/run.ts", ...args]),
  conformance: (run, args) => run.node("all", ["test/conformance/run.ts", ...args]),
  explore: (run, args) => run.node("packages", ["test/explore/run.ts", ...args]),
  model: (run, args) => run.node("all", ["test/model/run.ts", ...args]),
  bound: (run, args) => run.node("packages", ["test/bound/run.ts", ...args]),
  // Branches that no test of the core takes, all argued for or it fails; npm run mutation says which of those it reaches it would miss.
  coverage: async (run, args) => {
    const about = ["--coverage", "--coverage.include=lib/core/**/*.ts"];
    const reporters = ["--coverage.reporter=text", "--coverage.reporter=json"];
    const tests = [...vitest, "--project", "unit", "test/core", ...about, ...reporters, ...args];
    const code = await run.node("packages", tests);
    return code !== 0 ? code : run.node("packages", ["test/mutation/coverage.ts"]);
  },
  mutation: (run, args) => run.node("packages", ["test/mutation/run.ts", ...args]),
  rules: (run, args) => run.node("packages", ["test/rules/run.ts", ...args]),
  "dashboard-picture": (run, args) => run.node("all", ["test/dashboard/run.ts", ...args]),
  cost: (run, args) => run.node("packages", ["test/cost/run.ts", ...args]),
  build: (run, args) => run.node("packages", ["bin/build.ts", ...args]),
  check: async (run) => ((await run.checks()).failed === 0 ? 0 : 1),
  fix: (run) => run.tool(["node_modules/@biomejs/biome/bin/biome", "check", "--write", "."]),
  test: async (run, args) => {
    const began = Date.now();
    await run.prepare("all");
    const checks = await run.checks();
    // Whoever names files wants to see them, and nothing beside them.
    const suite = args.length === 0 ? ["test/support/run-suite.ts"] : [...vitest, ...args];
    const code = await run.node("all", suite, {
      VALKEEPER_CHECKS: `${checks.passed},${checks.failed}`,
      VALKEEPER_BEGAN: String(began),
    });
    return code === 0 && checks.failed > 0 ? 1 : code;
  },
  "test:unit": (run, args) => run.node("packages", [...vitest, "--project", "unit", ...args]),
  "test:process": (run, args) => run.node("all", [...vitest, "--project", "!unit", ...args]),
  "test:localstack": async (run, args) => {
    await run.prepare("all");
    // Somebody's own, in Docker for one, needs nothing of ours.
    const named = run.context.environment.AWS_ENDPOINT_URL;
    const environment = named ? {} : { VALKEEPER_LOCALSTACK_PYTHON: (await ensureLocalstack(run.context)).python };
    return run.node("all", ["test/localstack/run.ts", ...args], environment);
  },
  "test:aws": (run, args) => run.node("packages", ["test/aws/run.ts", ...args]),
  run: (run, args) => run.node("all", args),
};

export const taskNames = Object.keys(tasks);

/** Each check writes nothing, and says by its exit code whether the tree is as it should be. */
const checks = [
  { name: "format and lint", args: ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."] },
  { name: "types", args: ["node_modules/typescript/bin/tsc", "--project", "tsconfig.json"] },
  { name: "types of the pure core", args: ["node_modules/typescript/bin/tsc", "--project", "lib/core/tsconfig.json"] },
  {
    name: "unused files, exports and packages",
    args: ["node_modules/knip/bin/knip.js", "--config", ".knip.json", "--no-progress"],
  },
];

/** @returns {Promise<number>} the exit code */
export async function runTask(context, name, args) {
  const prepared = { all: undefined, packages: undefined };
  const run = {
    context,
    async prepare(needs) {
      prepared[needs] ??= prepared.all ?? (await prepare(context, needs));
      return prepared[needs];
    },
    async node(needs, [entry, ...rest], environment) {
      const { node } = await run.prepare(needs);
      if (!existsSync(join(context.root, entry))) {
        throw new SetupError(`${entry} is not there yet.`);
      }
      return launch(context, { node, args: [entry, ...rest], environment });
    },
    tool: (toolArgs) => run.node("packages", toolArgs),
    async checks() {
      const counts = { passed: 0, failed: 0 };
      for (const check of checks) {
        process.stdout.write(`check: ${check.name}\n`);
        const code = await run.tool(check.args);
        counts[code === 0 ? "passed" : "failed"] += 1;
        if (code !== 0) {
          process.stdout.write(`check failed: ${check.name}\n`);
        }
      }
      return counts;
    },
  };
  return tasks[name](run, args);
}
