// Fed by the table's stream and a schedule: completes and repairs what is published.

import { parsePublisherEnvironment } from "../../lib/runtime/environment.ts";
import { makePublisher } from "./publisher.ts";

export const handler = makePublisher(parsePublisherEnvironment(process.env));
