// What the check says against a configuration: nothing, or every issue at once.

import { expect } from "vitest";
import { type CheckContext, checkConfig } from "../../lib/core/config-check.ts";
import { ConfigurationError } from "../../lib/core/errors.ts";
import { voterId } from "../../lib/core/types.ts";

export const threeVoters: CheckContext = { voters: ["az-a", "az-b", "az-c"].map(voterId) };

export function issuesOf(input: unknown, context: CheckContext = threeVoters): readonly string[] {
  try {
    checkConfig(input, context);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).issues;
  }
}

/** Of a group of one node with one setting besides. */
export const issuesOfSetting = (name: string, value: unknown, given: Partial<CheckContext> = {}): readonly string[] =>
  issuesOf({ name: "g", nodes: [{ id: "n1", host: "h" }], [name]: value }, { ...threeVoters, ...given });
