// Fields of a stored record as the oracle reads them, by code of its own: what is absent is nothing, and nothing is decoded.

import type { Item, Json } from "../../lib/core/ballot-write.ts";

type Field = readonly [string, ...string[]];

/** Undefined: absent. */
export function fieldAt(item: Item | null, ...path: Field): Json | undefined {
  let value = (item ?? undefined) as Json | undefined;
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = (value as Readonly<Record<string, Json>>)[name];
  }
  return value ?? undefined;
}

export const numberAt = (item: Item | null, ...path: Field): number => {
  const value = fieldAt(item, ...path);
  return typeof value === "number" ? value : 0;
};

export const textAt = (item: Item | null, ...path: Field): string | null => {
  const value = fieldAt(item, ...path);
  return typeof value === "string" ? value : null;
};
