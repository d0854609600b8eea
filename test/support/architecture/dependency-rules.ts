// Who may import what. The first entry whose folder contains the file decides.

import type { SourceFile } from "./source-file.ts";

export interface FolderRule {
  readonly folder: string;
  /** Files of the project: folders (ending with a slash) or beginnings of file names. */
  readonly files: readonly string[];
  /** Packages by name, `node:` for all of Node's own modules, `*` for any. */
  readonly packages: readonly string[];
}

const coreConfiguration = ["lib/core/config", "lib/core/types.ts", "lib/core/errors.ts", "lib/core/spec.ts"];
const environmentOfTheFunctions = [
  "lib/runtime/environment.ts",
  "lib/runtime/timing.ts",
  "lib/runtime/table-schema.ts",
  "lib/runtime/metric-names.ts",
];
const presentation = ["commander", "cli-table3", "picocolors", "log-update"];

export const folderRules: readonly FolderRule[] = [
  { folder: "lib/core/", files: ["lib/core/"], packages: [] },
  { folder: "lib/ports/", files: ["lib/core/", "lib/ports/"], packages: [] },
  { folder: "lib/adapters/", files: ["lib/core/", "lib/ports/", "lib/adapters/"], packages: ["*"] },
  { folder: "lib/runtime/", files: ["lib/core/", "lib/ports/", "lib/runtime/"], packages: [] },
  {
    folder: "lib/constructs/",
    files: ["lib/constructs/", "lib/core/acl.ts", ...coreConfiguration, ...environmentOfTheFunctions],
    packages: ["aws-cdk-lib", "constructs", "node:"],
  },
  { folder: "lib/cli/", files: ["lib/core/", "lib/ports/", "lib/cli/"], packages: [...presentation, "node:"] },
  { folder: "lib/sentinel/", files: ["lib/core/", "lib/ports/", "lib/sentinel/"], packages: ["node:"] },
  { folder: "lib/client/", files: ["lib/core/", "lib/ports/", "lib/client/"], packages: ["ioredis", "node:"] },
  // What runs on a developer's machine and puts the parts together, like bin/.
  {
    folder: "lib/local/",
    files: ["lib/core/", "lib/ports/", "lib/adapters/", "lib/runtime/", "lib/local/"],
    packages: ["*"],
  },
  {
    folder: "functions/",
    files: ["lib/core/", "lib/ports/", "lib/adapters/", "lib/runtime/", "functions/"],
    packages: ["*"],
  },
  { folder: "bin/", files: ["lib/", "bin/", "package.json"], packages: ["*"] },
  // The simulator is the adapters, and is held to the same contracts as the real ones.
  {
    folder: "test/sim/",
    files: ["lib/core/", "lib/ports/", "lib/runtime/", "test/sim/", "test/contract/", "test/support/"],
    packages: ["vitest", "fast-check", "node:"],
  },
  { folder: "test/", files: ["lib/", "bin/", "functions/", "test/"], packages: ["*"] },
];

export function dependencyViolations(file: SourceFile, rules: readonly FolderRule[] = folderRules): string[] {
  const rule = rules.find((candidate) => file.path.startsWith(candidate.folder));
  if (rule === undefined) {
    return [`${file.path}: no rule says what this folder may import`];
  }
  return file.imports
    .filter((imported) => !isAllowed(imported.specifier, imported.path, rule))
    .map((imported) => {
      const what = imported.specifier === "" ? "a computed module" : imported.specifier;
      return `${file.path}:${imported.line}: ${rule.folder} must not import ${what}`;
    });
}

function isAllowed(specifier: string, path: string | undefined, rule: FolderRule): boolean {
  if (path !== undefined) {
    return rule.files.some((allowed) => path.startsWith(allowed));
  }
  if (rule.packages.includes("*")) {
    return true;
  }
  if (specifier.startsWith("node:")) {
    return rule.packages.includes("node:");
  }
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return name !== "" && rule.packages.includes(name);
}
