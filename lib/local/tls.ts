// Certificates for nodes that speak TLS in tests. Node can make keys but no certificates, so OpenSSL's command line makes them.

import { writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { LocalError } from "./errors.ts";
import type { ProcessGroup } from "./process-group.ts";
import { runProgram } from "./run-program.ts";
import type { TlsFiles } from "./valkey-config.ts";

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** An authority of its own and one certificate, good for two days, for the given addresses and names. */
export async function makeTlsFiles(options: {
  readonly group: ProcessGroup;
  readonly hosts: readonly string[];
}): Promise<TlsFiles> {
  const folder = options.group.makeFolder("tls");
  const path = (name: string): string => join(folder, name);
  const names = options.hosts.map((host) => `${isIP(host) === 0 ? "DNS" : "IP"}:${host}`).join(",");
  writeFileSync(path("extensions"), `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
  await openssl(
    "req",
    "-x509",
    ...newKey,
    "-days",
    "2",
    "-subj",
    "/CN=valkeeper local authority",
    "-keyout",
    path("ca.key"),
    "-out",
    path("ca.crt"),
  );
  await openssl(
    "req",
    "-new",
    ...newKey,
    "-subj",
    "/CN=valkeeper local node",
    "-keyout",
    path("node.key"),
    "-out",
    path("node.csr"),
  );
  const authority = ["-CA", path("ca.crt"), "-CAkey", path("ca.key"), "-CAcreateserial"];
  await openssl(
    "x509",
    "-req",
    "-in",
    path("node.csr"),
    ...authority,
    "-days",
    "2",
    "-extfile",
    path("extensions"),
    "-out",
    path("node.crt"),
  );
  return { ca: path("ca.crt"), certificate: path("node.crt"), key: path("node.key") };
}

async function openssl(...args: string[]): Promise<void> {
  try {
    await runProgram("openssl", args);
  } catch (error) {
    if (error instanceof LocalError && error.problem === "program-missing") {
      throw new LocalError(
        "program-missing",
        "openssl is needed to make certificates: install it (Debian: `apt-get install openssl`)",
        error,
      );
    }
    throw error;
  }
}
