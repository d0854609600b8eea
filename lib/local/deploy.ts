// The project's own CDK app, deployed to the local cloud with the CDK's own command line: the same app, the same template
// and the same functions that go to AWS. What is done by hand here is what an account has before anybody deploys to it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { type AwsClients, createAwsClients } from "../adapters/aws/clients.ts";
import { LocalError } from "./errors.ts";
import type { LocalCloud } from "./local-cloud.ts";
import type { ProcessGroup, Program } from "./process-group.ts";
import { pathForPrograms, projectRoot } from "./tools.ts";

export interface DeployOptions {
  readonly group: ProcessGroup;
  readonly cloud: LocalCloud;
  /** As in the context `valkeeper` of cdk.json. */
  readonly settings: { readonly stackName?: string } & Readonly<Record<string, unknown>>;
  /** Each line that the CDK prints. */
  readonly onLine?: (line: string) => void;
}

export interface Deployed {
  readonly stackName: string;
  readonly table: string;
  /** Function names, in the order of the zones. */
  readonly voters: readonly string[];
  readonly publisher: string;
  readonly tookMs: number;
}

/** What the CDK gives every bootstrap that is not told otherwise. */
const QUALIFIER = "hnb659fds";
/** The CDK refuses accounts whose bootstrap is older than what a template needs, which is 6. */
const BOOTSTRAP_VERSION = "32";
const DEPLOY_WITHIN_MS = 120_000;
/** One process serves the whole cloud: while it takes a stack apart or a loaded machine starts its functions, an answer is late. */
const REQUEST_WITHIN_MS = 60_000;

export async function deployStack({ group, cloud, settings, onLine }: DeployOptions): Promise<Deployed> {
  const startedAt = performance.now();
  const stackName = stackNameOf(settings);
  const folder = group.makeFolder("outputs");
  const outputsFile = join(folder, "outputs.json");
  const args = [...DEPLOY, "--outputs-file", outputsFile];
  await runCdk("deploy", { ...ownApp({ group, cloud, settings, ...(onLine === undefined ? {} : { onLine }) }), args });
  const deployed = readOutputs(outputsFile, stackName);
  group.removeFolder(folder);
  return { ...deployed, stackName, tookMs: performance.now() - startedAt };
}

/** `cdk destroy`: the stack goes; what its resources are told to leave behind stays. */
export async function destroyStack(options: DeployOptions): Promise<void> {
  await destroyApp({ ...ownApp(options), args: [stackNameOf(options.settings)] });
}

/** `cdk destroy` of any app. */
export const destroyApp = (options: AppDeployOptions): Promise<void> =>
  runCdk("destroy", { ...options, args: ["--force", ...options.args] });

const stackNameOf = (settings: DeployOptions["settings"]): string => settings.stackName ?? "Valkeeper";

/** The checkout's app with these settings. */
function ownApp({ group, cloud, settings, onLine }: DeployOptions): Omit<AppDeployOptions, "args"> {
  const settingsFile = join(group.makeFolder("settings"), "settings.json");
  writeFileSync(settingsFile, JSON.stringify(settings));
  return {
    group,
    cloud,
    cwd: projectRoot,
    // The bundler is among the checkout's packages.
    path: `${join(projectRoot, "node_modules", ".bin")}:${pathForPrograms()}`,
    context: `valkeeper:settings=${settingsFile}`,
    ...(onLine === undefined ? {} : { onLine }),
  };
}

export interface AppDeployOptions extends Pick<DeployOptions, "group" | "cloud" | "onLine"> {
  /** Where the app is. */
  readonly cwd: string;
  /** PATH of the CDK and of the app. */
  readonly path: string;
  /** Of `cdk deploy`, beside those that every deployment has. */
  readonly args: readonly string[];
  /** `name=value` */
  readonly context?: string;
}

const WITHOUT_QUESTIONS = ["--require-approval", "never", "--progress", "events"];
const DEPLOY = ["--method=direct", ...WITHOUT_QUESTIONS];
/** Only a change set can import. */
const IMPORT = ["--method=change-set", "--import-existing-resources", ...WITHOUT_QUESTIONS];

/** `cdk deploy` of any app, with the checkout's CDK. */
export const deployApp = (options: AppDeployOptions): Promise<void> =>
  runCdk("deploy", { ...options, args: [...DEPLOY, ...options.args] });

/** The same, and what is there already under a name that the template gives is taken into the stack. */
export const deployOver = (options: AppDeployOptions): Promise<void> =>
  runCdk("deploy", { ...options, args: [...IMPORT, ...options.args] });

async function runCdk(command: "deploy" | "destroy", options: AppDeployOptions): Promise<void> {
  const { group, cloud, cwd, path, args, context, onLine } = options;
  const folder = group.makeFolder("deployment");
  await prepareAccount(cloud);
  const program = await group.spawn({
    name: `cdk ${command}`,
    command: process.execPath,
    args: [
      join(projectRoot, "node_modules", "aws-cdk", "bin", "cdk"),
      ...[command, "--no-notices", "--no-version-reporting", "--no-color", "--output", join(folder, "cdk.out")],
      ...(context === undefined ? [] : ["--context", context]),
      ...args,
    ],
    cwd,
    ownGroup: true,
    environment: {
      PATH: path,
      HOME: folder,
      TMPDIR: folder,
      ...cloud.environment,
      CDK_DEFAULT_ACCOUNT: cloud.accountId,
      CDK_DEFAULT_REGION: cloud.region,
      CDK_DISABLE_CLI_TELEMETRY: "true",
      // The template is held against the construct tests already; here it would take as long as the deployment.
      CDK_VALIDATION: "false",
      npm_config_update_notifier: "false",
    },
    ...(onLine === undefined ? {} : { onLine }),
  });
  await untilDone(program, `cdk ${command}`);
  group.removeFolder(folder);
}

/**
 * What `cdk bootstrap` leaves behind and a deployment looks for: the bucket of the assets and the version of the bootstrap.
 * Its roles and its image registry play no part here, and creating them takes as long as everything else together.
 */
async function prepareAccount(cloud: LocalCloud): Promise<void> {
  const bucket = `cdk-${QUALIFIER}-assets-${cloud.accountId}-${cloud.region}`;
  const clients = clientsOf(cloud);
  try {
    await Promise.all([
      // 409: it is there since an earlier deployment.
      request(cloud, `/${bucket}`, { method: "PUT" }, 409),
      clients.ssm.send(
        new PutParameterCommand({
          Name: `/cdk-bootstrap/${QUALIFIER}/version`,
          Value: BOOTSTRAP_VERSION,
          Type: "String",
          Overwrite: true,
        }),
      ),
    ]);
  } finally {
    clients.destroy();
  }
}

export const clientsOf = ({ endpoint, region }: Pick<LocalCloud, "endpoint" | "region">): AwsClients =>
  createAwsClients({ endpoint, region, credentials: { accessKeyId: "test", secretAccessKey: "test" } });

/** Calls a deployed function once without waiting for its end: as its schedule does, or a rule with its event. */
export async function invokeNow(
  cloud: LocalCloud,
  functionName: string,
  event: object = { scheduledTime: new Date().toISOString() },
): Promise<void> {
  await request(cloud, `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`, {
    method: "POST",
    headers: { "X-Amz-Invocation-Type": "Event" },
    body: JSON.stringify(event),
  });
}

/** The local cloud checks no signatures: two calls do not need an SDK client each. */
async function request(cloud: LocalCloud, path: string, init: RequestInit, alsoFine?: number): Promise<void> {
  const response = await fetch(`${cloud.endpoint}${path}`, { ...init, signal: AbortSignal.timeout(REQUEST_WITHIN_MS) });
  const text = await response.text();
  if (!response.ok && response.status !== alsoFine) {
    throw new LocalError(
      "command-failed",
      `the local cloud refused ${init.method} ${path}: ${response.status} ${text}`,
    );
  }
}

async function untilDone(program: Program, name: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), DEPLOY_WITHIN_MS);
  });
  const outcome = await Promise.race([program.ended, late]);
  clearTimeout(timer);
  if (outcome === "late") {
    await program.stop();
    throw new LocalError("not-ready", `${name} was not done within ${DEPLOY_WITHIN_MS / 1_000} s:\n${tail(program)}`);
  }
  if (outcome.code !== 0) throw new LocalError("command-failed", `${name} failed:\n${tail(program)}`);
}

const tail = (program: Program): string => program.output.trimEnd().split("\n").slice(-25).join("\n");

function readOutputs(file: string, stackName: string): Pick<Deployed, "table" | "voters" | "publisher"> {
  const all = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const outputs = all[stackName] ?? {};
  const named = (name: string): string => {
    const value = outputs[name];
    if (value === undefined) throw new LocalError("command-failed", `the stack ${stackName} has no output ${name}`);
    return value;
  };
  const voters = Object.keys(outputs).filter((name) => /^Voter\d+(Shard\d+)?Name$/.test(name));
  return { table: named("TableName"), publisher: named("PublisherName"), voters: voters.map(named) };
}
