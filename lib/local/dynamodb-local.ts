// Amazon's own DynamoDB Local, as a second opinion for the contract suite of the store, in memory only. It needs Java; a test that
// wants it asks first and is skipped with the reason. It is started through a launcher that binds it to 127.0.0.1.

import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { LocalError } from "./errors.ts";
import { findFreePort } from "./free-port.ts";
import type { ProcessGroup, Program } from "./process-group.ts";
import { isMissing, pathForPrograms, readTools } from "./tools.ts";

const launcher = fileURLToPath(new URL("dynamodb-loopback.java", import.meta.url));

export interface DynamodbLocal {
  readonly endpoint: string;
  readonly region: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Why DynamoDB Local cannot be used here, or undefined when it can. */
export function whyNoDynamodbLocal(): string | undefined {
  const tool = readTools().dynamodbLocal;
  return isMissing(tool) ? tool.missing : undefined;
}

export async function startDynamodbLocal(options: {
  readonly group: ProcessGroup;
  readonly readyWithinMs?: number;
}): Promise<DynamodbLocal> {
  const tool = readTools().dynamodbLocal;
  if (isMissing(tool)) {
    throw new LocalError("program-missing", `DynamoDB Local cannot be started: ${tool.missing}`);
  }
  const port = await findFreePort();
  const folder = options.group.makeFolder("dynamodb");
  const program = await options.group.spawn({
    name: "DynamoDB Local",
    command: tool.java,
    args: [
      "-Xmx256m",
      `-Djava.library.path=${tool.libraries}`,
      `-Djava.io.tmpdir=${folder}`,
      "-cp",
      tool.jar,
      launcher,
      ...["-inMemory", "-sharedDb", "-disableTelemetry", "-port", String(port)],
    ],
    cwd: folder,
    environment: { PATH: pathForPrograms(), HOME: folder },
    endedBy: "SIGKILL",
  });
  const stop = async (): Promise<void> => {
    await program.stop();
    options.group.removeFolder(folder);
  };
  try {
    await waitUntilListening(program, port, options.readyWithinMs ?? 30_000);
  } catch (error) {
    await stop();
    throw error;
  }
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    region: "eu-west-1",
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    pid: program.pid,
    stop,
  };
}

async function waitUntilListening(program: Program, port: number, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (!program.isRunning) {
      throw new LocalError("ended-early", `DynamoDB Local ended while it started:\n${program.output.slice(-2_000)}`);
    }
    if (await accepts(port)) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new LocalError("not-ready", `DynamoDB Local did not listen within ${withinMs} ms`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
