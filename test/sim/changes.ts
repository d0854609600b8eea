// What people do to a group's configuration and to its records: settings, deployments and their roll back, nodes taken out
// of the declaration, a table that is restored to an earlier state, a record that is damaged or deleted by hand.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import { GROUP } from "./group.ts";
import type { Fault, Settings } from "./plan.ts";
import { readable, type TableState } from "./table.ts";
import type { SimNode } from "./valkey.ts";
import type { World } from "./world.ts";

export type Change = Extract<
  Fault,
  { readonly kind: "deploy" | "settings" | "restore-table" | "damage-ballot" | "delete-ballot" | "set-back-ballot" }
>;

type Lasting = (forMs: number, undo: () => void) => void;

/** Of a table whose past may come back, a state is kept so often. */
const BACKUP_EVERY_MS = 2_000;
const NEWER_SCHEMA = 2;

interface Backup {
  readonly at: number;
  readonly state: TableState;
}

const isWhole = (item: Item | null): boolean => item === null || readable(item) !== null;

/** Of the same epoch and table, otherwise than now, and both at rest. */
function isSetBack(now: Item, copy: Item): boolean {
  const [is, was] = [readable(now), readable(copy)];
  if (is === null || was === null || JSON.stringify(now) === JSON.stringify(copy)) return false;
  const isAtRest = ({ lease, operation, control }: Ballot) =>
    lease === null && operation === null && control.mode !== "paused";
  return is.epoch === was.epoch && is.table === was.table && isAtRest(is) && isAtRest(was);
}

export class Changes {
  readonly #world: World;
  readonly #lasting: Lasting;
  readonly #backups: Backup[] = [];
  #restored = 0;
  #observed = 0;
  #isDamaged = false;
  /** A recovery gives epochs far above the record's: an earlier one may not know them. */
  #hasRecovered = false;

  constructor(world: World, lasting: Lasting) {
    this.#world = world;
    this.#lasting = lasting;
  }

  /** From now on, as continuous backups do. */
  keepBackups(): void {
    const { queue, table } = this.#world;
    this.#backups.push({ at: queue.now, state: table.state() });
    queue.after(BACKUP_EVERY_MS, () => this.keepBackups());
  }

  begin(fault: Change): void {
    switch (fault.kind) {
      case "deploy":
        return this.#deploy(fault);
      case "settings":
        return this.#settings(fault.settings, fault.forMs);
      case "restore-table":
        return this.#restoreTable(fault.backMs, fault.forMs);
      case "damage-ballot":
        return this.#damageBallot(fault);
      case "delete-ballot":
        return this.#deleteBallot();
      case "set-back-ballot":
        return this.#setBack(fault.backMs);
    }
  }

  /** Of a group at rest, as the runbook has it: what an operation was about is on record nowhere else. */
  #deleteBallot(): void {
    const { table } = this.#world;
    const ballot = this.#world.ballot();
    const isTold = table.publications.get(GROUP)?.epoch === ballot?.primary?.epoch;
    if (ballot === null || ballot.operation !== null || ballot.lease !== null || !isTold) return;
    table.putBallot(GROUP, null);
    this.#hasRecovered = true;
    this.#world.recordsWereReplaced("deleted");
  }

  /**
   * What is not promised is not drawn (protocol.md, section 15): nothing goes on in either, no epoch was given in between,
   * and no pause comes back that nobody would end.
   */
  #setBack(backMs: number): void {
    const { queue, table } = this.#world;
    const now = table.ballot(GROUP);
    const earlier = this.#backups
      .filter(({ at }) => at >= queue.now - backMs)
      .map(({ state }) => state.ballots.get(GROUP));
    const copy = earlier.find((each) => each != null && now !== null && isSetBack(now, each));
    if (copy == null) return;
    table.putBallot(GROUP, copy);
    this.#world.recordWasSetBack();
  }

  /** A primary stays declared: what becomes of a group whose primary is taken away from under it is a person's affair. */
  undeclare(node: SimNode, forMs: number): void {
    if (this.#world.ballot()?.primary?.node === node.id) return;
    const isOther = ({ id }: { readonly id: string }) => id !== node.id;
    const own = this.#world.declared()?.nodes.find((each) => !isOther(each));
    if (own === undefined) return;
    this.#declare((declared) => ({ ...declared, nodes: declared.nodes.filter(isOther) }));
    this.#world.membersWereChanged(forMs);
    this.#lasting(forMs, () =>
      this.#declare((declared) => ({ ...declared, nodes: [...declared.nodes.filter(isOther), own] })),
    );
  }

  #declare(change: (declared: DeclaredConfig) => DeclaredConfig): void {
    const { table } = this.#world;
    const spec = table.specs.get(GROUP);
    if (spec === undefined) return;
    // What is not given is absent: a record knows no undefined values.
    const given = Object.entries(change(spec.declared)).filter(([, value]) => value !== undefined);
    const declared = Object.fromEntries(given) as unknown as DeclaredConfig;
    table.writeSpec({ ...spec, version: spec.version + 1, declared }, spec.version);
  }

  /** The mode is declared, as a deployment does it: the voters learn of it with the specs, and write it into the record. */
  observe(forMs: number): void {
    this.#observed += 1;
    this.#declareMode();
    this.#lasting(forMs, () => {
      this.#observed -= 1;
      this.#declareMode();
    });
  }

  #declareMode(): void {
    const mode = this.#observed > 0 ? "observe" : "act";
    this.#declare((declared) => ({ ...declared, mode }));
  }

  #settings(settings: Settings, forMs: number): void {
    const before = this.#world.declared();
    if (before === undefined) return;
    const was = Object.fromEntries(Object.keys(settings).map((name) => [name, before[name as keyof Settings]]));
    this.#declare((declared) => ({ ...declared, ...settings }));
    this.#lasting(forMs, () => this.#declare((declared) => ({ ...declared, ...was })));
  }

  #deploy({ settings, egress, forMs }: Extract<Fault, { kind: "deploy" }>): void {
    const world = this.#world;
    const before = world.egress;
    const replace = (has: boolean) => {
      world.egress = has;
      for (const voter of world.voters.values()) voter.deploy();
    };
    this.#settings(settings, forMs);
    replace(egress);
    this.#lasting(forMs, () => {
      replace(before);
      world.wasRolledBack();
    });
  }

  /**
   * What is not promised is not drawn (protocol.md, section 15). Once a record was restored or deleted, only when the
   * recovery from that is published: its epochs stand nowhere else. Where voters do not reach what was published, once, and
   * to a record that names a primary. Nobody restores a damaged one.
   */
  #restoreTable(backMs: number, forMs: number): void {
    const { queue, table, voters, copies, egress } = this.#world;
    const whole = this.#backups.filter(({ state }) => isWhole(state.ballots.get(GROUP) ?? null));
    const backup = whole.findLast(({ at }) => at <= queue.now - backMs) ?? whole[0];
    if (backup === undefined || table.isAway) return;
    const record = this.#world.ballot();
    const published = copies.read("ssm", GROUP)?.epoch ?? 0;
    const isTold = record?.operation == null && published >= (record?.primary?.epoch ?? 0);
    if (this.#hasRecovered && !(egress && isTold)) return;
    if (!egress && (backup.state.ballots.get(GROUP)?.["primary"] ?? null) === null) return;
    for (const voter of voters.values()) {
      voter.kill();
      voter.silentUntil = Number.POSITIVE_INFINITY;
    }
    this.#restored += 1;
    this.#hasRecovered = true;
    table.isAway = true;
    const id = `${table.id.split("/")[0]}/${this.#restored}`;
    this.#lasting(forMs, () => {
      const declared = this.#world.declared();
      table.isAway = false;
      table.restore(backup.state, id);
      // What is declared is deployed once more: a copy may say what was in force when it was taken.
      if (declared !== undefined) this.#declare(() => declared);
      this.#world.recordsWereReplaced("restored");
      for (const voter of voters.values()) {
        voter.silentUntil = 0;
        voter.deploy();
      }
    });
  }

  #damageBallot({ lacks, forMs }: Extract<Fault, { kind: "damage-ballot" }>): void {
    const { table } = this.#world;
    const field = lacks ?? "schema";
    const before = table.ballot(GROUP)?.[field];
    // One at a time: what was put right twice would be of an earlier record.
    if (before === undefined || this.#isDamaged) return;
    const put = (value: Json) => {
      const item = table.ballot(GROUP);
      if (item === null) return;
      const { [field]: _, ...others } = item;
      table.putBallot(GROUP, value === null ? others : { ...item, [field]: value });
    };
    this.#isDamaged = true;
    put(lacks === undefined ? NEWER_SCHEMA : null);
    this.#lasting(forMs, () => {
      this.#isDamaged = false;
      // What a voter has written there since knows more than whoever puts it back.
      const isThere = table.ballot(GROUP)?.[field] !== undefined;
      if (lacks === undefined || !isThere) put(before);
    });
  }
}
