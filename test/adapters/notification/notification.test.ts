import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { notificationOf } from "../../../lib/adapters/notification/notification.ts";
import { EVENTS, type EventName } from "../../../lib/core/events.ts";
import type { HistoryRecord } from "../../../lib/core/records.ts";
import { epoch, groupName, type VoterId, type WallTime } from "../../../lib/core/types.ts";
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
const told = Object.entries(EVENTS).filter(([, { history }]) => history);

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

  it("shows an example that the schema describes", () => {
    const [, example = ""] = /```json\n(\{\n {2}"schema"[^`]+)```/.exec(text) ?? [];
    expect(schemaIssues(JSON.parse(example))).toEqual([]);
    const deployment = "Valkeeper-FailoverTable-1ABC";
    expect(JSON.parse(example)).toEqual(notificationOf(stepOf("primary.committed"), deployment));
  });
});
