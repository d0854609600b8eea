// Zones on one machine: network namespaces on a bridge, and ways between them that can be cut and healed, each direction by itself.
//
// A way is cut by telling the sender a wrong link address for the receiver. The packets then leave, and nobody takes them: as silent as a
// real partition, also for connections that stand, with nothing but iproute2 and without a packet filter. So that nothing ever asks for an
// address, every neighbour is entered by hand from the start.

import { randomBytes } from "node:crypto";
import { LocalError } from "./errors.ts";
import type { ProcessGroup } from "./process-group.ts";
import { runProgram } from "./run-program.ts";

/** This machine's own end of the bridge, where the local cloud listens: what a zone reaches through its gateway endpoint. */
export const hostPlace = "host";

export interface ZonesOptions {
  readonly group: ProcessGroup;
  readonly zones: readonly string[];
}

export interface Way {
  readonly from: string;
  readonly to: string;
}

interface Place {
  readonly name: string;
  /** Undefined for the host itself. */
  readonly namespace: string | undefined;
  readonly device: string;
  readonly address: string;
  readonly linkAddress: string;
}

// Locally administered, and given to no device.
const nobody = "02:76:6b:ff:ff:ff";

/** Why zones cannot be made here, or undefined when they can. Tried for real, because a container may have the tools but not the right. */
export async function whyNoZones(): Promise<string | undefined> {
  if (process.platform !== "linux") {
    return "network namespaces exist on Linux only";
  }
  if (process.getuid?.() !== 0) {
    return "network namespaces need root";
  }
  const name = `vk${randomBytes(3).toString("hex")}`;
  try {
    await runProgram("ip", ["netns", "add", name]);
    try {
      await runProgram("ip", ["-n", name, "link", "add", "bridge0", "type", "bridge"]);
      await runProgram("ip", ["-n", name, "link", "add", "veth0", "type", "veth", "peer", "name", "veth1"]);
    } finally {
      await runProgram("ip", ["netns", "delete", name]);
    }
  } catch (error) {
    if (error instanceof LocalError) {
      return error.problem === "program-missing" ? "the program `ip` is missing (Debian: iproute2)" : error.message;
    }
    throw error;
  }
  return undefined;
}

export class Zones {
  readonly #places: ReadonlyMap<string, Place>;
  readonly #bridge: string;
  readonly #cut = new Set<string>();

  private constructor(places: ReadonlyMap<string, Place>, bridge: string) {
    this.#places = places;
    this.#bridge = bridge;
  }

  /** Makes the namespaces; they go with the group. */
  static async create({ group, zones }: ZonesOptions): Promise<Zones> {
    const tag = randomBytes(3).toString("hex");
    const bridge = `vk${tag}`;
    const network = await findNetwork();
    const places = new Map<string, Place>();
    for (const [index, name] of [hostPlace, ...zones].entries()) {
      const isHost = index === 0;
      places.set(name, {
        name,
        namespace: isHost ? undefined : `vk${tag}-${index}`,
        device: isHost ? bridge : "eth0",
        address: `${network}.${index + 1}`,
        linkAddress: `02:76:6b:00:00:${(index + 1).toString(16).padStart(2, "0")}`,
      });
    }
    const made = new Zones(places, bridge);
    group.onClose(() => made.remove());
    await made.#build(group);
    return made;
  }

  /** The address at which a zone is reached from the other zones and from the host. */
  address(zone: string): string {
    return this.#place(zone).address;
  }

  /** The host's address as the zones see it. */
  get hostAddress(): string {
    return this.address(hostPlace);
  }

  /** What to put before a command so that it runs in the zone. */
  exec(zone: string): string[] {
    const { namespace } = this.#place(zone);
    return namespace === undefined ? [] : ["ip", "netns", "exec", namespace];
  }

  /** One direction. What is on its way arrives, what is sent from now on is lost without a word. */
  async cutWay(way: Way): Promise<void> {
    await this.#setNeighbour(way, nobody);
    this.#cut.add(`${way.from}>${way.to}`);
  }

  async healWay(way: Way): Promise<void> {
    await this.#setNeighbour(way, this.#place(way.to).linkAddress);
    this.#cut.delete(`${way.from}>${way.to}`);
  }

  /** Both directions between the zone and the given others; all other zones unless said, the host not unless named. */
  async isolate(zone: string, from: readonly string[] = this.#otherZones(zone)): Promise<void> {
    await Promise.all(
      from.flatMap((other) => [this.cutWay({ from: zone, to: other }), this.cutWay({ from: other, to: zone })]),
    );
  }

  /** Every way that was cut. */
  async heal(): Promise<void> {
    const ways = [...this.#cut].map((way) => way.split(">"));
    await Promise.all(ways.map(([from = "", to = ""]) => this.healWay({ from, to })));
  }

  /** Programs inside must have ended. */
  async remove(): Promise<void> {
    for (const { namespace } of this.#places.values()) {
      if (namespace !== undefined) {
        // A connection that lingers keeps a namespace alive for a while, but not its way out.
        await runProgram("ip", ["link", "delete", portOf(namespace)]).catch(ignoreMissing);
        await runProgram("ip", ["netns", "delete", namespace]).catch(ignoreMissing);
      }
    }
    await runProgram("ip", ["link", "delete", this.#bridge]).catch(ignoreMissing);
  }

  async #build(group: ProcessGroup): Promise<void> {
    const host = this.#place(hostPlace);
    group.onSuddenEnd(["ip", "link", "delete", this.#bridge]);
    await runProgram("ip", ["link", "add", this.#bridge, "address", host.linkAddress, "type", "bridge"]);
    await runProgram("ip", ["address", "add", `${host.address}/24`, "dev", this.#bridge]);
    await runProgram("ip", ["link", "set", this.#bridge, "up"]);
    for (const place of this.#places.values()) {
      if (place.namespace !== undefined) {
        group.onSuddenEnd(["ip", "link", "delete", portOf(place.namespace)]);
        group.onSuddenEnd(["ip", "netns", "delete", place.namespace]);
        await this.#addZone(place, place.namespace);
      }
    }
    for (const from of this.#places.keys()) {
      for (const to of this.#places.keys()) {
        if (from !== to) {
          await this.healWay({ from, to });
        }
      }
    }
  }

  async #addZone(place: Place, namespace: string): Promise<void> {
    const port = portOf(namespace);
    await runProgram("ip", ["netns", "add", namespace]);
    const peer = ["peer", "name", "eth0", "netns", namespace, "address", place.linkAddress];
    await runProgram("ip", ["link", "add", port, "type", "veth", ...peer]);
    await runProgram("ip", ["link", "set", port, "master", this.#bridge, "up"]);
    await runProgram("ip", ["-n", namespace, "link", "set", "lo", "up"]);
    await runProgram("ip", ["-n", namespace, "address", "add", `${place.address}/24`, "dev", "eth0"]);
    await runProgram("ip", ["-n", namespace, "link", "set", "eth0", "up"]);
  }

  async #setNeighbour({ from, to }: Way, linkAddress: string): Promise<void> {
    const sender = this.#place(from);
    const inside = sender.namespace === undefined ? [] : ["-n", sender.namespace];
    const entry = [this.#place(to).address, "lladdr", linkAddress, "nud", "permanent", "dev", sender.device];
    await runProgram("ip", [...inside, "neighbour", "replace", ...entry]);
  }

  #otherZones(zone: string): string[] {
    return [...this.#places.keys()].filter((name) => name !== zone && name !== hostPlace);
  }

  #place(name: string): Place {
    const place = this.#places.get(name);
    if (place === undefined) {
      throw new LocalError(
        "command-failed",
        `there is no zone "${name}"; there are ${[...this.#places.keys()].join(", ")}`,
      );
    }
    return place;
  }
}

/** The zone's port at the bridge; names of devices have at most 15 characters. */
function portOf(namespace: string): string {
  return `${namespace}p`;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof LocalError && error.problem === "command-failed")) {
    throw error;
  }
}

/** The first three bytes of a private network that this machine does not use yet. */
async function findNetwork(): Promise<string> {
  const used = await runProgram("ip", ["-o", "address", "show"]);
  const start = randomBytes(1)[0] ?? 0;
  for (let step = 0; step < 256; step += 1) {
    const network = `10.213.${(start + step) % 256}`;
    if (!used.includes(`${network}.`)) {
      return network;
    }
  }
  throw new LocalError("command-failed", "no free network for the zones below 10.213.0.0/16");
}
