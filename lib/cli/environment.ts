// What do the commands need of the world? Handed in by bin/valkeeper.ts, and by tests: no command reads a clock, a
// variable or a terminal by itself.

import type { WallTime } from "../core/types.ts";
import type { OperatorStore } from "../ports/group-store.ts";
import type { Place } from "./failure.ts";
import type { Paint } from "./paint.ts";

export interface Screen {
  /** One or more lines on standard output. */
  readonly out: (text: string) => void;
  /** On standard error: what is not the result. */
  readonly note: (text: string) => void;
  readonly isTerminal: boolean;
  /** Colours are wanted: a terminal, and neither NO_COLOR nor --no-color. */
  readonly hasColours: boolean;
  /** Replaces what was shown before; only on a terminal. */
  readonly replace: (text: string) => void;
  /** Leaves what was shown last standing. */
  readonly settle: () => void;
}

export interface Environment {
  /** The package's. */
  readonly version: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The adapter of the table. */
  readonly openStore: (place: { readonly table: string; readonly region: string | null }) => OperatorStore;
  readonly screen: Screen;
  readonly wallTime: () => WallTime;
  /** Also returns, early, when the command was interrupted. */
  readonly pause: (ms: number) => Promise<void>;
  /** Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Who is asking, as in `kim@laptop`. */
  readonly operator: string;
  /** Random and unique. */
  readonly newId: () => string;
  readonly readText: (path: string) => Promise<string>;
  /** In the place of what the file held. */
  readonly writeText: (path: string, text: string) => Promise<void>;
  /** `valkeeper local`: resolves with the exit code when it has ended. */
  readonly runLocal: (configFile: string) => Promise<number>;
}

/** One command's call: the environment, the store and the options that every command has. */
export interface Call {
  readonly environment: Environment;
  readonly store: OperatorStore;
  readonly place: Place;
  readonly json: boolean;
  readonly paint: Paint;
}

/** Machines get one document, people get lines. */
export function say(call: Call, document: unknown, lines: () => readonly string[]): void {
  call.environment.screen.out(call.json ? JSON.stringify(document, null, 2) : lines().join("\n"));
}
