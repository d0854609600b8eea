// Which texts may name a machine? Host names, IPv4 and IPv6 literals, and names of DNS records, judged without a
// resolver. Core decides what an address is a token of (token.ts) and two nodes may not share one, so every literal
// has one canonical spelling here.

/** Lower case, IPv6 in its shortest canonical form: equal when two spellings mean one host. Null when it is no host at all. */
export function canonicalHost(text: string): string | null {
  if (text.includes(":")) return canonicalIpv6(text);
  // A name of digits and dots would be read as an address by one resolver and as a name by another.
  if (/^[0-9.]+$/.test(text)) return isIpv4(text) ? text : null;
  return isDnsName(text) ? text.toLowerCase().replace(/\.$/, "") : null;
}

export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** A literal, and no name. */
export const isIpAddress = (host: string): boolean => host.includes(":") || isIpv4(host);

/** Addresses that listen everywhere: nobody can connect to one. */
export const isUnspecified = (canonical: string): boolean => canonical === "0.0.0.0" || canonical === "::";

/** Labels of 1 to 63 letters, digits, `-` and `_`, none beginning or ending with `-`; 253 characters in all. */
export function isDnsName(text: string): boolean {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.length > 253) return false;
  return name.split(".").every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
}

function canonicalIpv6(text: string): string | null {
  const groups = ipv6Groups(text);
  if (groups === null) return null;
  const [start, length] = longestZeros(groups);
  const spell = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return spell(groups);
  return `${spell(groups.slice(0, start))}::${spell(groups.slice(start + length))}`;
}

/** Eight groups of 16 bits, or null. */
function ipv6Groups(text: string): readonly number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [left = null, right] = halves.map((half, index) => groupsOf(half, index === halves.length - 1));
  if (left === null || right === null) return null;
  if (right === undefined) return left.length === 8 ? left : null;
  const missing = 8 - left.length - right.length;
  return missing < 1 ? null : [...left, ...new Array<number>(missing).fill(0), ...right];
}

/** The last two groups of the whole address may be spelled as an IPv4 address, and no others. */
function groupsOf(half: string, isLast: boolean): readonly number[] | null {
  if (half === "") return [];
  const parts = half.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else if (isLast && index === parts.length - 1 && isIpv4(part)) groups.push(...ipv4Groups(part));
    else return null;
  }
  return groups;
}

function ipv4Groups(text: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}

function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best[1]) best = [start, length];
  }
  return best;
}
