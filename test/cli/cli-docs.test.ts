import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { EXIT_MEANING } from "../../lib/cli/exit-code.ts";
import type { Host } from "../../lib/cli/host.ts";
import { createProgram } from "../../lib/cli/program.ts";
import { epoch } from "../../lib/core/types.ts";
import { CommandLine } from "./command-line.ts";
import { failoverHistory, GROUP, spec } from "./records.ts";

const text = readFileSync(fileURLToPath(new URL("../../docs/cli.md", import.meta.url)), "utf8");

// Only its shape is looked at: nothing is run.
const program = createProgram({ environment: { version: "0", screen: {} } } as unknown as Host);

function commandsOf(command: Command, path: string): { readonly path: string; readonly command: Command }[] {
  return command.commands.flatMap((each) => {
    const own = `${path} ${each.name()}`;
    return each.commands.length > 0 ? commandsOf(each, own) : [{ path: own, command: each }];
  });
}
const commands = commandsOf(program, "valkeeper");

/** The part of the page about one command: from its heading to the next. */
const sectionOf = (path: string): string => {
  const sections = text.split(/^(?=#+ )/m);
  return sections.find((section) => new RegExp(`^#+ \`${path}[ \`]`).test(section)) ?? "";
};
const orders = text.slice(text.indexOf("## Orders"), text.indexOf("### `valkeeper switchover"));

describe("docs/cli.md", () => {
  it("knows the commands that there are", () => {
    expect(commands.map(({ path }) => path)).toEqual(
      [
        ...["status", "watch", "why", "history", "switchover", "drain", "failover", "pause", "resume"],
        ...[
          "groups add",
          "groups import",
          "groups set",
          "groups unset",
          "groups move",
          "groups release",
          "groups remove",
          "groups list",
          "groups recover",
          "local",
        ],
      ].map((name) => `valkeeper ${name}`),
    );
  });

  it.each(commands)("describes $path with every option", ({ path, command }) => {
    const section = sectionOf(path);
    expect(section).not.toBe("");
    const options = command.options.map((option) => option.long ?? "");
    const isOrder = options.includes("--timeout");
    // What all orders have stands once, before the first of them; so do --by and --voters of what changes groups.
    const place =
      section + (isOrder ? orders : "") + (path.includes("groups") ? sectionOf("valkeeper groups add") + orders : "");
    expect(options.filter((option) => !place.includes(`\`${option}`) && !place.includes(` ${option}`))).toEqual([]);
  });

  it("lists the options of all commands", () => {
    expect(program.options.length).toBeGreaterThan(0);
    for (const option of program.options) expect(text).toContain(`\`${option.long}\``);
  });

  it("lists every exit code with its meaning", () => {
    for (const [code, meaning] of Object.entries(EXIT_MEANING)) expect(text).toContain(`| ${code} | ${meaning} |`);
  });
});

/** Every path to a value, `[]` for what is in a list and `*` for the keys of a map of names. */
function paths(value: unknown, at = ""): string[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((each) => paths(each, `${at}[]`));
  if (typeof value !== "object" || value === null) return [at];
  const isNamed = /\.(published|seenBy|overrides|detail|notCandidates)$/.test(at);
  if (at.endsWith(".config")) return [at];
  return Object.entries(value).flatMap(([key, each]) => [at, ...paths(each, isNamed ? `${at}.*` : `${at}.${key}`)]);
}

const documented = (name: string): unknown =>
  JSON.parse(new RegExp(`\`\`\`json ${name}\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? "null");

/** The documented shape has every field of the actual one, and at its top no other. */
function expectShape(name: string, out: string): void {
  const known = new Set(paths(documented(name)));
  const actual = JSON.parse(out);
  expect(paths(actual).filter((path) => !known.has(path))).toEqual([]);
  expect(Object.keys(documented(name) as object)).toEqual(expect.arrayContaining(Object.keys(actual)));
  expect(Object.keys(actual)).toEqual(expect.arrayContaining(Object.keys(documented(name) as object)));
}

describe("the JSON shapes of docs/cli.md", () => {
  const line = () => {
    const made = new CommandLine().withGroup();
    made.store.history.push(...failoverHistory());
    return made;
  };

  it.each([
    ["status", ["status"]],
    ["why", ["why", "mymaster"]],
    ["history", ["history", "mymaster"]],
    ["control", ["pause", "mymaster", "--reason", "r", "--for", "30m"]],
    ["control", ["resume", "mymaster"]],
    ["list", ["groups", "list"]],
    ["set", ["groups", "set", "mymaster", "leaseMs=6000"]],
    ["add", ["groups", "add", "--name", "sessions", "--node", "n1=10.0.1.7", "--wait", "0s"]],
    ["failure", ["status", "nope"]],
  ])("%s is what the command prints: %j", async (name, args) => {
    expectShape(name, (await line().run(...args, "--json")).out);
  });

  it("move is what moving prints", async () => {
    const made = line();
    made.store.slots = made.store.slots.flatMap((slot) => [slot, { ...slot, shard: 1 }]);
    expectShape("move", (await made.run("groups", "move", "mymaster", "--to", "1", "--json")).out);
  });

  it("import is what importing prints", async () => {
    const made = line();
    made.files.set("s.conf", "port 26379\nsentinel monitor mymaster 10.0.1.7 6379 1\n");
    expectShape("import", (await made.run("groups", "import", "s.conf", "--zone", "10.0.1.7=az-a", "--json")).out);
  });

  it("orders is what an order prints", async () => {
    const made = line();
    made.onPause = () => {
      const request = made.store.requests.get(GROUP);
      if (request === undefined) return;
      const result = { kind: "done", detail: "done", epoch: epoch(8), at: made.now } as const;
      made.store.requests.set(GROUP, { ...request, result });
    };
    expectShape("orders", (await made.run("switchover", "mymaster", "--json")).out);
  });

  it("release is what releasing prints", async () => {
    const made = line();
    made.store.specs.set(GROUP, spec({ declaredBy: { stack: "stack/Cache", resource: "Mymaster" } }));
    expectShape("release", (await made.run("groups", "release", "mymaster", "--yes", "--json")).out);
  });

  it("remove is what removing prints", async () => {
    const made = line();
    made.store.specs.set(GROUP, spec({ owner: "cli" }));
    expectShape("remove", (await made.run("groups", "remove", "mymaster", "--yes", "--json")).out);
  });
});
