// Whose API the suites that take AWS_ENDPOINT_URL are run against, and what every name that they give there begins with: an endpoint that
// is there already is shared with others, and with earlier runs.

import { randomBytes } from "node:crypto";

export type CloudKind =
  /** The embedded one, or any other that AWS_ENDPOINT_URL names. */
  "local" | "localstack" | "aws";

export const CLOUD_VARIABLE = "VALKEEPER_TEST_CLOUD";
export const PREFIX_VARIABLE = "VALKEEPER_TEST_PREFIX";
export const ZONE_VARIABLE = "VALKEEPER_TEST_ZONE";
/** Of every table that a run makes; its value is the run's prefix. */
export const RUN_TAG = "valkeeper:test-run";
/** What the prefix of every run begins with. */
export const ANY_RUN = "vktest-";

export const cloudKind = (): CloudKind => {
  const named = process.env[CLOUD_VARIABLE];
  return named === "localstack" || named === "aws" ? named : "local";
};

export const freshPrefix = (): string => `${ANY_RUN}${randomBytes(4).toString("hex")}`;

const own = freshPrefix();
/** Lower-case letters, digits and hyphens: it stands in names of tables, groups, parameters and DNS records. */
export const testPrefix = (): string => process.env[PREFIX_VARIABLE] ?? own;

/** The hosted zone whose records the suite may add to, where it makes none itself. */
export const givenZone = (): { readonly id: string; readonly name: string } | null => {
  const [id, name] = (process.env[ZONE_VARIABLE] ?? "").split(",");
  return id === undefined || id === "" || name === undefined ? null : { id, name };
};
