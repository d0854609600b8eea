// In which order CloudFormation updates what it has deployed: by what depends on what, each kind of resource at once otherwise.

import type { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { group, synthesize } from "./failover-stack.ts";

/** Logical ids of the resources that have to be done before this one, the ones before those included. */
function earlierThan(template: Template, id: string, found = new Set<string>()): ReadonlySet<string> {
  const { Resources: resources } = template.toJSON() as {
    readonly Resources: Readonly<Record<string, { readonly DependsOn?: string | readonly string[] }>>;
  };
  for (const each of [resources[id]?.DependsOn ?? []].flat()) {
    if (found.has(each)) continue;
    found.add(each);
    earlierThan(template, each, found);
  }
  return found;
}

describe("an update of the stack", () => {
  const { template } = synthesize(() => ({ groups: [group, { ...group, name: "second" }] }));
  const functions = template.findResources("AWS::Lambda::Function");
  const voters = [1, 2, 3].map((index) => {
    const found = Object.keys(functions).filter((id) => id.includes(`VotersVoter${index}`));
    expect(found).toHaveLength(1);
    return found[0] ?? "";
  });

  it("takes the voters one after another", () => {
    const earlier = voters.map((id) => voters.filter((other) => earlierThan(template, id).has(other)));
    expect(earlier).toEqual([[], voters.slice(0, 1), voters.slice(0, 2)]);
  });

  it("registers the groups when every voter has been updated", () => {
    const groups = Object.keys(template.findResources("Custom::ValkeyGroup"));
    expect(groups).toHaveLength(2);
    for (const id of groups) expect([...earlierThan(template, id)]).toEqual(expect.arrayContaining(voters));
  });
});
