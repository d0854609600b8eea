// The scheduled voter, deployed once for each availability zone.

import { parseVoterEnvironment } from "../../lib/runtime/environment.ts";
import { makeVoter } from "./voter.ts";

export const handler = makeVoter(parseVoterEnvironment(process.env));
