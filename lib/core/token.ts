// How is an epoch written on a node? As the dead loopback address it follows: 127.b2.b1.b0 port 1, where b2.b1.b0 is
// the epoch. It is visible in `master_host`, survives a restart through CONFIG REWRITE, resolves without a resolver and
// is refused at once. 127.0.0.1 is no operation's token: it is the boot fence, and operations start at epoch 2 (S4, R1).

import type { Address, Epoch, NodeReading } from "./types.ts";
import { epoch } from "./types.ts";

export const MAX_EPOCH = 0xff_ff_ff;
export const TOKEN_PORT = 1;
export const BOOT_FENCE: Address = { host: "127.0.0.1", port: TOKEN_PORT };

/** The address that spells `value`. */
export function tokenAddress(value: Epoch): Address {
  const host = `127.${(value >> 16) & 0xff}.${(value >> 8) & 0xff}.${value & 0xff}`;
  return { host, port: TOKEN_PORT };
}

/** The epoch that an address spells; null for any address that is not a token. The boot fence reads as epoch 1. */
export function tokenOf(address: Address | null): Epoch | null {
  if (address === null || address.port !== TOKEN_PORT) return null;
  const match = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address.host);
  if (match === null) return null;
  const [b2, b1, b0] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (b2 > 255 || b1 > 255 || b0 > 255) return null;
  return epoch((b2 << 16) | (b1 << 8) | b0);
}

/** The node follows a token or the boot fence: it serves nobody until it is re-pointed or promoted. */
export const isFenced = (reading: NodeReading): boolean => tokenOf(reading.follows) !== null;

export const isBootFenced = (reading: NodeReading): boolean =>
  reading.follows?.host === BOOT_FENCE.host && reading.follows.port === BOOT_FENCE.port;
