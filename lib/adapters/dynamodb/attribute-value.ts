// Plain JSON to DynamoDB's attribute values and back. Numbers stay exact or are refused: an epoch or a replication offset
// that was rounded on its way would be a wrong decision. Sets and binary values are not ours and are refused too.

import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { type Item, isJsonMap, type Json } from "../../core/ballot-write.ts";
import { RecordFormatError } from "../../core/errors.ts";

export type Attributes = Readonly<Record<string, AttributeValue>>;

export function marshal(value: Json): AttributeValue {
  switch (typeof value) {
    case "string":
      return { S: value };
    case "boolean":
      return { BOOL: value };
    case "number":
      return { N: numberText(value) };
  }
  if (value === null) return { NULL: true };
  return isJsonMap(value) ? { M: marshalItem(value) } : { L: value.map(marshal) };
}

export function marshalItem(item: Item): Record<string, AttributeValue> {
  // A field that is undefined in a record is absent in the item, as in JSON.
  const present = Object.entries(item).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [name, marshal(value)]));
}

export function unmarshalItem(attributes: Attributes): Record<string, Json> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, unmarshal(value, name)]));
}

function unmarshal(value: AttributeValue, at: string): Json {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return exactNumber(value.N, at);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL !== undefined) return null;
  if (value.L !== undefined) return value.L.map((each, index) => unmarshal(each, `${at}[${index}]`));
  if (value.M !== undefined) {
    const entries = Object.entries(value.M).map(([key, each]) => [key, unmarshal(each, `${at}.${key}`)] as const);
    return Object.fromEntries(entries);
  }
  throw new RecordFormatError(`${at} has a type that no record of Valkeeper has (${Object.keys(value).join(", ")})`);
}

function numberText(value: number): string {
  if (!isExact(value)) throw new RecordFormatError(`${value} cannot be stored as an exact number`);
  return Object.is(value, -0) ? "0" : String(value);
}

function exactNumber(text: string, at: string): number {
  const value = Number(text);
  if (!isExact(value)) throw new RecordFormatError(`${at} is ${text}, which this program cannot hold exactly`);
  return value;
}

/** Beyond 53 bits a whole number is another one than was meant. */
const isExact = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
