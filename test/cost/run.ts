// `npm run cost`: writes docs/cost.md anew from the prices, the constants and the template.

import { writeFileSync } from "node:fs";
import { DOCUMENT, renderCost } from "./document.ts";

const text = renderCost();
writeFileSync(DOCUMENT, text);
process.stdout.write(
  `${text.slice(text.indexOf("## A month"), text.indexOf("## What it is made of"))}written: docs/cost.md\n`,
);
