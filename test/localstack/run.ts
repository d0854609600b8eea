// `npm run test:localstack`: the contract suites and the end-to-end suites against LocalStack, as far as it can. What it cannot do, or
// does wrong, is named with the reason and not run. AWS_ENDPOINT_URL names one that runs already; else it is started without Docker.

import { startLocalstack } from "../../lib/local/localstack.ts";
import { closeOnSignals, ProcessGroup } from "../../lib/local/process-group.ts";
import { CLOUD_VARIABLE, freshPrefix, PREFIX_VARIABLE } from "../support/cloud-under-test.ts";
import { runVitest } from "../support/run-vitest.ts";
import { FILES, NOT_RUN } from "./files.ts";

const group = new ProcessGroup();
closeOnSignals(group);
const startedAt = performance.now();
const aborted = new AbortController();
group.onClose(() => aborted.abort());

async function endpointOf(): Promise<string> {
  const { AWS_ENDPOINT_URL: named, VALKEEPER_LOCALSTACK_PYTHON: python } = process.env;
  if (named !== undefined && named !== "") return named;
  if (python === undefined) throw new Error("this is started by `npm run test:localstack`");
  const localstack = await startLocalstack({ group, python });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  process.stdout.write(`LocalStack 4.14.0 without Docker at ${localstack.endpoint}, ready after ${seconds} s\n`);
  return localstack.endpoint;
}

const chosen = process.argv.slice(2);
const environment = {
  AWS_ENDPOINT_URL: await endpointOf(),
  AWS_REGION: "eu-west-1",
  [CLOUD_VARIABLE]: "localstack",
  [PREFIX_VARIABLE]: freshPrefix(),
};
const files = chosen.length > 0 ? chosen : FILES;
// A voter waits half a second for the table; of one Python process before a Java one, now and then it does so in vain.
const code = await runVitest({ files, options: ["--retry=2"], environment, signal: aborted.signal });
for (const { file, reason } of NOT_RUN) process.stdout.write(`skipped: ${file}: ${reason}\n`);
process.stdout.write(`${NOT_RUN.length} files skipped, for the reasons above\n`);
await group.close();
process.exit(code);
