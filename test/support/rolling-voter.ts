// One voter's function across versions, as Lambda has it: a process of the shipped host with the shipped handler, whose
// successor runs other code beside it.

import { join } from "node:path";
import type { SlotRecord } from "../../lib/core/records.ts";
import type { VoterId } from "../../lib/core/types.ts";
import type { ProcessGroup, Program } from "../../lib/local/process-group.ts";
import { pathForPrograms, projectRoot } from "../../lib/local/tools.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { VOTER_TIMEOUT_MS } from "../../lib/runtime/timing.ts";
import { eventually } from "./local-group.ts";

export interface CodeVersion {
  readonly name: string;
  readonly root: string;
}

export const presentVersion: CodeVersion = { name: "present", root: projectRoot };

export interface ToldLine {
  readonly event: string;
  readonly voter: string;
  readonly version: string;
  readonly detail: unknown;
}

export interface RollingVoterOptions {
  readonly group: ProcessGroup;
  readonly store: OperatorStore;
  readonly id: VoterId;
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: ToldLine) => void;
}

/** Two invocations of one function: one runs, one takes over. */
const CONCURRENCY = 2;

export class RollingVoter {
  readonly #options: RollingVoterOptions;
  #running: Program | null = null;
  #earlier: Program | null = null;

  constructor(options: RollingVoterOptions) {
    this.#options = options;
  }

  /** A first invocation of this version, beside what runs. */
  async begin(version: CodeVersion): Promise<void> {
    const { group, id, environment, onLine } = this.#options;
    this.#earlier = this.#running;
    this.#running = await group.spawn({
      name: `voter ${id} of ${version.name}`,
      command: process.execPath,
      args: [
        join(version.root, "lib", "local", "function-host.ts"),
        join(version.root, "functions", "voter", "handler.ts"),
        ...[String(VOTER_TIMEOUT_MS), String(CONCURRENCY)],
      ],
      environment: { PATH: pathForPrograms(), ...environment },
      onLine: (text) => {
        const line = parsed(text);
        if (line !== null) onLine({ ...line, voter: id, version: version.name });
      },
    });
  }

  /** The end of an update: the new invocation calls every group regular, and the earlier code's environment goes. */
  async replace(version: CodeVersion): Promise<void> {
    const before = (await this.#slot())?.generation ?? 0;
    await this.begin(version);
    await this.untilAlone(before);
  }

  /** Until an invocation later than this generation has looked at everything and calls it regular; what ran before it then ends. */
  async untilAlone(generation: number): Promise<void> {
    const isTaken = async () => {
      const slot = await this.#slot();
      return slot !== undefined && slot.generation > generation && slot.regular;
    };
    await eventually(`${this.#options.id} is taken over by its new version`, isTaken, 30_000);
    await this.#earlier?.stop();
    this.#earlier = null;
  }

  async generation(): Promise<number> {
    return (await this.#slot())?.generation ?? 0;
  }

  async kill(): Promise<void> {
    await this.#running?.stop({ signal: "SIGKILL" });
    this.#running = null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#running?.signal(signal);
  }

  async #slot(): Promise<SlotRecord | undefined> {
    return (await this.#options.store.listSlots()).find((slot) => slot.voter === this.#options.id);
  }
}

function parsed(text: string): Pick<ToldLine, "event" | "detail"> | null {
  if (!text.startsWith("{")) return null;
  const { event, detail } = JSON.parse(text) as { readonly event?: unknown; readonly detail?: unknown };
  return typeof event === "string" ? { event, detail } : null;
}
