// A secret that is looked for afterwards in everything that was written.

import { randomBytes } from "node:crypto";

/** No two are alike, and each of its encodings differs from the text. */
export const plantSecret = (): string => `s3cret/${randomBytes(12).toString("hex")}+&=%`;

/** Every text that shows the secret, under the names of where they were found. */
export function findSecret(secret: string, texts: ReadonlyMap<string, string>): readonly string[] {
  const found = new Set<string>();
  for (const [place, text] of texts) {
    for (const form of formsOf(secret)) if (text.includes(form)) found.add(place);
  }
  return [...found];
}

function formsOf(secret: string): readonly string[] {
  const plain = [secret, encodeURIComponent(secret), new URLSearchParams({ "": secret }).toString().slice(1)];
  return [...plain, Buffer.from(secret).toString("hex"), ...[0, 1, 2].flatMap((before) => inBase64(secret, before))];
}

/** As it stands in the middle of something longer: only the characters that no neighbour has a share in. */
function inBase64(secret: string, before: number): readonly string[] {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
  return (["base64", "base64url"] as const).map((encoding) => whole.toString(encoding).slice(before === 0 ? 0 : 4));
}
