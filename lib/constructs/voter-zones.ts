// Which zones have a voter, and in which subnet? One voter is one zone's view and one vote, so every voter needs a zone
// of its own, and three is the least with which one can be lost and two still agree.

import { Token } from "aws-cdk-lib";
import type { ISubnet, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";

export const LEAST_ZONES = 3;

export interface VoterZone {
  /** The zone's name: also the voter's id. */
  readonly zone: string;
  readonly subnet: ISubnet;
}

export interface VoterZonesOptions {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection | undefined;
  readonly zones: readonly string[] | undefined;
}

/** The first subnet of each zone, in the order of the VPC's zones. What is wrong goes to `complain`. */
export function selectZones(options: VoterZonesOptions, complain: (issue: string) => void): VoterZone[] {
  if (isLookedUpLater(options.vpc)) return standIns(options);
  const byZone = new Map<string, ISubnet>();
  const selected = select(options, complain);
  // How many zones there would be is nobody's question then.
  if (selected === null) return [];
  for (const subnet of selected) {
    if (!byZone.has(subnet.availabilityZone)) byZone.set(subnet.availabilityZone, subnet);
  }
  const wanted = options.zones ?? [...byZone.keys()].slice(0, LEAST_ZONES);
  const missing = wanted.filter((zone) => !byZone.has(zone));
  if (missing.length > 0) {
    complain(`no subnet of the VPC is in ${missing.join(", ")}: the selected ones are in ${named(byZone.keys())}`);
  }
  for (const issue of tooFewZones(wanted)) complain(issue);
  return [...new Set(wanted)].flatMap((zone) => {
    const subnet = byZone.get(zone);
    return subnet === undefined ? [] : [{ zone, subnet }];
  });
}

export function tooFewZones(zones: readonly string[]): string[] {
  const count = new Set(zones).size;
  if (count >= LEAST_ZONES) return [];
  return [
    `voters need ${LEAST_ZONES} availability zones, so that one can be lost, and there are ${count} (${named(zones)}): ` +
      "give a VPC with subnets in three zones, or select others with `subnets`",
  ];
}

/** The CDK throws for a group or a type of subnets that the VPC has not: that is one issue among the others. */
function select({ vpc, subnets }: VoterZonesOptions, complain: (issue: string) => void): readonly ISubnet[] | null {
  try {
    return vpc.selectSubnets(subnets).subnets;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    complain(`subnets: ${error.message.split("\n")[0]}`);
    return null;
  }
}

/**
 * The first run of an app with `Vpc.fromLookup`: the CDK hands out a VPC that is made up, looks the real one up when the run has
 * ended, and runs the app again. Whoever throws in the first run keeps it from ever being looked up.
 */
export const isLookedUpLater = (vpc: IVpc): boolean => vpc.selectSubnets({ subnets: [] }).isPendingLookup === true;

/** As many as there will be, so that nothing else of this run is wrong either; its template is thrown away. */
function standIns({ vpc, zones = ["zone-1", "zone-2", "zone-3"] }: VoterZonesOptions): VoterZone[] {
  const [subnet] = [...vpc.privateSubnets, ...vpc.isolatedSubnets, ...vpc.publicSubnets];
  return subnet === undefined ? [] : [...new Set(zones)].map((zone) => ({ zone, subnet }));
}

const named = (zones: Iterable<string>): string => {
  const names = [...zones].map((zone) => (Token.isUnresolved(zone) ? "a zone known at deployment" : zone));
  return names.length === 0 ? "none" : names.join(", ");
};
