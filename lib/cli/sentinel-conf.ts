// What does a sentinel.conf say? Lines into words, by the rules of Valkey's own reader (sdssplitargs), and each
// statement against the form that its directive has. Whatever is wrong is told with its line, all of it at once, and no
// message repeats a value: any of them may be a password, in the wrong place too.

import { closestName } from "../core/closest-name.ts";
import { SENTINEL_DIRECTIVES, SERVER_DIRECTIVES } from "./sentinel-directives.ts";

export interface Statement {
  /** Counted from 1. */
  readonly line: number;
  /** `sentinel monitor`, `port`: lower case, as Valkey compares them. */
  readonly directive: string;
  readonly values: readonly string[];
}

export interface SentinelConf {
  readonly statements: readonly Statement[];
  readonly issues: readonly string[];
}

export function readSentinelConf(text: string): SentinelConf {
  const issues: string[] = [];
  const statements = text.split("\n").flatMap((raw, index) => {
    const read = readLine(raw.replace(/^[ \t\r]+|[ \t\r]+$/g, ""), index + 1);
    if (typeof read === "string") issues.push(`line ${index + 1}: ${read}`);
    return read === null || typeof read === "string" ? [] : [read];
  });
  return { statements, issues };
}

/** A statement, an issue, or null for a comment or an empty line. */
function readLine(raw: string, line: number): Statement | string | null {
  if (raw === "" || raw.startsWith("#")) return null;
  const directive = directiveOf(raw);
  // A Sentinel writes passwords as they are, blanks and quotes included, and cannot read such a file again itself.
  if (SENTINEL_DIRECTIVES[directive]?.isSecret === true) {
    const values = raw.split(/[ \t]+/).slice(2);
    return values.length === 0 ? formIssue(directive) : { line, directive, values: values.slice(0, 1) };
  }
  const words = splitWords(raw);
  if (words === null) return "quotes that are not closed, or that something follows without a blank";
  const values = words.slice(directive.split(" ").length);
  const shape = SENTINEL_DIRECTIVES[directive];
  if (shape === undefined) return SERVER_DIRECTIVES.has(directive) ? { line, directive, values } : unknown(directive);
  const needed = shape.form.split(" ").filter((word) => word !== "" && !word.startsWith("["));
  const most = shape.form.split(" ").filter((word) => word !== "").length;
  return values.length < needed.length || values.length > most ? formIssue(directive) : { line, directive, values };
}

function directiveOf(raw: string): string {
  const [first = "", second = ""] = raw.toLowerCase().split(/[ \t]+/);
  return first === "sentinel" ? `sentinel ${second}`.trim() : first;
}

const formIssue = (directive: string): string =>
  `${directive} should be written \`${directive} ${SENTINEL_DIRECTIVES[directive]?.form ?? ""}\``;

function unknown(directive: string): string {
  const own = Object.keys(SENTINEL_DIRECTIVES).map((name) => name.replace(PREFIX, ""));
  const isOwn = directive.startsWith(PREFIX);
  const near = closestName(directive.replace(PREFIX, ""), isOwn ? own : [...SERVER_DIRECTIVES]);
  return `unknown directive${near === null ? "" : `: did you mean ${isOwn ? PREFIX : ""}${near}?`}`;
}

const PREFIX = "sentinel ";

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\u0007" };

/** The words of a line; null when its quotes are not balanced. Escapes are of bytes, so bytes are what is split. */
export function splitWords(text: string): readonly string[] | null {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const words: string[] = [];
  // Unquoted parts end at a quote, which opens a part of the same word; a closing quote ends the word.
  const word = /[ \t\r]*((?:[^ \t\r"'])*)(?:"((?:\\x[0-9a-fA-F]{2}|\\.|[^"\\])*)"|'((?:\\'|[^'])*)')?/y;
  while (word.lastIndex < bytes.length) {
    const at = word.lastIndex;
    const [all = "", plain = "", double, single] = word.exec(bytes) ?? [];
    const end = at + all.length;
    const isQuoted = double !== undefined || single !== undefined;
    if (end < bytes.length && !/[ \t\r]/.test(bytes[end] ?? "")) return null;
    if (all.trim() === "") break;
    const inner = isQuoted ? (double === undefined ? (single ?? "").replaceAll("\\'", "'") : unescaped(double)) : "";
    words.push(Buffer.from(plain + inner, "latin1").toString("utf8"));
    word.lastIndex = end;
  }
  return words;
}

const unescaped = (text: string): string =>
  text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_all, hex: string | undefined, letter: string | undefined) =>
    hex === undefined ? (ESCAPES[letter ?? ""] ?? letter ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
