// The shipped sources with a rule taken out on purpose. A removal is a list of places: the exact text, which stands once in
// its file, and what stands there instead. The places are rewritten when this thread loads the file, so that nothing is
// copied and no shipped code has a seam for it; whatever is to run without the rule is imported after `takeOut`.

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

export interface Place {
  /** From the top of the tree. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Removal {
  /** R1 .. R25, or another name for what is no rule of its own. */
  readonly rule: string;
  /** What is gone, in a few words. */
  readonly what: string;
  readonly places: readonly Place[];
}

const top = new URL("../../", import.meta.url);

/** `text` of the file, with every place of it rewritten; one that is not found once says whose removal to renew. */
export function rewritten({ rule, places }: Removal, file: string, text: string): string {
  return places
    .filter((place) => place.file === file)
    .reduce((before, { from, to }) => {
      const found = before.split(from).length - 1;
      if (found !== 1)
        throw new RangeError(`the removal of ${rule} has to be renewed: ${file} has ${found} times:\n${from}`);
      return before.replace(from, () => to);
    }, text);
}

/** Throws when a place is gone; otherwise the rewritten files by name. */
export function rewrittenFiles(removal: Removal): ReadonlyMap<string, string> {
  const files = [...new Set(removal.places.map(({ file }) => file))];
  return new Map(files.map((file) => [file, rewritten(removal, file, readFileSync(new URL(file, top), "utf8"))]));
}

/** From now on this thread loads the sources without the rule. */
export function takeOut(removal: Removal): void {
  const files = new Map([...rewrittenFiles(removal)].map(([file, text]) => [new URL(file, top).href, text]));
  registerHooks({
    load(url, context, next) {
      const text = files.get(url);
      return text === undefined ? next(url, context) : { ...next(url, context), source: text };
    },
  });
}
