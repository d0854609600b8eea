// What is the same for every command: options that all have, the store opened when it is needed, expected failures said
// in one sentence, and the exit code.

import type { Command } from "commander";
import type { Call, Environment } from "./environment.ts";
import type { ExitCode } from "./exit-code.ts";
import { describeFailure, type Place, usage } from "./failure.ts";
import { paintWith } from "./paint.ts";

interface GlobalOptions {
  readonly table?: string;
  readonly region?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** Every command file gets one. */
export interface Host {
  readonly environment: Environment;
  /** Runs `action` with the store opened; its exit code, or that of its failure, becomes the process's. */
  readonly run: (command: Command, action: (call: Call) => Promise<ExitCode>) => Promise<void>;
  /** For a command that needs no table. */
  readonly runWithoutStore: (command: Command, action: () => Promise<number>) => Promise<void>;
}

export function createHost(environment: Environment, end: (exit: number) => void): Host {
  const guarded = async (command: Command, place: Place, action: () => Promise<number>): Promise<void> => {
    try {
      end(await action());
    } catch (error) {
      const failure = describeFailure(error, place);
      if (failure === null) throw error;
      if (command.optsWithGlobals<GlobalOptions>().json === true) {
        environment.screen.out(JSON.stringify({ error: failure }, null, 2));
      } else {
        environment.screen.note(`valkeeper: ${failure.message}`);
      }
      end(failure.exit);
    }
  };
  return {
    environment,
    run: (command, action) => {
      const place = placeOf(command.optsWithGlobals<GlobalOptions>(), environment.variables);
      return guarded(command, place, () => action(callOf(command, environment, place)));
    },
    runWithoutStore: (command, action) => guarded(command, { table: null, region: null, endpoint: null }, action),
  };
}

/** An option, else the variable that the SDK and the functions read too. */
function placeOf(options: GlobalOptions, variables: Environment["variables"]): Place {
  return {
    table: options.table ?? variables["VALKEEPER_TABLE"] ?? null,
    region: options.region ?? variables["AWS_REGION"] ?? variables["AWS_DEFAULT_REGION"] ?? null,
    endpoint: variables["AWS_ENDPOINT_URL_DYNAMODB"] ?? variables["AWS_ENDPOINT_URL"] ?? null,
  };
}

function callOf(command: Command, environment: Environment, place: Place): Call {
  const { table, region } = place;
  if (table === null || table === "") {
    throw usage("no table is given: use --table NAME or set VALKEEPER_TABLE (the stack's output names it)");
  }
  const options = command.optsWithGlobals<GlobalOptions>();
  return {
    environment,
    store: environment.openStore({ table, region }),
    place,
    json: options.json === true,
    paint: paintWith(environment.screen.hasColours && options.color),
  };
}
