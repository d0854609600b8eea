import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Four projects, so that the quick tests can be run without starting a process (`npm run test:unit`), and so that `npm test` can run two
// columns at once (test/support/run-suite.ts). A folder belongs to `process` when its tests start real programs: they need the set-up's
// tools and long time-outs, and one file runs at a time, because the machine's cores are few and their assertions are about time.
const processFolders = [
  "test/conformance/**/*.test.ts",
  "test/contract/**/*.test.ts",
  "test/integ/**/*.test.ts",
  "test/local/**/*.test.ts",
  "test/package/**/*.test.ts",
];
// Of those, the files that deploy or start the whole: they wait for the CDK, for schedules and for conditions, and nothing in them is as
// short as a loaded machine is slow.
const deployedFiles = [
  "test/integ/deploy.test.ts",
  "test/integ/evacuation-deployed.test.ts",
  "test/integ/example.test.ts",
  "test/integ/host-stop.test.ts",
  "test/integ/imported-table.test.ts",
  "test/integ/local-start.test.ts",
  "test/integ/retained-table.test.ts",
  "test/package/package.test.ts",
];
// Starts real programs as well, but these only calculate.
const modelFolder = "test/model/**/*.test.ts";

const oneAtATime = { fileParallelism: false, testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  cacheDir: ".cache/vitest",
  test: {
    reporters: ["default", fileURLToPath(new URL("support/summary-reporter.ts", import.meta.url))],
    coverage: { provider: "v8", include: ["lib/**/*.ts", "functions/**/*.ts"], reportsDirectory: "coverage" },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...processFolders, modelFolder],
          // The first synth of a process takes seconds on a loaded machine.
          testTimeout: 30_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          ...oneAtATime,
          name: "process",
          include: processFolders,
          exclude: deployedFiles,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { ...oneAtATime, name: "deployed", include: deployedFiles, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { ...oneAtATime, name: "model", include: [modelFolder], sequence: { groupOrder: 2 } },
      },
    ],
  },
});
