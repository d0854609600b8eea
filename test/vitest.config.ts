import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Two projects, so that the quick tests can be run without starting a process (`npm run test:unit`). A folder belongs to `process` when
// its tests start real programs: they need the set-up's tools and long time-outs, and one file runs at a time, because the machine's cores
// are few and their assertions are about time.
const processFolders = [
  "test/conformance/**/*.test.ts",
  "test/contract/**/*.test.ts",
  "test/integ/**/*.test.ts",
  "test/local/**/*.test.ts",
  "test/model/**/*.test.ts",
  "test/package/**/*.test.ts",
];

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
          exclude: processFolders,
          // The first synth of a process takes seconds on a loaded machine.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "process",
          include: processFolders,
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
