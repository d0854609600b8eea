import { describe, expect, it } from "vitest";
import type { VoterGroupView } from "../../lib/core/records.ts";
import { nodeId } from "../../lib/core/types.ts";
import { type ConditionContext, conditionsOf } from "../../lib/runtime/group-conditions.ts";
import { nodeView, rejected, viewOf } from "./views.ts";

const found = (changes: Partial<VoterGroupView>, context: Partial<ConditionContext> = {}): Record<string, string> =>
  Object.fromEntries(conditionsOf(viewOf(changes), { mode: "act", withoutCandidateMs: 0, ...context }));

const bootFenced = nodeView({ follows: { host: "127.0.0.1", port: 1 }, linkUp: false });

describe("the conditions that a view shows", () => {
  it("are none in a healthy group", () => {
    expect(found({})).toEqual({});
  });

  it("need half a minute: what is withheld for less may still end by itself", () => {
    expect(found({ rejection: rejected("witness-veto", 29_999) })).toEqual({});
    expect(found({ rejection: rejected("witness-veto", 30_000) })).toEqual({ GroupsBlocked: "witness-veto: as seen" });
  });

  it.each([
    ["adoption-refused", "GroupsNotReady"],
    ["foreign-table", "GroupsNotReady"],
    ["budget-spent", "GroupsBlocked"],
    ["paused", "GroupsBlocked"],
    ["misconfigured", "GroupsMisconfigured"],
    ["store-unreachable", "StoreFailures"],
  ] as const)("name %s by %s", (reason, metric) => {
    expect(found({ rejection: rejected(reason, 60_000) })).toEqual({ [metric]: `${reason}: as seen` });
  });

  it("are none for what is told otherwise or passes by itself", () => {
    expect(found({ rejection: rejected("waiting-for-down-after", 60_000) })).toEqual({});
    expect(found({ rejection: rejected("suspended", 60_000) })).toEqual({});
  });

  it("leave a group alone that is only watched, and has no primary of ours", () => {
    const waiting = { rejection: rejected("not-adopted", 60_000), candidate: null };
    expect(found(waiting, { mode: "observe", withoutCandidateMs: 60_000 })).toEqual({});
    expect(found(waiting)).toEqual({ GroupsNotReady: "not-adopted: as seen" });
  });

  it("tell a group whose primary could not be replaced, and why", () => {
    const alone = { candidate: null, notCandidates: { [nodeId("n2")]: "priority 0" } };
    expect(found(alone, { withoutCandidateMs: 30_000 })).toEqual({
      GroupsNotReady: "nobody could be promoted: n2 priority 0",
    });
    expect(found(alone, { withoutCandidateMs: 29_000 })).toEqual({});
    expect(found(alone, { withoutCandidateMs: 30_000, mode: "paused" })).toEqual({});
  });

  it("tell a replica that lets nobody in, although the primary serves", () => {
    const closed = nodeView({ class: "misconfigured", sinceMs: 31_000, detail: "WRONGPASS" });
    const nodes = { ...viewOf().nodes, [nodeId("n2")]: closed };
    expect(found({ nodes })).toEqual({ GroupsMisconfigured: "n2: WRONGPASS" });
  });

  it("tell nodes that wait at their boot fence, unless a primary serves", () => {
    const rejection = rejected("too-few-nodes", 31_000);
    const stopped = nodeView({ class: "silent", role: "primary", follows: null });
    expect(found({ rejection, nodes: { [nodeId("n1")]: stopped, [nodeId("n2")]: bootFenced } })).toHaveProperty(
      "GroupsBootFenced",
    );
    const served = { ...viewOf().nodes, [nodeId("n2")]: bootFenced };
    expect(found({ rejection, nodes: served })).toEqual({ GroupsBlocked: "too-few-nodes: as seen" });
  });
});
