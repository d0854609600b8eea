import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { BALLOT_SCHEMA } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot, withoutNulls } from "../../lib/core/ballot-format.ts";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { RecordFormatError } from "../../lib/core/errors.ts";
import { attemptId, epoch, nodeId, wallTime } from "../../lib/core/types.ts";
import {
  A,
  addressOf,
  attempt,
  B,
  ballot,
  control,
  intent,
  lease,
  member,
  N1,
  newborn,
  operation,
  vote,
} from "./builders.ts";

const N4 = nodeId("n4");
const full: Ballot = ballot({
  votes: { [A]: vote(), [B]: vote({ level: "clear" }) },
  lease: lease(),
  members: {
    version: 2,
    nodes: {
      ...ballot().members.nodes,
      [N4]: member(4, { address: addressOf(N4), goneAt: 7, aside: true }),
    },
  },
  operation: operation({
    request: "request-1",
    stop: { node: N1, epoch: epoch(2), outcome: { kind: "stopped", detail: "i-1", attempt: attemptId("stop") } },
  }),
  lineage: { histories: ballot().lineage.histories, intents: [intent()] },
  control: control({ mode: "paused", until: wallTime(1) }),
  budget: [attempt()],
  lastRequest: "request-0",
  lastRequestBegan: epoch(1),
});

/** Every path to a value inside `value`. */
function paths(value: Json, at: readonly string[] = []): readonly (readonly string[])[] {
  if (value === null || typeof value !== "object") return [at];
  const entries = Object.entries(value).flatMap(([key, each]) => paths(each, [...at, key]));
  return at.length === 0 ? entries : [at, ...entries];
}

function damaged(value: Json, [key, ...rest]: readonly string[], to: Json | undefined): Json {
  if (key === undefined) return to ?? null;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, Json>;
  if (rest.length === 0 && to === undefined) delete copy[key];
  else copy[key] = damaged(copy[key] as Json, rest, to);
  return copy;
}

const decode = (item: Json) => () => decodeBallot(item as Item);

describe("the ballot's format", () => {
  it("keeps the mode that a pause gives way to", () => {
    const paused = ballot({ control: control({ mode: "paused", until: wallTime(1), returnsTo: "observe" }) });
    expect(decodeBallot(encodeBallot(paused))).toEqual(paused);
  });

  it.each([
    ["full", full],
    ["adopted", ballot()],
    ["newborn", newborn()],
  ])("gives a %s ballot back as it was", (_, record) => {
    expect(decodeBallot(encodeBallot(record))).toEqual(record);
  });

  it.each<Partial<Ballot>>([
    ...(["failover", "switchover", "cold-start", "recover", "repair", "initialise"] as const).map((kind) => ({
      operation: operation({ kind }),
    })),
    ...(["begun", "intended", "restoring", "committed"] as const).map((step) => ({ operation: operation({ step }) })),
    ...(["stopped", "refused"] as const).map((kind) => ({
      operation: operation({
        stop: { node: N1, epoch: epoch(2), outcome: { kind, detail: "", attempt: attemptId("stop") } },
      }),
    })),
    ...(["clear", "suspect", "down"] as const).map((level) => ({ votes: { [A]: vote({ level }) } })),
    ...(["act", "observe", "paused"] as const).flatMap((mode) => [
      { control: control({ mode }) },
      { control: control({ mode: "paused", until: wallTime(1), returnsTo: mode }) },
    ]),
  ])("knows every word that a record may say: %j", (values) => {
    expect(decodeBallot(encodeBallot(ballot(values)))).toEqual(ballot(values));
  });

  it("stores no null, so that conditions see one kind of nothing", () => {
    expect(JSON.stringify(encodeBallot(newborn()))).not.toContain("null");
    expect(withoutNulls([{ kept: 1, left: null }])).toEqual([{ kept: 1 }]);
  });

  it("holds each vote as an attribute of its own", () => {
    expect(encodeBallot(full)).toMatchObject({ "vote_az-a": { level: "down" }, "vote_az-b": { level: "clear" } });
    expect(encodeBallot(full)).not.toHaveProperty("votes");
  });

  it.each(paths(encodeBallot(full)).map((path) => [path.join("."), path] as const))(
    "refuses a value of another type at %s",
    (_, path) => {
      const wrong = decode(damaged(encodeBallot(full), path, [[["damaged"]]]));
      // Who may leave a value out may not leave another kind of value in its place.
      expect(wrong).toThrow(RecordFormatError);
    },
  );

  const optional =
    /^(primary|lease|operation|lastRequest|lastRequestBegan|vote_az-[ab]|operation\.(target|request|stop|stop\.outcome)|control\.until|lineage\.(histories|intents)\.\d+|budget\.\d+|members\.nodes\.n\d(\.(runId|address|goneAt|aside))?)$/;
  it.each(
    paths(encodeBallot(full))
      .map((path) => [path.join("."), path] as const)
      .filter(([name]) => !optional.test(name)),
  )("refuses a record without %s", (_, path) => {
    expect(decode(damaged(encodeBallot(full), path, undefined))).toThrow(RecordFormatError);
  });

  it.each([
    ["vote_az-a", "level"],
    ["operation", "kind"],
    ["operation", "step"],
    ["control", "mode"],
  ])("refuses a word that it does not know at %s.%s", (...path) => {
    expect(decode(damaged(encodeBallot(full), path, "later"))).toThrow(/one of/);
  });

  it("refuses a newer schema with words that say what to do, and names the field of a damaged record", () => {
    expect(decode({ ...encodeBallot(full), schema: BALLOT_SCHEMA + 1 })).toThrow(/update Valkeeper/);
    expect(decode({ ...encodeBallot(full), schema: "2" })).toThrow(/ballot\.schema should be a number/);
    expect(decode({ ...encodeBallot(full), epoch: "3" })).toThrow(/ballot\.epoch should be a number and is "3"/);
  });

  it.each([[{}], [{ schema: 1 }]])("refuses %j", (item) => {
    expect(decode(item as Json)).toThrow(RecordFormatError);
  });

  it("overlooks fields that a newer minor version may add", () => {
    expect(decodeBallot({ ...encodeBallot(full), later: 1 })).toEqual(full);
  });
});
