// Called by the rules that the construct makes: hands over the primaries of hosts that AWS is about to take away.

import { parseEvacuatorEnvironment } from "../../lib/runtime/environment.ts";
import { makeEvacuator } from "./evacuator.ts";

export const handler = makeEvacuator(parseEvacuatorEnvironment(process.env));
