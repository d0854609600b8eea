import { describe, expect, it } from "vitest";
import { localConfig } from "./valkeeper-side.ts";

const options = { nodes: [], downAfterMs: 5_000 };
const zone = { name: "a", host: "10.0.0.1", exec: ["ip", "netns", "exec", "a"] };

describe("the installation that is measured", () => {
  it("runs its voters as they are", () => {
    expect(localConfig(options)).toMatchObject({ voters: [{ exec: [] }, { exec: [] }, { exec: [] }] });
  });

  it("gives an endpoint of their own to the voters alone, in their zones", () => {
    const voters = { voterEndpoint: "http://127.0.0.1:1", endpoint: "http://127.0.0.1:2" };
    const config = localConfig({ ...options, ...voters, zones: [zone, zone, zone] });
    const exec = [...zone.exec, "/usr/bin/env", "AWS_ENDPOINT_URL=http://127.0.0.1:1"];
    expect(config).toMatchObject({ voters: [{ exec }, { exec }, { exec }] });
    expect(JSON.stringify(config)).not.toContain("http://127.0.0.1:2");
  });
});
