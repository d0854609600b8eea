import { describe, expect, it } from "vitest";
import { canonicalHost } from "../../lib/core/address-format.ts";

describe("canonicalHost", () => {
  it.each([
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["1::", "1::"],
    ["1:2:3:4:5:6:7:8:9", null],
    ["1:2:3:4:5:6:7::8", null],
    [":1:2:3:4:5:6:7", null],
    ["12345::", null],
    ["::1.2.3", null],
    ["01.2.3.4", null],
    ["a..b", null],
    [`${"a".repeat(64)}.b`, null],
    ["", null],
    [".", null],
    ["Host.Internal.", "host.internal"],
    ["a b.", null],
    [`${"a.".repeat(126)}b`, `${"a.".repeat(126)}b`],
    [`${"a.".repeat(126)}b.`, `${"a.".repeat(126)}b`],
    [`${"a.".repeat(126)}bc`, null],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::ffff:10.1.2.3", "::ffff:a01:203"],
    ["10.1.2.3:1:2:3:4:5:6", null],
    ["1.2.3.4::", null],
    ["1.2.3.4::1.2.3.4", null],
  ])("of %s is %s", (text, canonical) => {
    expect(canonicalHost(text)).toBe(canonical);
  });
});
