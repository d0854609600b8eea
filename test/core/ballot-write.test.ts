import { describe, expect, it } from "vitest";
import {
  type BallotWrite,
  type Condition,
  changed,
  holds,
  interpret,
  isEcho,
  type Path,
  valueAt,
} from "../../lib/core/ballot-write.ts";
import { attemptId } from "../../lib/core/types.ts";
import { GROUP } from "./builders.ts";

const item = { epoch: 3, primary: { node: "n1", epoch: 2 }, list: [1], nothing: null, armed: false };

describe("valueAt", () => {
  it.each<[Path, unknown]>([
    [["epoch"], 3],
    [["primary", "node"], "n1"],
    [["primary", "absent"], undefined],
    [["absent", "node"], undefined],
    [["epoch", "node"], undefined],
    [["list", "0"], undefined],
    [["nothing"], undefined],
    [["nothing", "node"], undefined],
    [["armed"], false],
  ])("reads %j as %j", (path, value) => {
    expect(valueAt(item, path)).toBe(value);
  });
});

describe("holds", () => {
  const equals = (path: Path, value: string | number | boolean): Condition => ({ kind: "equals", path, value });
  it.each<[Condition, boolean]>([
    [equals(["epoch"], 3), true],
    [equals(["epoch"], 4), false],
    [equals(["primary", "node"], "n1"), true],
    [equals(["gone"], "n1"), false],
    [{ kind: "absent", path: ["gone"] }, true],
    [{ kind: "absent", path: ["nothing"] }, true],
    [{ kind: "absent", path: ["armed"] }, false],
    [{ kind: "less", path: ["epoch"], than: 4 }, true],
    [{ kind: "less", path: ["epoch"], than: 3 }, false],
    [{ kind: "less", path: ["gone"], than: 4 }, false],
    [{ kind: "less", path: ["primary", "node"], than: 4 }, false],
    [{ kind: "all", of: [] }, true],
    [{ kind: "all", of: [equals(["epoch"], 3), equals(["epoch"], 4)] }, false],
    [{ kind: "any", of: [] }, false],
    [{ kind: "any", of: [equals(["epoch"], 3), equals(["epoch"], 4)] }, true],
    [{ kind: "not", of: equals(["gone"], 1) }, true],
  ])("says of %j: %s", (condition, result) => {
    expect(holds(item, condition)).toBe(result);
  });

  it("compares no text with a number", () => {
    expect(holds({ epoch: "3" }, { kind: "less", path: ["epoch"], than: 4 })).toBe(false);
  });
});

describe("changed", () => {
  it("sets whole attributes and values inside maps, removes with null, and leaves the item as it was", () => {
    const before = structuredClone(item);
    const after = changed(item, [
      { path: ["epoch"], value: 4 },
      { path: ["primary", "node"], value: "n2" },
      { path: ["list"], value: null },
      { path: ["primary", "epoch"], value: null },
    ]);
    expect(after).toEqual({ epoch: 4, primary: { node: "n2" }, nothing: null, armed: false });
    expect(item).toEqual(before);
  });

  it.each<[Path]>([[["gone", "node"]], [["list", "0"]], [["epoch", "x"]], [["nothing", "x"]]])(
    "refuses to write below what is no map: %j",
    (path) => {
      expect(() => changed(item, [{ path, value: 1 }])).toThrow(TypeError);
      const below = `ballot write below a missing map: ${path.join(".")}`;
      expect(() => changed(item, [{ path, value: 1 }])).toThrow(below);
    },
  );
});

describe("interpret", () => {
  const write: BallotWrite = {
    name: "renew",
    group: GROUP,
    attempt: { path: ["attempt"], id: attemptId("mine") },
    condition: { kind: "equals", path: ["epoch"], value: 3 },
    changes: [{ path: ["attempt"], value: "mine" }],
  };

  it("applies where the condition holds, once", () => {
    const first = interpret(item, { ...write, changes: [...write.changes, { path: ["epoch"], value: 4 }] });
    expect(first).toEqual({ applied: true, item: { ...item, epoch: 4, attempt: "mine" } });
    expect(interpret(first.item, write)).toEqual({ applied: false, item: first.item });
  });

  it("knows its own attempt in the item that refuses it", () => {
    expect(isEcho({ ...item, attempt: "mine" }, write)).toBe(true);
    expect(isEcho({ ...item, attempt: "another's" }, write)).toBe(false);
    expect(isEcho(item, write)).toBe(false);
  });

  it("takes no item for one without attributes", () => {
    expect(interpret(null, write)).toEqual({ applied: false, item: null });
    expect(interpret(null, { ...write, condition: { kind: "absent", path: ["schema"] } })).toEqual({
      applied: true,
      item: { attempt: "mine" },
    });
  });
});
