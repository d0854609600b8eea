// Fed by the table's stream: has the hosts stopped that groups wish to have stopped.

import { parseStopperEnvironment } from "../../lib/runtime/environment.ts";
import { makeStopper } from "./stopper.ts";

export const handler = makeStopper(parseStopperEnvironment(process.env));
