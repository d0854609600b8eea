// What a synthesis says of the constructs that it has found: warnings and errors, as they stand in the cloud assembly.

import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly artifacts: Readonly<Record<string, { readonly metadata?: Readonly<Record<string, readonly Entry[]>> }>>;
}

interface Entry {
  readonly type: string;
  readonly data?: unknown;
}

export function messagesIn(folder: string): readonly string[] {
  const { artifacts } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
  return Object.values(artifacts)
    .flatMap(({ metadata = {} }) => Object.values(metadata).flat())
    .flatMap(({ type, data }) => (/^aws:cdk:(warning|error)$/.test(type) ? [String(data)] : []));
}
