import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BOOT_FENCE, isBootFenced, isFenced, MAX_EPOCH, tokenAddress, tokenOf } from "../../lib/core/token.ts";
import { addressOf, N1, ofEpoch, primaryReading, reading } from "./builders.ts";

describe("tokens", () => {
  it("R1: spell every epoch of 24 bits in an address, and back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_EPOCH }), (value) => {
        expect(tokenOf(tokenAddress(ofEpoch(value)))).toBe(value);
      }),
    );
    expect(tokenAddress(ofEpoch(0x01_02_03))).toEqual({ host: "127.1.2.3", port: 1 });
    expect(tokenAddress(ofEpoch(MAX_EPOCH))).toEqual({ host: "127.255.255.255", port: 1 });
  });

  it.each([
    [null],
    [{ host: "127.0.0.2", port: 6379 }],
    [{ host: "10.0.0.2", port: 1 }],
    [{ host: "127.0.0.256", port: 1 }],
    [{ host: "127.0.300.2", port: 1 }],
    [{ host: "127.300.0.2", port: 1 }],
    [{ host: "127.0.0.2.example", port: 1 }],
    [{ host: "x127.0.0.2", port: 1 }],
    [{ host: "::1", port: 1 }],
  ])("are not read from %o", (address) => {
    expect(tokenOf(address)).toBe(null);
  });

  it("tell the boot fence from an operation's token, whose epochs begin at 2", () => {
    expect(tokenOf(BOOT_FENCE)).toBe(1);
    expect(
      [BOOT_FENCE, tokenAddress(ofEpoch(2)), addressOf(N1)].map((follows) => isBootFenced(reading({ follows }))),
    ).toEqual([true, false, false]);
    expect(isBootFenced(reading({ follows: { ...BOOT_FENCE, port: 2 } }))).toBe(false);
  });

  it("say that a node is fenced", () => {
    const fenced = [reading({ follows: tokenAddress(ofEpoch(7)) }), reading(), primaryReading()].map(isFenced);
    expect(fenced).toEqual([true, false, false]);
  });
});
