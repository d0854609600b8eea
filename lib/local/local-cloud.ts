// The AWS API on this machine: an emulator that set-up has installed, run with a clean environment (it hands its whole environment to the
// functions it runs), its state in a folder that goes with it.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { LocalError } from "./errors.ts";
import { findFreePort, isFree } from "./free-port.ts";
import type { ProcessGroup, Program } from "./process-group.ts";
import { isMissing, pathForPrograms, readTools } from "./tools.ts";

export interface LocalCloudOptions {
  readonly group: ProcessGroup;
  /** The address it binds to. @default "127.0.0.1" */
  readonly listen?: string;
  /** @default a free one */
  readonly port?: number;
  /** @default "eu-west-1" */
  readonly region?: string;
  /** Check the callers' policies, as far as the emulator can. @default false */
  readonly enforcePolicies?: boolean;
  /** @default 20,000 */
  readonly readyWithinMs?: number;
}

export interface LocalCloud {
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** What a program needs in its environment to reach this cloud through any AWS SDK or the CDK. */
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: number;
  /** The end of what the emulator printed, for error messages. */
  output(): string;
  /** Forgets everything it holds, in about 0.1 s. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export const localAccountId = "000000000000";
const attempts = 3;

/** Somebody else's endpoint in the place of ours: nothing of it is started, emptied or stopped here. */
export function cloudAt(endpoint: string, region = "eu-west-1"): LocalCloud {
  const { AWS_ACCESS_KEY_ID: key = "test", AWS_SECRET_ACCESS_KEY: secret = "test" } = process.env;
  return {
    endpoint,
    region,
    accountId: localAccountId,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: key,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    pid: process.pid,
    output: () => "",
    reset: () => Promise.reject(new LocalError("command-failed", `${endpoint} is not ours to empty`)),
    stop: () => Promise.resolve(),
  };
}

export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const tool = readTools().localCloud;
  if (isMissing(tool)) {
    throw new LocalError("program-missing", `the local cloud is not installed: ${tool.missing}`);
  }
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await findFreePort(options.listen));
    if (options.port !== undefined && !(await isFree(options.listen ?? "127.0.0.1", port))) {
      throw new LocalError(
        "port-in-use",
        `port ${port} at ${options.listen ?? "127.0.0.1"} is in use by another program`,
      );
    }
    try {
      return await startAt(options, tool.executable, port);
    } catch (error) {
      // Between the look for a free port and its use somebody else may have taken it; a port that was asked for is not exchanged.
      const mayRetry = error instanceof LocalError && error.problem === "port-in-use" && options.port === undefined;
      if (!mayRetry || attempt === attempts) {
        throw error;
      }
    }
  }
}

async function startAt(options: LocalCloudOptions, executable: string, port: number): Promise<LocalCloud> {
  const { group, listen = "127.0.0.1", region = "eu-west-1" } = options;
  const folder = group.makeFolder("cloud");
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const program = await group.spawn({
    name: "local cloud",
    command: executable,
    args: [],
    cwd: folder,
    ownGroup: true,
    environment: {
      PATH: pathForPrograms(),
      HOME: folder,
      TMPDIR: temporary,
      BIND_HOST: listen,
      MINISTACK_HOST: listen,
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: region,
      MINISTACK_ACCOUNT_ID: localAccountId,
      LAMBDA_EXECUTOR: "local",
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
      ...(options.enforcePolicies === true ? { AUTH: "true" } : {}),
    },
  });
  const endpoint = `http://${listen.includes(":") ? `[${listen}]` : listen}:${port}`;
  const stop = async (): Promise<void> => {
    await program.stop();
    group.removeFolder(folder);
  };
  try {
    await waitUntilReady({ program, endpoint, withinMs: options.readyWithinMs ?? 20_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint,
    region,
    accountId: localAccountId,
    environment: environmentFor(endpoint, region),
    pid: program.pid,
    output: () => program.output,
    reset: () => reset(endpoint),
    stop,
  };
}

function environmentFor(endpoint: string, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

async function reset(endpoint: string): Promise<void> {
  const response = await fetch(`${endpoint}/_ministack/reset`, { method: "POST", signal: AbortSignal.timeout(5_000) });
  await response.arrayBuffer();
  if (!response.ok) {
    throw new LocalError("command-failed", `the local cloud refused to be reset: ${response.status}`);
  }
}

interface Readiness {
  readonly program: Program;
  readonly endpoint: string;
  readonly withinMs: number;
}

async function waitUntilReady({ program, endpoint, withinMs }: Readiness): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (!program.isRunning) {
      throw endedEarly(program, endpoint);
    }
    if (await isReady(endpoint)) {
      // The answer could be somebody else's who has the port; ours has ended then, or is about to.
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (program.isRunning) {
        return;
      }
      throw endedEarly(program, endpoint);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new LocalError(
    "not-ready",
    `the local cloud did not answer at ${endpoint} within ${withinMs} ms:\n${program.output.slice(-2_000)}`,
  );
}

async function isReady(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/_ministack/ready`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Refused or not yet answering: asked again until the time is over.
    return false;
  }
}

function endedEarly(program: Program, endpoint: string): LocalError {
  const inUse = /address already in use|EADDRINUSE|Errno 98/i.test(program.output);
  return inUse
    ? new LocalError("port-in-use", `the port of ${endpoint} is in use by another program`)
    : new LocalError("ended-early", `the local cloud ended while it started:\n${program.output.slice(-2_000)}`);
}
