// `npm run test:aws`: the contract suites against AWS. Nothing is made before the account's owner has said so; whatever becomes of the
// suites, what they made is looked for in the account and removed. `--leftovers` lists what earlier runs left, `--remove-leftovers` removes it.

import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { ANY_RUN, CLOUD_VARIABLE, freshPrefix, PREFIX_VARIABLE, ZONE_VARIABLE } from "../support/cloud-under-test.ts";
import { runVitest } from "../support/run-vitest.ts";
import { findLeftovers, leftoverLines, removeLeftovers, type Search } from "./leftovers.ts";
import { filesOf, MINUTES_AT_MOST, type Plan, PlanError, planOf, planText, refusalOf } from "./plan.ts";

const TRY_AGAIN_MS = 10_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const plan = planOf(process.env, freshPrefix());
  const [order] = args;
  if (order === "--leftovers" || order === "--remove-leftovers") {
    const search = searchOf(plan, ANY_RUN);
    await checkCredentials(search, plan);
    if (order === "--remove-leftovers") return tidy(search);
    const lines = leftoverLines(await findLeftovers(search));
    for (const line of lines.length > 0 ? lines : ["nothing is left"]) say(line);
    return 0;
  }
  if (order !== undefined) throw new PlanError(`there is no ${order}: --leftovers and --remove-leftovers are all.`);
  for (const line of planText(plan)) say(line);
  const refusal = refusalOf(process.env);
  if (refusal !== null) throw new PlanError(refusal);
  return run(plan);
}

async function run(plan: Plan): Promise<number> {
  const search = searchOf(plan, plan.prefix);
  await checkCredentials(search, plan);
  const over = new AbortController();
  const end = (why: string) => () => {
    say(`${why}: the suites are ended, and what they made is removed`);
    over.abort();
  };
  // Until the end of the process: a second Ctrl-C must not stop the removal.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end(signal));
  const timer = setTimeout(end(`${MINUTES_AT_MOST} minutes are over`), MINUTES_AT_MOST * 60_000);
  const environment = {
    [CLOUD_VARIABLE]: "aws",
    [PREFIX_VARIABLE]: plan.prefix,
    ...(plan.zone === null ? {} : { [ZONE_VARIABLE]: `${plan.zone.id},${plan.zone.name}` }),
  };
  try {
    const code = await runVitest({ files: filesOf(plan), environment, signal: over.signal });
    return over.signal.aborted ? 1 : code;
  } finally {
    clearTimeout(timer);
    process.exitCode = await tidy(search);
  }
}

/** 1 when something is left. A table that is just being made cannot be removed yet: it is tried again. */
async function tidy(search: Search, tries = 6): Promise<number> {
  const found = await findLeftovers(search);
  const { tables, parameters, records } = found;
  say(`removing ${tables.length} tables, ${parameters.length} parameters and ${records.length} records`);
  const failures = await removeLeftovers(search, found);
  const left = [...failures, ...leftoverLines(await findLeftovers(search))];
  for (const line of left) say(line);
  if (left.length === 0) say("nothing is left");
  else if (tries > 1) {
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    return tidy(search, tries - 1);
  }
  return left.length === 0 ? 0 : 1;
}

const searchOf = ({ zone, endpoint, region }: Plan, prefix: string): Search => ({
  // Region, credentials and a named endpoint are the environment's.
  clients: createAwsClients(endpoint === null ? { region } : { region, endpoint }),
  prefix,
  zoneId: zone?.id ?? null,
});

async function checkCredentials({ clients }: Search, { region, endpoint }: Plan): Promise<void> {
  try {
    const { accessKeyId } = await clients.dynamodb.config.credentials();
    say(`as the access key that ends in ${accessKeyId.slice(-4)}, at ${endpoint ?? `AWS, ${region}`}`);
  } catch {
    // The SDK's message lists where it looked; what to set says more.
    throw new PlanError("there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret.");
  }
}

try {
  const code = await main(process.argv.slice(2));
  process.exit(code === 0 ? (process.exitCode ?? 0) : code);
} catch (error) {
  if (!(error instanceof PlanError)) throw error;
  process.stderr.write(`valkeeper: ${error.message}\n`);
  process.exit(2);
}
