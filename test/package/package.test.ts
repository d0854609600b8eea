import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { publint } from "publint";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientsOf, deployApp } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";
import { isMissing, pathForPrograms, projectRoot, readTools } from "../../lib/local/tools.ts";
import { messagesIn } from "../support/assembly.ts";
import { npmProgram, type PackedPackage, packAndInstall, type Ran, run, withOnly } from "./packed-package.ts";

const node = process.execPath;
const app = readFileSync(join(projectRoot, "test", "package", "app.mjs"), "utf8");
/** What the ten lines deploy; others are deployed when they are asked for. */
const deployed = ["notifier", "publisher", "registrar", "voter"];
const group = new ProcessGroup();
let packed: PackedPackage;
/** What the installed construct made of the app, with nothing but its peers installed. */
let installed: string;
/** What that printed. */
let synthesis: Ran;
/** What the checkout's own sources make of it. */
let checkout: string;

beforeAll(async () => {
  if (npmProgram === undefined) return;
  packed = await packAndInstall(group);
  installed = join(packed.folder, "cdk.out");
  checkout = group.makeFolder("checkout-assembly");
  const peers = ["valkeeper", "aws-cdk-lib", "constructs", "@aws-cdk"];
  synthesis = await withOnly(packed.folder, peers, () =>
    run(packed.folder, [node, "app.mjs"], { CDK_OUTDIR: installed }),
  );
  const sources = app.replace('"valkeeper"', '"./lib/constructs/index.ts"');
  // Packages and files are found from the folder in which it runs.
  const environment = { CDK_OUTDIR: checkout, HOME: packed.folder };
  await run(projectRoot, [node, "--input-type=module", "--eval", sources], environment);
}, 180_000);
beforeEach((context) => context.skip(npmProgram === undefined, "npm is not on PATH"));
afterAll(() => group.close());

describe("the packed package, installed beside aws-cdk-lib and constructs", () => {
  it("brings no bundler, no compiler and no Node of its own", () => {
    const names = readdirSync(join(packed.folder, "node_modules"));
    expect(names.filter((name) => /^(esbuild|typescript|valkeeper-|node-)/.test(name))).toEqual([]);
    expect(readdirSync(join(packed.folder, "node_modules", ".bin"))).toEqual(["valkeeper"]);
  });

  it("synthesizes the ten lines of the README with what no app has to install taken away", () => {
    expect(/```js\n(?<code>.*?)```/s.exec(readme())?.groups?.["code"]).toBe(app);
    expect(functionsOf(installed).map(({ properties }) => properties["Handler"])).toEqual(
      Array.from({ length: 6 }, () => "index.handler"),
    );
  });

  it("synthesizes them without a word: no warning of ours or of the CDK's", () => {
    expect(messagesIn(installed)).toEqual([]);
    expect(synthesis).toEqual({ stdout: "", stderr: "" });
  });

  it("says what an app has to know once, where the app does not acknowledge it, and is synthesized all the same", async () => {
    const quiet = app.replace("groups: [", "alarms: {}, groups: [");
    const id = "valkeeper:nobodyIsTold";
    const knowing = `${quiet}\nimport { Annotations } from "aws-cdk-lib";\nAnnotations.of(stack).acknowledgeWarning("${id}");\n`;
    const messagesOf = async (name: string, text: string): Promise<readonly string[]> => {
      const folder = join(packed.folder, `${name}.out`);
      writeFileSync(join(packed.folder, `${name}.mjs`), text);
      await run(packed.folder, [node, `${name}.mjs`], { CDK_OUTDIR: folder });
      expect(Object.keys(templateOf(folder).Resources).length).toBeGreaterThan(20);
      return messagesIn(folder);
    };
    expect(await messagesOf("quiet", quiet)).toEqual([expect.stringContaining(`[ack: ${id}]`)]);
    expect(await messagesOf("knowing", knowing)).toEqual([]);
  }, 60_000);

  it("gives the template that the checkout gives, but for the assets' keys", () => {
    const keyless = (folder: string): unknown =>
      JSON.parse(JSON.stringify(templateOf(folder), (name, value) => (name === "S3Key" ? "key" : value)));
    expect(keyless(installed)).toEqual(keyless(checkout));
    expect(new Set(functionsOf(installed).map(({ code }) => code))).toHaveLength(deployed.length);
  });

  it("brings the very bundles that the checkout deploys", () => {
    const bundles = functionsOf(installed).map(({ code }) => code);
    expect(bundles).toEqual(functionsOf(checkout).map(({ code }) => code));
    const own = (name: string) =>
      digestOf(join(packed.folder, "node_modules", "valkeeper", "dist", "functions", name, "index.mjs"));
    expect(new Set(bundles)).toEqual(new Set(deployed.map(own)));
    const all = readdirSync(join(projectRoot, "functions"));
    expect(new Set(all.map(own))).toHaveLength(all.length);
  });

  it("brings every picture that its pages show", () => {
    const root = join(packed.folder, "node_modules", "valkeeper");
    const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => join("docs", name))];
    const shown = pages
      .filter((page) => page.endsWith(".md"))
      .flatMap((page) =>
        [...readFileSync(join(root, page), "utf8").matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, picture = ""]) =>
          join(root, page, "..", picture),
        ),
      );
    expect(shown.length).toBeGreaterThan(2);
    expect(shown.filter((picture) => !existsSync(picture))).toEqual([]);
  });

  it("can be required by an app that is CommonJS", async () => {
    const { stdout } = await run(packed.folder, [node, "--print", "typeof require('valkeeper').ValkeyFailover"]);
    expect(stdout.trim()).toBe("function");
  });

  it("has types under which the app and a misspelt property are told apart", async () => {
    const check = async (name: string, text: string): Promise<string> => {
      writeFileSync(join(packed.folder, name), text);
      const compiler = [node, join(projectRoot, "node_modules", "typescript", "bin", "tsc")];
      const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--types", "", name];
      return run(packed.folder, [...compiler, ...options]).then(
        () => "",
        (error: { readonly stdout: string }) => error.stdout,
      );
    };
    expect(await check("app-types.mts", app)).toBe("");
    expect(await check("sessions.mts", deployPage())).toBe("");
    expect(await check("wrong-types.mts", app.replace("primary:", "primry:"))).toMatch(/'primry' does not exist/);
  }, 60_000);

  it("names every type of its own that a public declaration mentions", () => {
    const index = namedIn("index", "export");
    const mentioned = index.flatMap(({ file }) => namedIn(file, "import"));
    const known = new Set(index.map(({ name }) => name));
    expect(known).toContain("ValkeyFailover");
    expect(mentioned.filter(({ name }) => !known.has(name))).toEqual([]);
  });

  it("runs the command line, and refuses what needs the checkout", async () => {
    const valkeeper = join(packed.folder, "node_modules", ".bin", "valkeeper");
    const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { version: string };
    expect((await run(packed.folder, [valkeeper, "--version"])).stdout.trim()).toBe(version);
    const local = run(packed.folder, [valkeeper, "local", "--config", "none.json"]);
    await expect(local).rejects.toMatchObject({ code: 5, stderr: expect.stringContaining("checkout") });
  });

  it("is clean by publint and by are-the-types-wrong", async () => {
    const data = readFileSync(packed.tarball);
    const { messages } = await publint({ pack: { tarball: Uint8Array.from(data).buffer }, strict: true });
    expect(messages).toEqual([]);
    const result = await checkPackage(createPackageFromTarballData(data));
    expect(result.types).toEqual({ kind: "included" });
    // ES modules alone, as its profile `esm-only` has it: Node loads them by `require` too, as the test above shows.
    const isExpected = ({ kind }: { readonly kind: string }): boolean => kind === "CJSResolvesToESM";
    expect("problems" in result ? result.problems.filter((problem) => !isExpected(problem)) : result).toEqual([]);
  });

  it("deploys to the local cloud, where its functions run", async (context) => {
    const { localCloud } = readTools();
    if (isMissing(localCloud)) return context.skip(`the local cloud is not installed: ${localCloud.missing}`);
    const cloud = await startLocalCloud({ group });
    await deployApp({
      group,
      cloud,
      cwd: packed.folder,
      path: pathForPrograms(),
      args: ["--app", "node app.mjs"],
    });
    // The registrar has been called by the deployment, and the command line reads what it wrote.
    const valkeeper = join(packed.folder, "node_modules", ".bin", "valkeeper");
    const list = [valkeeper, "groups", "list", "--json", "--table", await onlyTableOf(cloud)];
    const { stdout } = await run(packed.folder, list, cloud.environment);
    expect(JSON.parse(stdout)).toMatchObject({
      groups: [{ group: "mymaster", owner: "cdk", config: { primary: "n1", nodes: [{ host: "10.0.0.10" }, {}, {}] } }],
    });
  }, 120_000);
});

/** What a declaration takes from its neighbours, or gives out of them. */
function namedIn(declaration: string, verb: "import" | "export"): { readonly name: string; readonly file: string }[] {
  const file = join(packed.folder, "node_modules", "valkeeper", "dist", "lib", "constructs", `${declaration}.d.ts`);
  const statements = readFileSync(file, "utf8").matchAll(/^(\w+)(?: type)? \{([^}]*)\} from "\.\/([a-z-]+)\.js";/gm);
  return [...statements]
    .filter(([, kind]) => kind === verb)
    .flatMap(([, , names = "", from = ""]) =>
      names.split(",").map((each) => ({ name: each.replace(/^\s*type /, "").trim(), file: from })),
    );
}

/** The app for nodes that run already. */
const deployPage = (): string =>
  /```ts\n(?<code>.*?)```/s.exec(readFileSync(join(projectRoot, "docs", "deploy.md"), "utf8"))?.groups?.["code"] ??
  "none";

const readme = (): string => readFileSync(join(projectRoot, "README.md"), "utf8");

type Properties = Readonly<Record<string, unknown>>;
type Template = {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>;
};

const templateOf = (folder: string): Template =>
  JSON.parse(readFileSync(join(folder, "Cache.template.json"), "utf8")) as Template;

/** Of code: half a megabyte says nothing to a reader of the difference. */
const digestOf = (file: string): string =>
  existsSync(file) ? createHash("sha256").update(readFileSync(file)).digest("hex") : `${file} is missing`;

/** The stack's functions in the template's order, each with the digest of the code that would be deployed. */
function functionsOf(folder: string): { readonly properties: Properties; readonly code: string }[] {
  return Object.values(templateOf(folder).Resources)
    .filter(({ Type }) => Type === "AWS::Lambda::Function")
    .map(({ Properties: properties }) => {
      const { S3Key } = properties["Code"] as { readonly S3Key: string };
      const code = digestOf(join(folder, `asset.${S3Key.replace(/\.zip$/, "")}`, "index.mjs"));
      return { properties, code };
    });
}

async function onlyTableOf(cloud: LocalCloud): Promise<string> {
  const clients = clientsOf(cloud);
  try {
    const { TableNames: names = [] } = await clients.dynamodb.send(new ListTablesCommand({}));
    return names.length === 1 ? (names[0] ?? "") : `one of ${names.length} tables`;
  } finally {
    clients.destroy();
  }
}
