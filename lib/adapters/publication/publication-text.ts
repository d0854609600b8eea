// How publications are spelled where people read them.

import type { Publication } from "../../core/records.ts";
import type { Address } from "../../core/types.ts";

/** `host:port`, an IPv6 literal in brackets. */
export const addressText = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

export const orderText = ({ epoch, revision }: Pick<Publication, "epoch" | "revision">): string =>
  `epoch ${epoch}, revision ${revision}`;
