// The package as it is published: the sources as JavaScript with declarations, and each function as one bundle. It is built
// beside its place and moved there whole, so that nobody packs half of it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { LocalError } from "./errors.ts";

export interface PackageBuildOptions {
  /** The checkout. */
  readonly root: string;
  /** What the CDK is told for a function in the checkout. */
  readonly bundling: BuildOptions;
}

/** Fills `dist`. */
export async function buildPackage({ root, bundling }: PackageBuildOptions): Promise<void> {
  mkdirSync(join(root, ".cache"), { recursive: true });
  const draft = mkdtempSync(join(root, ".cache", "package-"));
  try {
    await compile(root, draft);
    for (const name of readdirSync(join(root, "functions"))) {
      await build({
        ...bundling,
        absWorkingDir: root,
        entryPoints: [join(root, "functions", name, "handler.ts")],
        outfile: join(draft, "functions", name, "index.mjs"),
        bundle: true,
        platform: "node",
        logLevel: "warning",
      });
    }
    const dist = join(root, "dist");
    rmSync(dist, { recursive: true, force: true });
    renameSync(draft, dist);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function compile(root: string, to: string): Promise<void> {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [compiler, "--project", join(root, ".tsconfig.build.json"), "--outDir", to];
  const [code] = await once(spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] }), "close");
  if (code !== 0) throw new LocalError("command-failed", "the sources could not be compiled");
  rewriteDeclarations(to);
  keepVersion(to);
}

/** The compiler rewrites `./a.ts` in JavaScript only, and a declaration has to name the file that is there. */
function rewriteDeclarations(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.name.endsWith(".d.ts")) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replaceAll(/((?:from|import\(|import) ?"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'));
  }
}

/** The command line reads its version from here. More of package.json in a second place would describe a second package. */
function keepVersion(folder: string): void {
  const file = join(folder, "package.json");
  const { version, type } = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
  writeFileSync(file, `${JSON.stringify({ version, type })}\n`);
}
