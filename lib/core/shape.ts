// Does a decoded value have the fields that a record needs? A dozen combinators, because core may import no package.
// They look only; unknown extra fields are allowed, so that a newer minor version's additions do not stop an older one.

/** What does not fit, worded from where it was found outwards (".primary.epoch should be ..."), or null: what fits makes nothing. */
export interface Shape<out T = unknown> {
  (value: unknown): string | null;
  /** Never there: the compiler learns from it that what fits is a `T`. */
  readonly fitting?: T;
}

/** What fits a shape. */
export type Fitting<S> = S extends Shape<infer T> ? T : never;

const expected = (what: string, value: unknown): string =>
  ` should be ${what} and is ${value === undefined ? "missing" : (JSON.stringify(value)?.slice(0, 60) ?? typeof value)}`;

export const text: Shape<string> = (value) => (typeof value === "string" ? null : expected("a text", value));
export const boolean: Shape<boolean> = (value) =>
  typeof value === "boolean" ? null : expected("true or false", value);
export const number: Shape<number> = (value) => (Number.isFinite(value) ? null : expected("a number", value));

/** A `T` as far as `shape` looks: for brands, which nothing tells apart at run time, and for what is only shown. */
export const assumed = <T>(shape: Shape): Shape<T> => shape as Shape<T>;

export const nullable =
  <T>(shape: Shape<T>): Shape<T | null | undefined> =>
  (value) =>
    value === undefined || value === null ? null : shape(value);

export const oneOf = <const T extends string>(...allowed: readonly T[]): Shape<T> => {
  const words: readonly unknown[] = allowed;
  return (value) => (words.includes(value) ? null : expected(`one of ${words.join(", ")}`, value));
};

export const list =
  <T>(shape: Shape<T>): Shape<readonly T[]> =>
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
  <T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> =>
  (value) => {
    if (!isMap(value)) return expected("a map", value);
    for (const key of Object.keys(value)) {
      const mismatch = shape(value[key]);
      if (mismatch !== null) return `.${key}${mismatch}`;
    }
    return null;
  };

export const fields = <Shapes extends Readonly<Record<string, Shape>>>(
  shapes: Shapes,
): Shape<{ readonly [Name in keyof Shapes]: Fitting<Shapes[Name]> }> => {
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

/** `value` when it fits; what is thrown otherwise is made of the first difference in words. */
export function fitting<T>(value: unknown, shape: Shape<T>, what: string, wrong: (mismatch: string) => Error): T {
  const mismatch = shape(value);
  if (mismatch !== null) throw wrong(`${what}${mismatch}`);
  return value as T;
}
