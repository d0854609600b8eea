// Fed by the table's stream: tells a topic and a bus of each new step of history.

import { parseNotifierEnvironment } from "../../lib/runtime/environment.ts";
import { makeNotifier } from "./notifier.ts";

export const handler = makeNotifier(parseNotifierEnvironment(process.env));
