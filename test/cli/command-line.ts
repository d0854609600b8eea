// A whole command line in a test: the shipped program on a store in memory, with a clock that only `pause` moves.

import type { Environment } from "../../lib/cli/environment.ts";
import { runCli } from "../../lib/cli/program.ts";
import { type WallTime, wallTime } from "../../lib/core/types.ts";
import { MemoryStore } from "./memory-store.ts";
import { ballot, copies, GROUP, NOW, publication, slot, spec, VOTERS, view } from "./records.ts";

export interface Run {
  readonly exit: number;
  readonly out: string;
  readonly notes: string;
}

export class CommandLine {
  readonly store = new MemoryStore();
  readonly interrupt = new AbortController();
  readonly files = new Map<string, string>();
  readonly localRuns: string[] = [];
  variables: Record<string, string | undefined> = { VALKEEPER_TABLE: "valkeeper-test", AWS_REGION: "eu-west-1" };
  opened: { readonly table: string; readonly region: string | null } | null = null;
  now: WallTime = NOW;
  isTerminal = false;
  hasColours = false;
  replaced: string[] = [];
  /** What happens in the world while a command waits. */
  onPause: () => void = () => undefined;

  async run(...args: string[]): Promise<Run> {
    const out: string[] = [];
    const notes: string[] = [];
    const exit = await runCli(this.#environment(out, notes), args);
    return { exit, out: out.join("\n"), notes: notes.join("\n") };
  }

  #environment(out: string[], notes: string[]): Environment {
    let ids = 0;
    return {
      version: "1.2.3",
      variables: this.variables,
      openStore: (place) => {
        this.opened = place;
        return this.store;
      },
      screen: {
        out: (text) => out.push(text),
        note: (text) => notes.push(text),
        isTerminal: this.isTerminal,
        hasColours: this.hasColours,
        replace: (text) => this.replaced.push(text),
        settle: () => this.replaced.push("settled"),
      },
      wallTime: () => this.now,
      pause: (ms) => {
        this.now = wallTime(this.now + ms);
        this.onPause();
        return Promise.resolve();
      },
      interrupted: this.interrupt.signal,
      operator: "kim@laptop",
      newId: () => {
        ids += 1;
        return `id-${ids}`;
      },
      readText: (path) => {
        const text = this.files.get(path);
        return text === undefined ? Promise.reject(new Error("ENOENT: no such file")) : Promise.resolve(text);
      },
      writeText: (path, text) => {
        this.files.set(path, text);
        return Promise.resolve();
      },
      runLocal: (configFile) => {
        this.localRuns.push(configFile);
        return Promise.resolve(0);
      },
    };
  }

  /** A healthy group with three voters that answer every look. */
  withGroup(): this {
    const { store } = this;
    store.specs.set(GROUP, spec());
    store.ballots.set(GROUP, ballot());
    store.publications.set(GROUP, publication());
    store.copies.set(GROUP, copies());
    this.answerLooks();
    return this;
  }

  /** Voters that write what they see, healthy, with every pause of the command. */
  answerLooks(): void {
    const write = () => {
      this.store.slots = VOTERS.map((voter) => slot(voter, view({}, { at: this.now }), { heartbeatAt: this.now }));
    };
    write();
    this.onPause = write;
  }
}
