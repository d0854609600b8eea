// The tests of lib/core in this process: bundled once with the instrumented sources, evaluated as often as is asked, run one by one. A
// mutant then costs milliseconds instead of the start of a test process. The tests are plain functions, so `describe` and `it` only
// have to note them down; `expect` is vitest's own, and `npm test` runs the same files under vitest itself.

import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import { build } from "esbuild";
import fc from "fast-check";
import { expect } from "vitest";

export interface Test {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly run: () => unknown;
}

type Body = (...args: unknown[]) => unknown;
type Each = (rows: readonly unknown[]) => (title: string, body: Body) => void;

const require = createRequire(import.meta.url);
const REGISTRY = "valkeeperTests";
// The same examples every time: what is killed today is killed tomorrow. The other modules come from the bundle.
const provided: Readonly<Record<string, unknown>> = { "fast-check": fc };

/** `left` are the test files that are not run, by their names without the ending. */
export async function bundleTests(root: string, left: readonly string[]): Promise<() => readonly Test[]> {
  const files = readdirSync(join(root, "test/core"))
    .filter((name) => name.endsWith(".test.ts") && !left.includes(name.slice(0, -".test.ts".length)))
    .sort();
  const entry = files.map((name) => `globalThis.${REGISTRY}.file("${name}");\nrequire("./test/core/${name}");`);
  const built = await build({
    stdin: { contents: entry.join("\n"), resolveDir: root, loader: "js" },
    bundle: true,
    write: false,
    treeShaking: false,
    format: "cjs",
    platform: "node",
    target: "node24",
    external: ["fast-check"],
    plugins: [
      {
        name: "vitest",
        setup(context) {
          context.onResolve({ filter: /^vitest$/ }, () => ({ path: "vitest", namespace: "registry" }));
          context.onLoad({ filter: /.*/, namespace: "registry" }, () => ({
            contents: `export const { describe, it, expect } = globalThis.${REGISTRY};`,
          }));
        },
      },
    ],
  });
  const text = built.outputFiles[0]?.text ?? "";
  const script = new Script(`(function (require, module, exports) {${text}\n})`, { filename: "core-tests.js" });
  return () => evaluate(script);
}

function evaluate(script: Script): readonly Test[] {
  const registry = new Registry();
  fc.configureGlobal({ seed: 1 });
  Object.assign(globalThis, { [REGISTRY]: registry });
  const load = script.runInThisContext() as (require: unknown, module: object, exports: object) => void;
  load((name: string) => provided[name] ?? require(name), { exports: {} }, {});
  return registry.tests;
}

class Registry {
  readonly tests: Test[] = [];
  readonly expect = expect;
  readonly describe = this.#withEach((title, body) => this.#suite(title, body));
  readonly it = this.#withEach((title, body) => this.#test(title, body));
  #file = "";
  #path: readonly string[] = [];
  readonly #names = new Map<string, number>();

  file(name: string): void {
    this.#file = name;
    this.#path = [];
  }

  #suite(title: string, body: () => unknown): void {
    const outer = this.#path;
    this.#path = [...outer, title];
    body();
    this.#path = outer;
  }

  #test(title: string, body: () => unknown): void {
    const name = [this.#file, ...this.#path, title].join(" > ");
    const times = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, times);
    const id = times === 1 ? name : `${name} (${times})`;
    this.tests.push({ id, name: id, file: `test/core/${this.#file}`, run: body });
  }

  #withEach(add: (title: string, body: () => unknown) => void): ((title: string, body: Body) => void) & { each: Each } {
    const each: Each = (rows) => (title, body) => {
      // As vitest does: one row that is no list makes every row one argument.
      const areLists = rows.every((row) => Array.isArray(row));
      rows.forEach((row, index) => {
        const args = areLists ? (row as readonly unknown[]) : [row];
        add(`${title} [${index + 1}]`, () => body(...args));
      });
    };
    return Object.assign((title: string, body: Body) => add(title, () => body()), { each });
  }
}
