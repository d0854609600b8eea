import { describe, expect, it } from "vitest";
import { stepAt } from "./builders.ts";
import { awaiting, factOf, type InputKind, PHASES, type Phase } from "./phases.ts";
import { TRANSITIONS } from "./transition-table.ts";
import { wordsOf } from "./transition-words.ts";

const cells = Object.entries(TRANSITIONS).flatMap(([phase, row]) =>
  Object.entries(row).map(([kind, expected]) => [phase as Phase, kind as InputKind, expected] as const),
);

describe("the transition table", () => {
  it.each(cells)("%s, %s: %j", (phase, kind, expected) => {
    const moment = PHASES[phase]();
    const fact = factOf(moment, kind);
    const { commands, state, wakeAt } = stepAt(awaiting(moment.state, fact), moment.at, fact, moment.context);
    expect(wordsOf(commands)).toEqual(expected);
    // Whoever waits for no answer has said when to be asked again.
    const isAwaiting = state.storeBusy !== null || Object.values(state.nodes).some((node) => node.probing !== null);
    expect(isAwaiting || Number.isFinite(wakeAt)).toBe(true);
    expect(state.lastAt).toBe(moment.at);
  });

  it.each(Object.keys(PHASES) as Phase[])("%s: the same fact twice asks for nothing twice", (phase) => {
    const moment = PHASES[phase]();
    const first = stepAt(moment.state, moment.at, { kind: "time-passed" }, moment.context);
    const second = stepAt(first.state, moment.at, { kind: "time-passed" }, moment.context);
    expect(wordsOf(second.commands)).toEqual([]);
  });
});
