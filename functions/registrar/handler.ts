// What CloudFormation calls to write a declared group into the table.

import { parseRegistrarEnvironment } from "../../lib/runtime/environment.ts";
import { makeRegistrar } from "./registrar.ts";

export const handler = makeRegistrar(parseRegistrarEnvironment(process.env));
