// Properties that are passed on: under `exactOptionalPropertyTypes` one that is not given must not be there at all.

/** Without those that are undefined. */
export function given<T extends object>(values: { readonly [Name in keyof T]: T[Name] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
