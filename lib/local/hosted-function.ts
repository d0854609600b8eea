// One function of the installation as a process of its own: `function-host.ts` with the environment that the construct
// would give it. A process that ends is started again when its schedule is due, as Lambda would make a new environment.

import { fileURLToPath } from "node:url";
import { SCHEDULE_PERIOD_MS } from "../runtime/timing.ts";
import type { ProcessGroup, Program, ProgramEnd } from "./process-group.ts";
import { pathForPrograms } from "./tools.ts";

export interface HostedFunctionOptions {
  readonly group: ProcessGroup;
  /** For messages: "voter az-a". */
  readonly name: string;
  /** Folder under `functions/`. */
  readonly function: "voter" | "publisher";
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly environment: Readonly<Record<string, string>>;
  /** A command that runs the process, such as `["ip", "netns", "exec", "az-a"]`. */
  readonly exec: readonly string[];
  readonly onLine: (line: string) => void;
  readonly onEnd: (end: ProgramEnd & { readonly pid: number }) => void;
  readonly onRestart: (pid: number) => void;
}

const host = fileURLToPath(new URL("function-host.ts", import.meta.url));

export class HostedFunction {
  readonly #options: HostedFunctionOptions;
  readonly #firstStartAt = performance.now();
  #program: Program | undefined;
  #restart: NodeJS.Timeout | undefined;

  private constructor(options: HostedFunctionOptions) {
    this.#options = options;
    options.group.onClose(() => clearTimeout(this.#restart));
  }

  static async start(options: HostedFunctionOptions): Promise<HostedFunction> {
    const hosted = new HostedFunction(options);
    await hosted.#spawn();
    return hosted;
  }

  get pid(): number {
    return this.#program?.pid ?? 0;
  }

  /** Calls it once more, as the table's stream would. */
  callNow(): void {
    this.#program?.signal("SIGUSR2");
  }

  async #spawn(): Promise<void> {
    const { group, name, environment, exec, timeoutMs, concurrency, onLine } = this.#options;
    const handler = fileURLToPath(new URL(`../../functions/${this.#options.function}/handler.ts`, import.meta.url));
    const [command = process.execPath, ...args] = [
      ...exec,
      ...[process.execPath, host, handler, String(timeoutMs), String(concurrency)],
    ];
    const program = await group.spawn({
      name,
      command,
      args,
      environment: { PATH: pathForPrograms(), ...environment },
      // A prefix such as sudo does not hand signals on.
      ownGroup: exec.length > 0,
      onLine,
    });
    this.#program = program;
    void program.ended.then((end) => this.#ended(program.pid, end));
  }

  #ended(pid: number, end: ProgramEnd): void {
    const { group, onEnd, onRestart } = this.#options;
    if (group.isClosing) return;
    onEnd({ ...end, pid });
    const sincePeriodMs = (performance.now() - this.#firstStartAt) % SCHEDULE_PERIOD_MS;
    this.#restart = setTimeout(() => {
      this.#spawn().then(
        () => onRestart(this.pid),
        () => this.#ended(pid, end),
      );
    }, SCHEDULE_PERIOD_MS - sincePeriodMs);
  }
}
