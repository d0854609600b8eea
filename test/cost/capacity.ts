// How big is an item, and how many units is a request, as DynamoDB bills them? Reads are rounded up to 4 KB an item (a
// query: all that it reads together), writes to 1 KB of the larger of the item before and after. An item that is not
// there costs as much as the smallest.

import type { AttributeValue } from "@aws-sdk/client-dynamodb";

export const READ_BLOCK_BYTES = 4_096;
export const WRITE_BLOCK_BYTES = 1_024;

const blocks = (bytes: number, blockBytes: number): number => Math.max(1, Math.ceil(bytes / blockBytes));

/** Strongly consistent reads cost one unit a block, eventually consistent ones half. */
export const readUnits = (bytes: number, isConsistent: boolean): number =>
  blocks(bytes, READ_BLOCK_BYTES) * (isConsistent ? 1 : 0.5);

/** Also of a write whose condition was false: it is billed by the item that stands. */
export const writeUnits = (bytes: number): number => blocks(bytes, WRITE_BLOCK_BYTES);

export type Attributes = Readonly<Record<string, AttributeValue>>;

export const itemBytes = (attributes: Attributes): number =>
  Object.entries(attributes).reduce((sum, [name, value]) => sum + textBytes(name) + valueBytes(value), 0);

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return textBytes(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.L !== undefined) return value.L.reduce((sum, each) => sum + 1 + valueBytes(each), 3);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  // BOOL and NULL; no record of Valkeeper has another type.
  return 1;
}

/** Two significant digits a byte, and one for the exponent; another one for the sign. */
function numberBytes(text: string): number {
  const digits = text
    .replace(/^-/, "")
    .replace(".", "")
    .replace(/^0+|0+$/g, "");
  return 1 + Math.ceil(digits.length / 2) + (text.startsWith("-") ? 1 : 0);
}

const textBytes = (text: string): number => Buffer.byteLength(text, "utf8");
