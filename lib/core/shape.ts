// Does a decoded value have the fields that a record needs? A dozen combinators, because core may import no package.
// They look only; unknown extra fields are allowed, so that a newer minor version's additions do not stop an older one.

export type Shape = (value: unknown, at: string) => string | null;

const expected = (what: string) => (value: unknown, at: string) =>
  `${at} should be ${what} and is ${value === undefined ? "missing" : (JSON.stringify(value)?.slice(0, 60) ?? typeof value)}`;

export const text: Shape = (value, at) => (typeof value === "string" ? null : expected("a text")(value, at));
export const boolean: Shape = (value, at) => (typeof value === "boolean" ? null : expected("true or false")(value, at));
export const number: Shape = (value, at) =>
  typeof value === "number" && Number.isFinite(value) ? null : expected("a number")(value, at);

export const nullable =
  (shape: Shape): Shape =>
  (value, at) =>
    value === undefined || value === null ? null : shape(value, at);

export const oneOf =
  (...allowed: readonly string[]): Shape =>
  (value, at) =>
    typeof value === "string" && allowed.includes(value) ? null : expected(`one of ${allowed.join(", ")}`)(value, at);

export const list =
  (shape: Shape): Shape =>
  (value, at) => {
    if (!Array.isArray(value)) return expected("a list")(value, at);
    return first(value.map((each, index) => shape(each, `${at}[${index}]`)));
  };

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const map =
  (shape: Shape): Shape =>
  (value, at) => {
    if (!isMap(value)) return expected("a map")(value, at);
    return first(Object.entries(value).map(([key, each]) => shape(each, `${at}.${key}`)));
  };

export const fields =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, at) => {
    if (!isMap(value)) return expected("a map")(value, at);
    return first(Object.entries(shapes).map(([key, shape]) => shape(value[key], `${at}.${key}`)));
  };

/** The first difference in words, or null when `value` fits. */
export const describeMismatch = (value: unknown, shape: Shape, what: string): string | null => shape(value, what);

const first = (mismatches: readonly (string | null)[]): string | null =>
  mismatches.find((each) => each !== null) ?? null;
