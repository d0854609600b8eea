import { describe, expect, it } from "vitest";
import { COORDINATOR_COMMANDS, COORDINATOR_RULES, COORDINATOR_USER, coordinatorAclLine } from "../../lib/core/acl.ts";

describe("the coordinator's ACL", () => {
  it("allows exactly the commands that the protocol sends, no keys and no channels", () => {
    expect(coordinatorAclLine({ user: COORDINATOR_USER, password: "secret" })).toBe(
      "user valkeeper on >secret resetkeys resetchannels -@all +ping +info +role +replicaof +failover +multi +exec " +
        "+client|setname +client|list +client|kill +client|pause +config|get +config|rewrite +acl|whoami",
    );
  });

  it("takes everything away before it gives anything", () => {
    expect(COORDINATOR_RULES.slice(0, 3)).toEqual(["resetkeys", "resetchannels", "-@all"]);
    expect(COORDINATOR_RULES.slice(3)).toEqual(COORDINATOR_COMMANDS.map((command) => `+${command}`));
  });
});
