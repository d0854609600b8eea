import { describe, expect, it } from "vitest";
import { modeAt } from "../../lib/core/control.ts";
import { attemptId, wallTime } from "../../lib/core/types.ts";
import { followDeclaredMode } from "../../lib/core/upkeep.ts";
import { ballot, context, control, newborn, stepAt, timePassed, turnAt, watching } from "./builders.ts";

describe("the mode in force", () => {
  const paused = (returnsTo?: "act" | "observe") =>
    ballot({
      control: {
        mode: "paused",
        by: "kim",
        reason: "kernel update",
        until: wallTime(1_000),
        ...(returnsTo === undefined ? {} : { returnsTo }),
        attempt: attemptId("pause"),
      },
    });

  it.each([
    ["is paused until the end of the pause", paused("observe"), 999, "paused"],
    ["S8: is what the pause interrupted from then on", paused("observe"), 1_000, "observe"],
    [
      "has an end only as a pause",
      ballot({ control: control({ mode: "observe", until: wallTime(1) }) }),
      1_000,
      "observe",
    ],
    ["is act where an older record does not say what was interrupted", paused(), 1_000, "act"],
  ] as const)("%s", (_, of, at, mode) => {
    expect(modeAt(of, wallTime(at))).toBe(mode);
  });
});

describe("a mode that is declared anew", () => {
  const declared = (mode: "act" | "observe") => {
    const usual = context();
    return { ...usual, config: { ...usual.config, mode } };
  };
  const writes = (recorded: "act" | "observe" | "paused", mode: "act" | "observe") => {
    const of = ballot({ control: control({ mode: recorded }) });
    const turn = turnAt(watching(of), 10, declared(mode));
    followDeclaredMode(turn, of);
    return turn.commands.map((command) => (command.kind === "write-ballot" ? command.write.name : command.kind));
  };

  it("is written into the record", () => {
    expect([writes("observe", "act"), writes("act", "observe")]).toEqual([["set-control"], ["set-control"]]);
  });

  it("S8: is not undone by a voter that has not read it yet", () => {
    const stepped = (recorded: "act" | "observe", mode: "act" | "observe", state = watching(), at = 10) => {
      const of = ballot({ control: control({ mode: recorded }) });
      const turn = turnAt({ ...state, look: watching(of).look }, at, declared(mode));
      followDeclaredMode(turn, of);
      return turn;
    };
    const inForce = stepped("act", "act").state;
    expect(stepped("observe", "act", inForce).commands).toEqual([]);
    expect(stepped("observe", "observe", inForce).commands).toEqual([]);
    expect(stepped("act", "observe", inForce).commands).toHaveLength(1);
    const lost = stepped("observe", "act", inForce).state;
    expect(stepped("observe", "act", lost, 12_009).commands).toEqual([]);
    expect(stepped("observe", "act", lost, 12_010).commands).toHaveLength(1);
    const again = stepped("act", "act", lost, 12_000).state;
    expect(stepped("observe", "act", again, 12_010).commands).toEqual([]);
    const ended = ballot({ control: control({ mode: "paused", until: wallTime(0) }) });
    const turn = turnAt({ ...inForce, look: watching(ended).look }, 10, declared("act"));
    followDeclaredMode(turn, ended);
    expect(turn.commands).toHaveLength(1);
  });

  it("is written into the record of a group that has no primary yet", () => {
    const of = newborn({ control: control({ mode: "observe" }) });
    const { commands } = stepAt(watching(of), 10, timePassed, declared("act"));
    const written = commands.flatMap((command) => (command.kind === "write-ballot" ? [command.write.name] : []));
    expect(written).toEqual(["set-control"]);
  });

  it("changes nothing where the record says so already, and waits for the end of a pause", () => {
    expect([writes("act", "act"), writes("paused", "observe")]).toEqual([[], []]);
  });
});
