// `npm start`, after the set-up. Whatever happens, everything that was started is ended and every folder removed.

import { closeOnSignals, ProcessGroup } from "../lib/local/process-group.ts";
import { runStart } from "../lib/local/start/run-start.ts";

const group = new ProcessGroup();
const release = closeOnSignals(group);
const isTerminal = process.stdout.isTTY && process.stdin.isTTY;
const held = await runStart({ group, stream: process.stdout, onStay: isTerminal ? release : null });
await group.close();
process.exit(held ? 0 : 1);
