// Does a decoded value have the fields that a record needs? A dozen combinators, because core may import no package.
// They look only; unknown extra fields are allowed, so that a newer minor version's additions do not stop an older one.

/** What does not fit, worded from where it was found outwards (".primary.epoch should be ..."), or null: what fits makes nothing. */
export type Shape = (value: unknown) => string | null;

const expected = (what: string, value: unknown): string =>
  ` should be ${what} and is ${value === undefined ? "missing" : (JSON.stringify(value)?.slice(0, 60) ?? typeof value)}`;

export const text: Shape = (value) => (typeof value === "string" ? null : expected("a text", value));
export const boolean: Shape = (value) => (typeof value === "boolean" ? null : expected("true or false", value));
export const number: Shape = (value) =>
  typeof value === "number" && Number.isFinite(value) ? null : expected("a number", value);

export const nullable =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || value === null ? null : shape(value);

export const oneOf =
  (...allowed: readonly string[]): Shape =>
  (value) =>
    typeof value === "string" && allowed.includes(value) ? null : expected(`one of ${allowed.join(", ")}`, value);

export const list =
  (shape: Shape): Shape =>
  (value) => {
    if (!Array.isArray(value)) return expected("a list", value);
    for (const [index, each] of value.entries()) {
      const mismatch = shape(each);
      if (mismatch !== null) return `[${index}]${mismatch}`;
    }
    return null;
  };

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const map =
  (shape: Shape): Shape =>
  (value) => {
    if (!isMap(value)) return expected("a map", value);
    for (const key of Object.keys(value)) {
      const mismatch = shape(value[key]);
      if (mismatch !== null) return `.${key}${mismatch}`;
    }
    return null;
  };

export const fields = (shapes: Readonly<Record<string, Shape>>): Shape => {
  const wanted = Object.entries(shapes);
  return (value) => {
    if (!isMap(value)) return expected("a map", value);
    for (const [key, shape] of wanted) {
      const mismatch = shape(value[key]);
      if (mismatch !== null) return `.${key}${mismatch}`;
    }
    return null;
  };
};

/** The first difference in words, or null when `value` fits. */
export function describeMismatch(value: unknown, shape: Shape, what: string): string | null {
  const mismatch = shape(value);
  return mismatch === null ? null : `${what}${mismatch}`;
}
