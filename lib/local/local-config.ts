// What `valkeeper local --config FILE` is told: where the local cloud listens, the voters with what runs them, and the
// groups with every setting of lib/core/config.ts. Passwords may stand in this file, and go no further than the local
// cloud's secrets.

import { readFile } from "node:fs/promises";
import type { DeclaredConfig } from "../core/config.ts";
import { checkDeclaration } from "../core/config-check.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { VoterId } from "../core/types.ts";

export interface LocalVoter {
  readonly id: VoterId;
  /** Runs its process. */
  readonly exec: readonly string[];
}

export interface LocalConfig {
  readonly region: string;
  readonly listen: string;
  readonly economy: boolean;
  readonly voters: readonly LocalVoter[];
  readonly groups: readonly DeclaredConfig[];
}

const SETTINGS = ["region", "listen", "economy", "voters", "groups"];
const DEFAULT_VOTERS = [{ id: "az-a" }, { id: "az-b" }, { id: "az-c" }];

export async function readLocalConfig(file: string): Promise<LocalConfig> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new ConfigurationError(file, [`it cannot be read: ${(error as Error).message}`]);
  }
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    // The parser's message repeats a part of the file, which may be a password.
    throw new ConfigurationError(file, ["it is not JSON"]);
  }
  return checkLocalConfig(input, file);
}

/** Throws `ConfigurationError` with every issue. */
export function checkLocalConfig(input: unknown, subject: string): LocalConfig {
  const issues: string[] = [];
  const fields = isMap(input) ? input : {};
  if (!isMap(input)) issues.push(`it should be a map of ${SETTINGS.join(", ")}`);
  for (const name of Object.keys(fields)) {
    if (!SETTINGS.includes(name)) issues.push(`there is no setting "${name}": there are ${SETTINGS.join(", ")}`);
  }
  const voters = readVoters(fields["voters"] ?? DEFAULT_VOTERS, issues);
  const groups = readGroups(fields["groups"], voters, issues);
  const config: LocalConfig = {
    region: readText(fields, "region", "eu-west-1", issues),
    listen: readText(fields, "listen", "127.0.0.1", issues),
    economy: readFlag(fields, "economy", issues),
    voters,
    groups,
  };
  if (issues.length > 0) throw new ConfigurationError(subject, issues);
  return config;
}

function readText(fields: Fields, name: string, byDefault: string, issues: string[]): string {
  const value = fields[name] ?? byDefault;
  if (typeof value === "string" && value !== "") return value;
  issues.push(`${name} should be a text such as ${JSON.stringify(byDefault)}`);
  return byDefault;
}

function readFlag(fields: Fields, name: string, issues: string[]): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== "boolean") issues.push(`${name} should be true or false`);
  return value === true;
}

function readVoters(value: unknown, issues: string[]): readonly LocalVoter[] {
  if (!Array.isArray(value)) {
    issues.push('voters should be a list such as [{ "id": "az-a" }, { "id": "az-b" }, { "id": "az-c" }]');
    return [];
  }
  return value.flatMap((each: unknown, index) => {
    const voter = isMap(each) ? each : {};
    const exec = voter["exec"] ?? [];
    const extra = Object.keys(voter).filter((name) => name !== "id" && name !== "exec");
    if (typeof voter["id"] !== "string" || extra.length > 0) {
      issues.push(`voters[${index}] should be a map of id and exec`);
      return [];
    }
    if (!Array.isArray(exec) || !exec.every((word) => typeof word === "string")) {
      issues.push(`voters[${index}].exec should be a list of words such as ["ip", "netns", "exec", "az-a"]`);
      return [];
    }
    return [{ id: voter["id"] as VoterId, exec: exec as string[] }];
  });
}

/** By its name where it has one: that is what a person looks for in the file. */
const labelOf = (group: unknown, index: number): string => {
  const name = (group as { readonly name?: unknown } | null)?.name;
  return typeof name === "string" && name !== "" ? `group ${name}` : `groups[${index}]`;
};

function readGroups(value: unknown, voters: readonly LocalVoter[], issues: string[]): readonly DeclaredConfig[] {
  if (!Array.isArray(value) || value.length === 0) {
    issues.push("groups should be a list of at least one group");
    return [];
  }
  const context = { voters: voters.map((voter) => voter.id), inlineCredentials: true, hasStopper: false };
  const groups = value.flatMap((each: unknown, index) => {
    try {
      return [checkDeclaration(each, context)];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      issues.push(...error.issues.map((issue) => `${labelOf(each, index)}: ${issue}`));
      return [];
    }
  });
  for (const [index, group] of groups.entries()) {
    if (groups.findIndex((other) => other.name === group.name) !== index)
      issues.push(`two groups are named ${group.name}`);
  }
  return groups;
}

type Fields = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
