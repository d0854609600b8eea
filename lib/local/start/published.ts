// Who is the primary, asked where applications ask: the table's published item, the SSM parameter and the DNS record.

import { ListResourceRecordSetsCommand } from "@aws-sdk/client-route-53";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import type { Address } from "../../core/types.ts";
import { GROUP, type Installation, ZONE_NAME } from "./installation.ts";

export interface Published {
  readonly table: string | null;
  /** `host:port`. */
  readonly parameter: string | null;
  /** The address alone: a record has no port. */
  readonly record: string | null;
}

export async function readPublished({ store, clients, hostedZoneId, names }: Installation): Promise<Published> {
  const name = `${GROUP}.${ZONE_NAME}`;
  const [item, parameter, records] = await Promise.all([
    store.readPublication(GROUP),
    clients.ssm
      .send(new GetParameterCommand({ Name: `${names.parameterPrefix}/${GROUP}/primary` }))
      // Not there before the first publication.
      .catch(() => null),
    clients.route53.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, StartRecordName: name, MaxItems: 5 }),
    ),
  ]);
  const record = records.ResourceRecordSets?.find((each) => each.Name === `${name}.` && each.Type === "A");
  return {
    table: item === null ? null : textOf(item.primary.address),
    parameter: parameter?.Parameter?.Value ?? null,
    record: record?.ResourceRecords?.[0]?.Value ?? null,
  };
}

export const textOf = ({ host, port }: Address): string => `${host}:${port}`;

export const names = (published: Published, address: Address): boolean =>
  published.table === textOf(address) && published.parameter === textOf(address) && published.record === address.host;
