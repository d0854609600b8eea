// `npm start`: the real thing on one machine. Sets up, deploys, kills, hands over, measures, says what held.

import { spawn } from "node:child_process";
import Table from "cli-table3";
import pico from "picocolors";
import { invokeNow } from "../deploy.ts";
import type { ProcessGroup } from "../process-group.ts";
import type { ValkeyProcess } from "../valkey-process.ts";
import { type CommandLine, commandLine, commandLineEntry } from "./command-line.ts";
import {
  deploy,
  GROUP,
  type Installation,
  isForeign,
  pidFileOf,
  startCloud,
  startNodes,
  storeOf,
  takeDown,
} from "./installation.ts";
import { type Measured, Scenario } from "./scenario.ts";
import { type Say, StepPrinter } from "./step-printer.ts";

export interface StartOptions {
  readonly group: ProcessGroup;
  readonly stream: NodeJS.WriteStream;
  /** Null: it ends with the last step. Else it stays with a live status, and calls this first: from then on Ctrl-C is how it ends well. */
  readonly onStay: (() => void) | null;
}

/** A killed node is started again after so long, as a service manager would. */
const RESTART_AFTER_MS = 5_000;

/** True when every step held. */
export async function runStart({ group, stream, onStay }: StartOptions): Promise<boolean> {
  const startedAt = performance.now();
  const printer = new StepPrinter({ stream, isTerminal: stream.isTTY });
  printer.say(introduction(stream.isTTY));
  const shown = await show(group, printer);
  if (shown === null) return false;
  const { scenario, installation, commands } = shown;
  printer.say(`\n${summary(scenario.measured)}`);
  printer.say(`every step held; ${((performance.now() - startedAt) / 1_000).toFixed(0)} s in all`);
  if (onStay !== null) {
    onStay();
    await stay({ group, printer, installation, commands });
  }
  return isForeign() ? tookDown(group, printer, installation) : true;
}

/** False when something is left at the endpoint; the step has said what. */
async function tookDown(group: ProcessGroup, printer: StepPrinter, installation: Installation): Promise<boolean> {
  const { endpoint } = installation.cloud;
  try {
    await printer.step(`what was made at ${endpoint} is taken down`, () => takeDown(group, installation));
    return true;
  } catch {
    return false;
  }
}

const introduction = (isTerminal: boolean): string => {
  const title = "Valkeeper: failover for Valkey with nothing to run";
  return [
    isTerminal ? pico.bold(title) : title,
    "Three real Valkey nodes, the AWS API on this machine, and the CDK stack that also goes to AWS.",
    "",
  ].join("\n");
};

interface Shown {
  readonly scenario: Scenario;
  readonly installation: Installation;
  readonly commands: CommandLine;
}

/** Null when a step did not hold; it has said so. */
async function show(group: ProcessGroup, printer: StepPrinter): Promise<Shown | null> {
  let scenario: Scenario | null = null;
  try {
    const installation = await install(group, printer);
    const commands = commandLine(group, installation.cloud, installation.deployed.table);
    const running = new Scenario(installation, commands);
    scenario = running;
    await printer.step("the group is found, initialised and armed", (say) => running.untilReady(say));
    await printer.step("a client begins to write", (say) => running.startClient(say));
    await printer.step("the primary is killed", (say) => running.killPrimary(say));
    const home = running.node("n1");
    await printer.step("the old primary comes back", (say) => running.returnOldPrimary(home, say));
    await printer.step("a planned switchover brings it home", (say) => running.switchHome(home, say));
    await printer.step("every acknowledged write is looked for", (say) => running.countWrites(say));
    return { scenario: running, installation, commands };
  } catch {
    // The step that failed has printed how; why is in the table.
    if (!group.isClosing) {
      await scenario?.explain((line) => printer.say(line)).catch(() => undefined);
      printer.say("\nnot every step held");
    }
    return null;
  } finally {
    await scenario?.stop();
  }
}

async function install(group: ProcessGroup, printer: StepPrinter): Promise<Installation> {
  const pidFolder = group.makeFolder("pids");
  const nodesStarted = startNodes(group, pidFolder);
  // Told by the second step, unless the first one failed before.
  nodesStarted.catch(() => undefined);
  const cloud = await printer.step("the AWS API on this machine", async (say) => {
    const started = await startCloud(group);
    say(`${started.cloud.endpoint}, region ${started.cloud.region}; a secret and a hosted zone are there already`);
    return started;
  });
  const nodes = await printer.step("three Valkey nodes, boot-fenced", async (say) => {
    const started = await nodesStarted;
    for (const node of started) say(`${node.id}  ${node.host}:${node.port}  pid ${node.pid}`);
    return started;
  });
  const deployed = await printer.step("cdk deploy", async (say) => {
    const created = new Map<string, number>();
    const result = await deploy(group, cloud, nodes, (line) => {
      const type = /CREATE_COMPLETE\s+\|\s+(AWS::\S+|Custom::\S+)/.exec(line)?.[1];
      if (type !== undefined) created.set(type, (created.get(type) ?? 0) + 1);
    });
    say(`table ${result.table}`);
    say(resources(created));
    return result;
  });
  await printer.step("the three voters are called for the first time", async (say: Say) => {
    await Promise.all([...deployed.voters, deployed.publisher].map((name) => invokeNow(cloud.cloud, name)));
    say("their schedules, once a minute, first fire a minute after they were made: this once they are called by hand");
  });
  return { ...cloud, nodes, pidFolder, deployed, store: storeOf(cloud.clients, deployed.table) };
}

function resources(created: ReadonlyMap<string, number>): string {
  const shown = [
    "AWS::Lambda::Function",
    "AWS::Scheduler::Schedule",
    "AWS::DynamoDB::GlobalTable",
    "Custom::ValkeyGroup",
  ];
  const total = [...created.values()].reduce((sum, count) => sum + count, 0);
  const parts = shown.flatMap((type) => {
    const count = created.get(type);
    return count === undefined ? [] : [`${count} ${type}`];
  });
  return `${total} resources, among them ${parts.join(", ")}`;
}

function summary(measured: readonly Measured[]): string {
  const table = new Table({
    style: { head: [], border: [] },
    colAligns: ["left", "right"],
    // No rules between the rows.
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const { what, value } of measured) table.push([what, value]);
  return table.toString();
}

interface StayOptions {
  readonly group: ProcessGroup;
  readonly printer: StepPrinter;
  readonly installation: Installation;
  readonly commands: CommandLine;
}

/** The real thing goes on; whoever watches may break it by hand. Ends when the watching ends. */
async function stay({ group, printer, installation, commands }: StayOptions): Promise<void> {
  const { nodes } = installation;
  printer.say("\nIt goes on until Ctrl-C. In another terminal, break it:");
  for (const node of nodes) printer.say(`  kill -KILL $(cat ${pidFileOf(installation, node)})   # or -STOP, -CONT`);
  printer.say(`A node that ended is started again after ${RESTART_AFTER_MS / 1_000} s. To ask and to order:`);
  printer.say(
    `  export ${Object.entries(commands.variables)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ")}`,
  );
  printer.say(`  npx valkeeper why ${GROUP}; npx valkeeper history ${GROUP}; npx valkeeper switchover ${GROUP}\n`);
  const timer = setInterval(() => restartEnded(nodes), RESTART_AFTER_MS);
  const watch = spawn(process.execPath, [commandLineEntry, "watch", GROUP], {
    stdio: "inherit",
    env: { ...process.env, ...commands.variables },
  });
  group.onClose(() => {
    clearInterval(timer);
    watch.kill();
  });
  await new Promise<void>((resolve) => {
    watch.once("exit", () => resolve());
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
  clearInterval(timer);
}

function restartEnded(nodes: readonly ValkeyProcess[]): void {
  for (const node of nodes.filter((each) => !each.isRunning)) {
    // One that cannot be started now is tried again the next time.
    node.restart().catch(() => undefined);
  }
}
