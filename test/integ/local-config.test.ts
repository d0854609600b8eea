import { describe, expect, it } from "vitest";
import { checkLocalConfig, readLocalConfig } from "../../lib/local/local-config.ts";

const group = {
  name: "mymaster",
  nodes: [7001, 7002, 7003].map((port) => ({ id: `n${port}`, host: "127.0.0.1", port, zone: "az-a" })),
};

const issuesOf = (input: unknown): readonly string[] => {
  try {
    checkLocalConfig(input, "file");
  } catch (error) {
    return (error as { readonly issues: readonly string[] }).issues;
  }
  return [];
};

describe("the file of `valkeeper local`", () => {
  it("needs groups only", () => {
    expect(checkLocalConfig({ groups: [group] }, "file")).toMatchObject({
      region: "eu-west-1",
      listen: "127.0.0.1",
      economy: false,
      voters: [
        { id: "az-a", exec: [] },
        { id: "az-b", exec: [] },
        { id: "az-c", exec: [] },
      ],
      groups: [{ name: "mymaster", quorum: 2 }],
    });
  });

  it("takes a prefix for each voter's process, every setting of a group, and a password", () => {
    const config = checkLocalConfig(
      {
        region: "us-east-1",
        listen: "10.9.0.1",
        economy: true,
        voters: [{ id: "az-a", exec: ["ip", "netns", "exec", "ns-a"] }, { id: "az-b" }, { id: "az-c" }],
        groups: [
          { ...group, downAfterMs: 1_000, onPossibleLoss: "refuse", waitK: 1, credentials: { password: "secret" } },
        ],
      },
      "file",
    );
    expect(config.economy).toBe(true);
    expect(config.voters[0]?.exec).toEqual(["ip", "netns", "exec", "ns-a"]);
    expect(config.groups[0]).toMatchObject({
      downAfterMs: 1_000,
      credentials: { kind: "inline", user: "default", password: "secret" },
    });
  });

  it("is refused with every issue at once, none of which repeats a password", () => {
    const issues = issuesOf({
      grups: [],
      region: 5,
      voters: [{ id: "az-a" }, { id: "az-b", exec: "ip netns" }, { name: "az-c" }],
      groups: [{ ...group, downAfter: 5, credentials: { password: "planted", secretId: "x" } }, 7],
    });
    expect(issues).toEqual(
      expect.arrayContaining([
        expect.stringContaining('no setting "grups"'),
        expect.stringContaining("region should be a text"),
        expect.stringContaining("voters[1].exec should be a list of words"),
        expect.stringContaining("voters[2] should be a map of id and exec"),
        expect.stringMatching(/^group mymaster: .*"downAfter"/),
        expect.stringContaining("groups[1]"),
      ]),
    );
    expect(issues.join("\n")).not.toContain("planted");
  });

  it("says so when there are no groups, or two of one name", () => {
    expect(issuesOf({})).toEqual(["groups should be a list of at least one group"]);
    expect(issuesOf({ groups: [group, group] })).toEqual(["two groups are named mymaster"]);
  });

  it("says so when it is not there or not JSON", async () => {
    await expect(readLocalConfig("no-such-file")).rejects.toThrow(/cannot be read/);
    await expect(readLocalConfig("LICENSE")).rejects.toThrow(/it is not JSON/);
  });
});
