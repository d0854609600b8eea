// `valkeeper history GROUP [--follow]`

import { type Command, InvalidArgumentError } from "commander";
import type { HistoryRecord } from "../core/records.ts";
import type { GroupName } from "../core/types.ts";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { historyText, inTime, stepLine } from "./history-text.ts";
import type { Host } from "./host.ts";
import { patienceOf } from "./patience.ts";
import { specOf } from "./snapshot.ts";
import { exactTime } from "./units.ts";

const FOLLOW_EVERY_MS = 500;
/** Several voters append with their own clocks: what is new is found among the newest, not behind a mark. */
const NEWEST = 100;

export function addHistory(program: Command, host: Host): void {
  program
    .command("history")
    .argument("<group>")
    .option("--limit <count>", "the newest steps", readCount, 50)
    .option("--follow", "goes on printing steps as they happen, until Ctrl-C")
    .description("what happened, step by step, with the milliseconds between")
    .action((group: string, options: { readonly limit: number; readonly follow?: boolean }, command: Command) =>
      host.run(command, (call) => history(call, group, options)),
    );
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 10_000)
    throw new InvalidArgumentError("should be from 1 to 10000.");
  return count;
}

async function history(
  call: Call,
  name: string,
  options: { readonly limit: number; readonly follow?: boolean },
): Promise<ExitCode> {
  const { group } = await specOf(call.store, name);
  const records = await newest(call, group, options.limit);
  if (options.follow === true) return follow(call, group, records);
  say(call, { schema: 1, group, steps: records }, () =>
    records.length === 0 ? [`nothing has happened to ${group} yet`] : historyText(records, call.paint),
  );
  return EXIT.ok;
}

/** Oldest first. */
export async function newest(call: Call, group: GroupName, limit: number): Promise<readonly HistoryRecord[]> {
  return inTime(await call.store.readHistory(group, { limit, newestFirst: true }));
}

async function follow(call: Call, group: GroupName, first: readonly HistoryRecord[]): Promise<ExitCode> {
  const { environment, json, paint } = call;
  if (json) for (const record of first) environment.screen.out(JSON.stringify(record));
  else if (first.length > 0) environment.screen.out(historyText(first, paint).join("\n"));
  const seen = new Set(first.map((record) => record.id));
  let since = first.at(-1)?.at ?? environment.wallTime();
  const patience = patienceOf(call);
  while (!environment.interrupted.aborted) {
    await environment.pause(FOLLOW_EVERY_MS);
    for (const record of (await patience.ask(() => unseen(call, group, seen))) ?? []) {
      if (json) environment.screen.out(JSON.stringify(record));
      else environment.screen.out(`${exactTime(record.at)}  ${stepLine(record, since)}`);
      since = record.at;
    }
  }
  return EXIT.ok;
}

/** Steps that were not among `seen`, which then has them. */
export async function unseen(call: Call, group: GroupName, seen: Set<string>): Promise<readonly HistoryRecord[]> {
  const fresh = (await newest(call, group, NEWEST)).filter((record) => !seen.has(record.id));
  for (const record of fresh) seen.add(record.id);
  return fresh;
}
