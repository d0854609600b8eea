// What a run of several searches says: a line for each, what they cost, and one line of counts at the end.

import type { Configuration } from "./configurations.ts";
import { asExpected, type SearchResult } from "./search.ts";

export interface Finding {
  readonly configuration: Configuration;
  readonly result: SearchResult;
}

export function findingLine({ configuration, result }: Finding): string {
  const { verdict, detail, states, depth, megabytes, seconds } = result;
  const said = detail === "" ? verdict : `${verdict}: ${detail}`;
  const mark = asExpected(configuration, result) ? "" : `  UNEXPECTED, not ${configuration.breaks ?? "held"}`;
  const size = `${states} states, depth ${depth}, ${Math.round(megabytes)} MB, ${seconds.toFixed(1)} s`;
  return `${configuration.name}: ${said} (${size})${mark}`;
}

export function countsLine(findings: readonly Finding[]): string {
  const expected = findings.filter(({ configuration, result }) => asExpected(configuration, result));
  const held = expected.filter(({ result }) => result.verdict === "held").length;
  const unexpected = findings.length - expected.length;
  return `model: ${findings.length} configurations, ${held} held, ${expected.length - held} violated as expected, ${unexpected} unexpected`;
}

/** By the clock, verifiers included: what it took in all, and the dearest. */
export function costLine(findings: readonly Finding[]): string {
  const cost = ({ result }: Finding): number => result.seconds + result.buildSeconds;
  const total = findings.reduce((sum, each) => sum + cost(each), 0);
  const dearest = [...findings].sort((a, b) => cost(b) - cost(a)).slice(0, 5);
  const named = dearest.map((each) => `${each.configuration.name} ${cost(each).toFixed(1)} s`);
  return `model: ${total.toFixed(0)} s, most of it for ${named.join(", ")}`;
}
