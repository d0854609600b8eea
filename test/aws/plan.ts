// What `npm run test:aws` makes in an account, what it costs at most, and when it makes nothing.

import { PRICED_ON, PRICES, REGION } from "../cost/prices.ts";
import { ANY_RUN, RUN_TAG } from "../support/cloud-under-test.ts";

export const CONFIRM_VARIABLE = "VALKEEPER_AWS_CONFIRM";
/** `Z0123456789ABC,example.com`: a public or private hosted zone, for the DNS suite. */
export const ZONE_GIVEN_AS = "VALKEEPER_AWS_ZONE";

/**
 * On the local cloud all suites together used up 234 read and 950 write units, counted by the metering proxy of `test/cost`. Each try of
 * a request that is sent again counts as well, and the runner ends the suites after their time.
 */
export const UNITS_AT_MOST = { read: 50_000, write: 50_000 } as const;
export const MINUTES_AT_MOST = 20;

const TABLE_FILES = [
  "test/contract/foreign-table.test.ts",
  "test/contract/group-store-damaged.test.ts",
  "test/contract/group-store-local-cloud.test.ts",
];
const PARAMETER_FILES = ["test/contract/publication-parameters.test.ts"];
const RECORD_FILES = ["test/contract/publication-records.test.ts"];

export interface Plan {
  readonly prefix: string;
  readonly region: string;
  readonly zone: { readonly id: string; readonly name: string } | null;
  /** Null: AWS's own. */
  readonly endpoint: string | null;
}

export interface NotRun {
  readonly what: string;
  readonly reason: string;
}

export class PlanError extends Error {
  override readonly name = "PlanError";
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Throws a PlanError, of one sentence, when the environment does not say enough. */
export function planOf(variables: Variables, prefix: string): Plan {
  const region = variables["AWS_REGION"] ?? variables["AWS_DEFAULT_REGION"] ?? "";
  if (region === "")
    throw new PlanError("AWS_REGION is not set: name the region whose DynamoDB and SSM are to be used.");
  return { prefix, region, zone: zoneOf(variables[ZONE_GIVEN_AS]), endpoint: variables["AWS_ENDPOINT_URL"] || null };
}

function zoneOf(text: string | undefined): Plan["zone"] {
  if (text === undefined || text === "") return null;
  const [id = "", name = "", ...more] = text.split(",");
  if (!/^Z[A-Z0-9]+$/.test(id) || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name) || more.length > 0) {
    throw new PlanError(
      `${ZONE_GIVEN_AS} is "${text}": give the zone's id and name, as in Z0123456789ABC,example.com.`,
    );
  }
  return { id, name };
}

export const filesOf = ({ zone }: Plan): readonly string[] => [
  ...TABLE_FILES,
  ...PARAMETER_FILES,
  ...(zone === null ? [] : RECORD_FILES),
];

export function notRun({ zone }: Plan): readonly NotRun[] {
  const proxied = "a request that is signed for AWS does not pass the fault proxy";
  return [
    ...(zone === null ? [{ what: RECORD_FILES.join(), reason: `no hosted zone is given (${ZONE_GIVEN_AS})` }] : []),
    { what: "every order of two publishers' requests", reason: "a thousand writes, of which SSM takes three a second" },
    { what: "an SSM and a Route 53 that fail, test/contract/group-store-faults.test.ts", reason: proxied },
    { what: "test/contract/publication-batches.test.ts", reason: proxied },
    {
      what: "the notifier, the stopper and the publisher functions",
      reason: "they need a topic, a bus and queues, or hosts",
    },
    { what: "the deployed stack with nodes in a VPC", reason: "not written: it needs instances, and an hour of them" },
  ];
}

export const usdAtMost = (): number =>
  UNITS_AT_MOST.read * PRICES.readUnit.usd + UNITS_AT_MOST.write * PRICES.writeUnit.usd;

export function planText(plan: Plan): readonly string[] {
  const { prefix, region, zone, endpoint } = plan;
  return [
    endpoint === null ? `The contract suites against AWS, region ${region}.` : `The suites of AWS against ${endpoint}.`,
    "It makes, and removes again:",
    `  DynamoDB tables ${prefix}-..., on demand, about fifteen, tagged ${RUN_TAG}=${prefix}`,
    `  SSM parameters /${prefix}/..., standard ones, about forty`,
    zone === null ? "  no DNS records" : `  records ...${prefix}-....${zone.name} in the zone ${zone.id}, about forty`,
    `It costs ${usdAtMost().toFixed(2)} USD at most: ${UNITS_AT_MOST.read} read and ${UNITS_AT_MOST.write} write units`,
    `(prices of ${PRICED_ON}, ${REGION}); standard parameters and changes of records cost nothing.`,
    `It takes ${MINUTES_AT_MOST} minutes at most. What is left after an accident: npm run test:aws -- --leftovers`,
    ...notRun(plan).map(({ what, reason }) => `skipped: ${what}: ${reason}`),
  ];
}

/** Null when it may begin. */
export function refusalOf(variables: Variables): string | null {
  if (variables[CONFIRM_VARIABLE] === "yes") return null;
  return `nothing was made: say ${CONFIRM_VARIABLE}=yes to run it in this account.`;
}

/** Of a run, or of all runs. */
export const isOfRun = (name: string, prefix: string): boolean =>
  prefix.startsWith(ANY_RUN) && new RegExp(`(^|[^a-z0-9])${prefix}`).test(name);
