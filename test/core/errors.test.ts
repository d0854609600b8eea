import { describe, expect, it } from "vitest";
import {
  ConfigurationError,
  InvariantViolation,
  messageOf,
  PortError,
  RecordFormatError,
} from "../../lib/core/errors.ts";

describe("the errors that are thrown", () => {
  it("are matched by their code, which is also their name", () => {
    const errors = [
      new ConfigurationError("group", []),
      new RecordFormatError(""),
      new PortError("store", "read", ""),
      new InvariantViolation("S3", ""),
    ];
    const codes = ["ConfigurationError", "RecordFormatError", "PortError", "InvariantViolation"];
    expect(errors.map((error) => [error.code, error.name])).toEqual(codes.map((code) => [code, code]));
  });

  it("say of a port which one and which call failed, and keep the vendor's error", () => {
    const cause = new Error("socket hang up");
    const error = new PortError("group-store", "readBallot", "no answer", cause);
    expect([error.message, error.port, error.call]).toEqual([
      "group-store.readBallot: no answer",
      "group-store",
      "readBallot",
    ]);
    expect(error.cause).toBe(cause);
    expect(new PortError("group-store", "readBallot", "no answer")).not.toHaveProperty("cause");
  });

  it("say of a port whether it would answer otherwise later, which it may unless said", () => {
    const finality = [[], [false], [true]].map(([isFinal]) => new PortError("hosts", "read", "", undefined, isFinal));
    expect(finality.map((error) => error.isFinal)).toEqual([false, false, true]);
  });

  it("say which promise a bug breaks", () => {
    const error = new InvariantViolation("S3", "the clock went back");
    expect([error.message, error.id]).toEqual(["S3: the clock went back", "S3"]);
  });

  it("list every issue of a configuration on a line of its own", () => {
    expect(new ConfigurationError("group", ["a"]).message).toBe("group: 1 issue\n  - a");
    expect(new ConfigurationError("group", ["a", "b"]).message).toBe("group: 2 issues\n  - a\n  - b");
  });

  it("are told by their words, and what is thrown and is no error by itself", () => {
    expect([messageOf(new Error("socket hang up")), messageOf("gone")]).toEqual(["socket hang up", "gone"]);
  });
});
