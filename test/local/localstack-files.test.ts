import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FILES, NOT_RUN } from "../localstack/files.ts";

const listed = [...FILES, ...NOT_RUN.map(({ file }) => file)];
/** They run against whichever cloud AWS_ENDPOINT_URL names. */
const taking = globSync("test/**/*.test.ts").filter((file) => /localCloudForFile\(\)/.test(readFileSync(file, "utf8")));

describe("the files of npm run test:localstack", () => {
  it("are all that take an endpoint: each is run, or skipped for a reason", () => {
    expect(taking.length).toBeGreaterThan(20);
    expect(taking.filter((file) => !listed.includes(file))).toEqual([]);
  });

  it("are there, and in one of the lists", () => {
    expect(listed.filter((file) => !existsSync(file))).toEqual([]);
    expect(listed.filter((file, index) => listed.indexOf(file) !== index)).toEqual([]);
    expect(NOT_RUN.filter(({ reason }) => reason === "")).toEqual([]);
  });
});
