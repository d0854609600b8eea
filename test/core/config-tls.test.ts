import { describe, expect, it } from "vitest";
import { issuesOfSetting } from "./config-issues.ts";

describe("tls", () => {
  it.each([
    [
      { enabled: true, ca: "MIIB" },
      'tls.ca should be a certificate as PEM text (-----BEGIN CERTIFICATE----- ...) and is "MIIB"',
    ],
    [{ enabled: "yes" }, 'tls.enabled should be true or false and is "yes"'],
    [true, "tls should be a map of settings and is true"],
    [{ enabled: "yes", serverName: "a" }, 'tls.enabled should be true or false and is "yes"'],
    [{ ca: 7 }, "tls.ca should be a certificate as PEM text (-----BEGIN CERTIFICATE----- ...) and is 7"],
    [{ serverName: "a..b" }, 'tls.serverName should be a DNS name and is "a..b"'],
    [{ serverName: 7 }, "tls.serverName should be a DNS name and is 7"],
    [
      { ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----" },
      "tls.ca is given and tls.enabled is false: enable TLS or leave it out",
    ],
  ])("%o is refused", (tls, issue) => {
    expect(issuesOfSetting("tls", tls)).toEqual([issue]);
  });
});
