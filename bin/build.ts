// `npm run build`: fills `dist` with what the package brings.

import { BUNDLING } from "../lib/constructs/function-code.ts";
import { buildPackage } from "../lib/local/package-build.ts";
import { projectRoot } from "../lib/local/tools.ts";

// The bundler's own words for the same settings.
const { externalModules: external, banner: js, sourceMap: sourcemap, ...bundling } = BUNDLING;
await buildPackage({ root: projectRoot, bundling: { ...bundling, external, sourcemap, banner: { js } } });
