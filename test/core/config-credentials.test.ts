import { describe, expect, it } from "vitest";
import { checkConfig } from "../../lib/core/config-check.ts";
import { issuesOfSetting, threeVoters } from "./config-issues.ts";

describe("credentials", () => {
  it("are understood by the field they have", () => {
    const of = (credentials: unknown) =>
      checkConfig(
        { name: "g", nodes: [{ id: "n1", host: "h" }], credentials },
        { ...threeVoters, inlineCredentials: true },
      ).credentials;
    expect(of({ user: "valkeeper", secretId: "valkey/failover" })).toEqual({
      kind: "secrets-manager",
      user: "valkeeper",
      secretId: "valkey/failover",
    });
    expect(of({ user: "valkeeper", parameter: "/valkey/password" })).toEqual({
      kind: "ssm-secure-string",
      user: "valkeeper",
      parameter: "/valkey/password",
    });
    expect(of({ password: "p w" })).toEqual({ kind: "inline", user: "default", password: "p w" });
    expect(of({})).toEqual({ kind: "none", user: "default" });
  });

  it("are never inline outside local, and never repeated in a message", () => {
    const issues = issuesOfSetting("credentials", { user: "valkeeper", password: "hunter2" });
    expect(issues).toEqual([
      "credentials.password is given inline, and no record ever holds a password: put it into Secrets Manager (secretId) or an SSM SecureString (parameter)",
    ]);
    expect(issuesOfSetting("credentials", { password: "hunter2", kind: "inlined" }).join()).not.toContain("hunter2");
    for (const password of [7, ""]) {
      expect(issuesOfSetting("credentials", { password }, { inlineCredentials: true })).toEqual([
        "credentials.password should be a text that is not empty",
      ]);
    }
    expect(issuesOfSetting("credentials", { kind: "secrets-manager", secretId: "a" })).toEqual([]);
  });

  it.each([
    [
      { user: "valkeeper" },
      'credentials name the user "valkeeper" and no secret: add secretId (Secrets Manager) or parameter (SSM SecureString)',
    ],
    [{ secretId: "a", parameter: "b" }, "credentials have secretId and parameter: give one of them"],
    [
      { kind: "secrets-manager", parameter: "b" },
      'credentials.kind is "secrets-manager" and parameter belongs to "ssm-secure-string"',
    ],
    [
      { kind: "secrets-manager" },
      "credentials.secretId should be the name or ARN of a Secrets Manager secret and is missing",
    ],
    [
      { kind: "vault", secretId: "a" },
      'credentials.kind should be "inline" or "secrets-manager" or "ssm-secure-string" or "none" and is "vault"',
    ],
    [{ user: "two words" }, 'credentials.user should be a user name without blanks and is "two words"'],
    [
      { kind: "ssm-secure-string" },
      "credentials.parameter should be the name or ARN of an SSM SecureString parameter and is missing",
    ],
    [{ user: "two words", secretId: "a" }, 'credentials.user should be a user name without blanks and is "two words"'],
    ["hunter2", 'credentials should be a map of settings and is "hunter2"'],
  ])("%o is refused", (credentials, issue) => {
    expect(issuesOfSetting("credentials", credentials)).toEqual([issue]);
  });
});
