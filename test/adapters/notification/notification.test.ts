import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { notificationOf, notificationOfChange } from "../../../lib/adapters/notification/notification.ts";
import { EVENTS, type EventName } from "../../../lib/core/events.ts";
import type { HistoryRecord } from "../../../lib/core/records.ts";
import { epoch, groupName, type VoterId, type WallTime } from "../../../lib/core/types.ts";
import type { ConditionChange } from "../../../lib/ports/notifier.ts";
import { CONDITION_NAMES } from "../../../lib/runtime/group-conditions.ts";
import { schemaIssues } from "../../support/notification-schema.ts";

const stepOf = (event: string): HistoryRecord => ({
  schema: 1,
  id: "event#00000007#01764000000002#az-a#00020012",
  group: groupName("mymaster"),
  epoch: epoch(7),
  at: 1_764_000_000_002 as WallTime,
  voter: "az-a" as VoterId,
  generation: 2,
  event: event as EventName,
  detail: { node: "n2", primaryEpoch: 7 },
});
const told = Object.entries(EVENTS).filter(([event, { history }]) => history || event.startsWith("condition."));

const changeOf = (kind: "began" | "ended"): ConditionChange => ({
  ...{ group: groupName("mymaster"), name: "group-not-ready", kind },
  condition: { since: 1_764_000_000_002 as WallTime, epoch: epoch(7), reason: "n2 link down", isTold: true },
  at: (kind === "began" ? 1_764_000_000_002 : 1_764_000_300_002) as WallTime,
});

describe("the notification of a condition", () => {
  const [began, ended] = (["began", "ended"] as const).map((kind) => notificationOfChange(changeOf(kind), "valkeeper"));

  it("is what the schema describes, and names the condition as its alarm does", () => {
    expect([began, ended].flatMap(schemaIssues)).toEqual([]);
    const names = new Set(Object.values(CONDITION_NAMES));
    expect(names).toContain(began?.detail["condition"]);
    expect(began).toMatchObject({ event: "condition.began", epoch: 7, at: "2025-11-24T16:00:00.002Z" });
    expect(began?.detail).toEqual({ condition: "group-not-ready", reason: "n2 link down" });
    expect(ended).toMatchObject({ event: "condition.ended", at: "2025-11-24T16:05:00.002Z" });
    expect(ended?.detail).toEqual({ condition: "group-not-ready", reason: "n2 link down", lastedMs: 300_000 });
  });

  it("has the same id each time, and another when it ends", () => {
    const since = "valkeeper/mymaster/event#00000007#01764000000002#publisher#group-not-ready";
    expect([began?.id, ended?.id]).toEqual([`${since}#began`, `${since}#ended`]);
    expect(notificationOfChange(changeOf("began"), "valkeeper").id).toBe(began?.id);
  });
});

describe("a notification", () => {
  it.each(told)("%s is what the schema describes, with Sentinel's name for it", (event, { sentinel }) => {
    const notification = notificationOf(stepOf(event), "valkeeper");
    expect(schemaIssues(notification)).toEqual([]);
    expect(notification).toMatchObject({ event, sentinel });
  });

  it("is told of an event that only a newer voter knows, without a Sentinel's name", () => {
    const notification = notificationOf(stepOf("node.teleported"), "valkeeper");
    expect(notification).toMatchObject({ event: "node.teleported", sentinel: null });
    expect(schemaIssues(notification)).toEqual([]);
  });

  it.each([
    ["without an id", { id: undefined }, " must have required property 'id'"],
    ["of another schema", { schema: 2 }, "/schema must be equal to constant"],
    ["with a time that is no text", { at: 1_764_000_000_002 }, "/at must be string"],
    ["with nested facts", { detail: { node: { id: "n2" } } }, "/detail/node must be string,number,boolean,null"],
  ])("%s is not what the schema describes", (_, change, issue) => {
    expect(schemaIssues({ ...notificationOf(stepOf("node.frozen"), "valkeeper"), ...change })).toContain(issue);
  });
});

describe("docs/notifications.md", () => {
  const text = readFileSync("docs/notifications.md", "utf8");

  it("lists every event that is told, with Sentinel's name", () => {
    const table = text.slice(text.indexOf("| event | Sentinel | |"));
    const listed = [...table.matchAll(/^\| `([a-z.-]+)` \| (?:`([^`]+)`)? ?\| \S/gm)].map(([, event, name]) => [
      event,
      name ?? null,
    ]);
    expect(listed).toEqual(told.map(([event, { sentinel }]) => [event, sentinel]));
  });

  it("names the conditions that are told", () => {
    const [, names = ""] = /`detail.condition` is the name of the alarm: ([^;]+?)\. Once/s.exec(text) ?? [];
    const listed = [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(Object.values(CONDITION_NAMES).toSorted());
  });

  it("shows examples that the schema describes", () => {
    const [, example = ""] = /```json\n(\{\n {2}"schema"[^`]+)```/.exec(text) ?? [];
    expect(schemaIssues(JSON.parse(example))).toEqual([]);
    const deployment = "Valkeeper-FailoverTable-1ABC";
    expect(JSON.parse(example)).toEqual(notificationOf(stepOf("primary.committed"), deployment));
    const [, second = ""] = /is:\n\n```json\n(\{\n {2}"schema"[^`]+)```/.exec(text) ?? [];
    expect(JSON.parse(second)).toEqual(notificationOfChange(changeOf("began"), deployment));
  });
});
