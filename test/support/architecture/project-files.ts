import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSource, type SourceFile } from "./source-file.ts";

export const root: string = fileURLToPath(new URL("../../..", import.meta.url));

const sourceFolders = ["bin", "functions", "lib", "test"];
const sourceEndings = [".ts", ".mjs"];

/** Every source file of the project. */
export function readProject(): SourceFile[] {
  return sourceFolders
    .flatMap((folder) => filesBelow(folder))
    .filter((path) => sourceEndings.some((ending) => path.endsWith(ending)))
    .map((path) => readSource(path, readFileSync(join(root, path), "utf8")));
}

/** Everything below a folder of the project, with forward slashes; nothing when there is no such folder. */
export function filesBelow(folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) {
    return [];
  }
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"))
    .sort();
}

export function topLevelEntries(): string[] {
  return readdirSync(root);
}

export function ignoredNames(): Set<string> {
  const lines = readFileSync(join(root, ".gitignore"), "utf8").split("\n");
  return new Set(lines.map((line) => line.replace(/\/$/, "")));
}

export function readIfThere(path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
