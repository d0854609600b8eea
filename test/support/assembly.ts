// What a synthesis says of the constructs that it has found: warnings and errors, as they stand in the cloud assembly.

import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly artifacts: Readonly<Record<string, { readonly additionalMetadataFile?: string }>>;
}

/** By the construct's path. */
type Metadata = Readonly<Record<string, readonly { readonly type: string; readonly data?: unknown }[]>>;

export function messagesIn(folder: string): readonly string[] {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const { artifacts } = read("manifest.json") as Manifest;
  const files = Object.values(artifacts).flatMap(({ additionalMetadataFile: file }) =>
    file === undefined ? [] : [file],
  );
  if (files.length === 0) throw new Error("the assembly has no metadata: its messages stand somewhere else");
  return files
    .flatMap((file) => Object.values(read(file) as Metadata).flat())
    .flatMap(({ type, data }) => (/^aws:cdk:(warning|error)$/.test(type) ? [String(data)] : []));
}
