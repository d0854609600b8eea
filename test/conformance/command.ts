// What is done to both trios, one command after the other, and how a command is written: a sequence is replayed from its words.

export type Persistence = "none" | "rdb" | "aof";
/** Two voters, so that each finds its connections closed by the other's changes (R9). */
export type VoterName = "a" | "b";
/** What the node must be for a promotion to be sent: as just seen, or not at all so. */
export type Expected = "as-seen" | "other-token" | "other-offset" | "other-history";

/** `blind`: over the connection and the reading that this voter has from its last look, whatever happened since. */
interface ByVoter {
  readonly voter: VoterName;
  readonly node: number;
  readonly look: "seen" | "blind";
}

export type Command =
  | (ByVoter & { readonly kind: "freeze"; readonly epoch: number })
  | (ByVoter & { readonly kind: "promote"; readonly expected: Expected })
  | (ByVoter & { readonly kind: "settle" })
  | (ByVoter & { readonly kind: "repoint"; readonly to: number; readonly clients: "kept" | "dropped" })
  | { readonly kind: "write"; readonly node: number }
  | { readonly kind: "write-and-wait"; readonly node: number; readonly replicas: number }
  /** A write that is held by CLIENT PAUSE, and what happens to the node meanwhile. */
  | {
      readonly kind: "write-paused";
      readonly node: number;
      readonly meanwhile: "nothing" | "freeze" | "unpause" | "kill";
    }
  | { readonly kind: "cut-followers"; readonly node: number }
  | { readonly kind: "end"; readonly node: number; readonly how: "killed" | "shut-down" }
  | {
      readonly kind: "start";
      readonly node: number;
      readonly data: "kept" | "emptied";
      readonly boot: "fenced" | "plain";
    };

export interface Sequence {
  readonly persistence: Persistence;
  readonly commands: readonly Command[];
}

const name = (node: number): string => `n${node + 1}`;

export function wordsOf(command: Command): string {
  switch (command.kind) {
    case "freeze":
      return `${command.voter} ${command.look} freeze ${name(command.node)} ${command.epoch}`;
    case "promote":
      return `${command.voter} ${command.look} promote ${name(command.node)} ${command.expected}`;
    case "settle":
      return `${command.voter} ${command.look} settle ${name(command.node)}`;
    case "repoint":
      return `${command.voter} ${command.look} repoint ${name(command.node)} ${name(command.to)} ${command.clients}`;
    case "write":
    case "cut-followers":
      return `${command.kind} ${name(command.node)}`;
    case "write-and-wait":
      return `${command.kind} ${name(command.node)} ${command.replicas}`;
    case "write-paused":
      return `${command.kind} ${name(command.node)} ${command.meanwhile}`;
    case "end":
      return `end ${name(command.node)} ${command.how}`;
    case "start":
      return `start ${name(command.node)} ${command.data} ${command.boot}`;
  }
}

export const textOf = ({ persistence, commands }: Sequence): string =>
  [persistence, ...commands.map(wordsOf)].join("; ");

export function parseSequence(text: string): Sequence {
  const [persistence, ...lines] = text.split(";").map((part) => part.trim());
  const words = new Words(persistence ?? "");
  return { persistence: words.oneOf(["none", "rdb", "aof"]), commands: lines.filter(Boolean).map(parseCommand) };
}

function parseCommand(line: string): Command {
  const words = new Words(line);
  const kinds = ["write", "write-and-wait", "write-paused", "cut-followers", "end", "start"] as const;
  const first = words.oneOf([...kinds, "a", "b"]);
  if (first === "a" || first === "b") return parseVoters(words, first);
  const node = words.node();
  switch (first) {
    case "write":
    case "cut-followers":
      return { kind: first, node };
    case "write-and-wait":
      return { kind: first, node, replicas: words.count() };
    case "write-paused":
      return { kind: first, node, meanwhile: words.oneOf(["nothing", "freeze", "unpause", "kill"]) };
    case "end":
      return { kind: first, node, how: words.oneOf(["killed", "shut-down"]) };
    case "start":
      return { kind: first, node, data: words.oneOf(["kept", "emptied"]), boot: words.oneOf(["fenced", "plain"]) };
  }
}

function parseVoters(words: Words, voter: VoterName): Command {
  const look = words.oneOf(["seen", "blind"]);
  const kind = words.oneOf(["freeze", "promote", "settle", "repoint"]);
  const by = { voter, look, node: words.node() };
  switch (kind) {
    case "freeze":
      return { kind, ...by, epoch: words.count() };
    case "promote":
      return { kind, ...by, expected: words.oneOf(["as-seen", "other-token", "other-offset", "other-history"]) };
    case "settle":
      return { kind, ...by };
    case "repoint":
      return { kind, ...by, to: words.node(), clients: words.oneOf(["kept", "dropped"]) };
  }
}

class Words {
  readonly #line: string;
  readonly #left: string[];

  constructor(line: string) {
    this.#line = line;
    this.#left = line.split(/\s+/);
  }

  oneOf<T extends string>(known: readonly T[]): T {
    const word = this.#left.shift();
    const found = known.find((each) => each === word);
    if (found === undefined) throw new Error(`"${this.#line}": "${word}" is none of ${known.join(", ")}`);
    return found;
  }

  node(): number {
    return Number(this.oneOf(["n1", "n2", "n3"]).slice(1)) - 1;
  }

  count(): number {
    const word = this.#left.shift() ?? "";
    if (!/^\d{1,3}$/.test(word)) throw new Error(`"${this.#line}": "${word}" is no number`);
    return Number(word);
  }
}
