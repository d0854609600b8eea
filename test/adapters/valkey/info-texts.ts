// INFO as real servers print it, one file per version and situation, with \n for \r\n and without the machine's own paths.
// Captured: valkey-8.0.1, valkey-8.1.1, valkey-9.1.2, redis-7.0.15 (four sections) and redis-6.2.5 (INFO without arguments).
// Written, not captured: valkey-7.2.8, which is redis-7.0.15 with the three lines that this version prints differently.

import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("info-texts/", import.meta.url));

/** As it came over the wire. */
export const infoText = (name: string): string =>
  readFileSync(`${folder}${name}.txt`, "latin1").replaceAll("\n", "\r\n");

/** Every text of a node that may be read, by name. */
export const readableTexts: ReadonlyMap<string, string> = new Map(
  readdirSync(folder)
    .map((file) => basename(file, ".txt"))
    .filter((name) => !/-(sentinel|cluster)$/.test(name))
    .map((name) => [name, infoText(name)]),
);

/** Replaces the value of one field. */
export function withField(text: string, name: string, value: string): string {
  const changed = text.replace(new RegExp(`^${name}:.*$`, "m"), `${name}:${value}`);
  if (changed === text) throw new Error(`${name} is not in the text, or has that value already`);
  return changed;
}

export const withoutLine = (text: string, name: string): string => text.replace(new RegExp(`^${name}:.*\r\n`, "m"), "");
