import { describe, expect, it } from "vitest";
import { findSecret, plantSecret } from "./planted-secret.ts";

const secret = plantSecret();
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a planted secret", () => {
  it.each([
    ["as it is", `before ${secret} after`],
    ["in a JSON text", JSON.stringify({ password: secret })],
    ["in an address", `redis://valkeeper:${encodeURIComponent(secret)}@n1`],
    ["in a form", new URLSearchParams({ password: secret }).toString()],
    ["in Base64", base64(secret)],
    ["in Base64, one byte in", base64(`:${secret}`)],
    ["in Base64, two bytes in", base64(`u:${secret} and more`)],
    ["in Base64 for addresses", Buffer.from(`user:${secret}`).toString("base64url")],
    ["as hexadecimal digits", Buffer.from(`u${secret}`).toString("hex")],
  ])("is found %s", (_, text) => {
    expect(findSecret(secret, new Map([["here", text]]))).toEqual(["here"]);
  });

  it("is not found where there is another", () => {
    expect(findSecret(secret, new Map([["here", `${plantSecret()} ${base64(plantSecret())}`]]))).toEqual([]);
  });
});
