// How publications are spelled where people read them.

import { readersOf } from "../../core/publication.ts";
import type { Publication } from "../../core/records.ts";
import type { Address } from "../../core/types.ts";

/** `host:port`, an IPv6 literal in brackets. */
export const addressText = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** Of all that may be read from, by id: commas between them, as clients take a list of nodes. */
export const readersText = (publication: Publication): string =>
  readersOf(publication)
    .map(({ address }) => addressText(address))
    .join(",");

export const orderText = ({ epoch, revision }: Pick<Publication, "epoch" | "revision">): string =>
  `epoch ${epoch}, revision ${revision}`;
