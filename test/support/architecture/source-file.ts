// Reads one source file into what the rules ask about. The parser is a real one, because a rule that is fooled by a comment or a string is soon
// switched off.

import { dirname, posix } from "node:path";
import { parseSync } from "oxc-parser";

export interface ImportedModule {
  readonly specifier: string;
  /** For a relative import, the path of the imported file from the project's root; otherwise undefined. */
  readonly path: string | undefined;
  readonly line: number;
  /** Nothing of it is there when the program runs. */
  readonly isOnlyTypes: boolean;
}

export interface Named {
  readonly name: string;
  readonly line: number;
}

export interface FunctionSize extends Named {
  readonly lines: number;
}

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly lineCount: number;
  readonly imports: readonly ImportedModule[];
  readonly functions: readonly FunctionSize[];
  readonly classes: readonly Named[];
  /** Every identifier that stands for a value or a type (`Date`), and every member of one (`Math.random`), also where it is taken out by its name. */
  readonly references: readonly Named[];
  /** Identifiers that are not only asked for a member whose name is known: what is done with those nobody can tell here. */
  readonly handedOn: readonly Named[];
  /** `async` functions, `await` and generators. */
  readonly suspensions: readonly Named[];
  /** The first argument of every call of `it`, `describe` or `test`. */
  readonly testTitles: readonly Named[];
  readonly text: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Findings {
  readonly functions: FunctionSize[];
  readonly classes: Named[];
  readonly references: Named[];
  readonly handedOn: Named[];
  readonly suspensions: Named[];
  readonly testTitles: Named[];
}

export function readSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text);
  const [firstError] = parsed.errors;
  if (firstError !== undefined) {
    throw new Error(`${path} does not parse: ${firstError.message}`);
  }
  const lineAt = lineFinder(text);
  const found: Findings = {
    functions: [],
    classes: [],
    references: [],
    handedOn: [],
    suspensions: [],
    testTitles: [],
  };
  walk(parsed.program as unknown as Node, undefined, undefined, (node, parent, key) =>
    note(found, { node, parent, key, lineAt }),
  );
  return {
    path,
    text,
    lineCount: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    imports: importsOf(path, parsed.module, lineAt),
    ...found,
  };
}

type ParsedModule = ReturnType<typeof parseSync>["module"];

function importsOf(path: string, module: ParsedModule, lineAt: (offset: number) => number): ImportedModule[] {
  const requests = [
    ...module.staticImports.map((entry) => ({
      specifier: entry.moduleRequest.value,
      start: entry.start,
      isOnlyTypes: entry.entries.length > 0 && entry.entries.every(({ isType }) => isType),
    })),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap((part) => {
        const { moduleRequest, isType } = part;
        if (moduleRequest === null) return [];
        return [{ specifier: moduleRequest.value, start: entry.start, isOnlyTypes: isType }];
      }),
    ),
    ...module.dynamicImports.map((entry) => ({ specifier: "", start: entry.moduleRequest.start, isOnlyTypes: false })),
  ];
  return requests.map(({ specifier, start, isOnlyTypes }) => ({
    specifier,
    path: specifier.startsWith(".") ? posix.normalize(posix.join(dirname(path), specifier)) : undefined,
    line: lineAt(start),
    isOnlyTypes,
  }));
}

interface Visit {
  readonly node: Node;
  readonly parent: Node | undefined;
  readonly key: string | undefined;
  readonly lineAt: (offset: number) => number;
}

function note(found: Findings, visit: Visit): void {
  const { node, parent, lineAt } = visit;
  const line = lineAt(node.start);
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression": {
      const name = nameOf(node["id"]) ?? nameOf(parent?.["id"]) ?? nameOf(parent?.["key"]) ?? "(anonymous)";
      found.functions.push({ name, line, lines: lineAt(node.end - 1) - line + 1 });
      if (node["async"] === true || node["generator"] === true) {
        found.suspensions.push({ name, line });
      }
      return;
    }
    case "AwaitExpression":
      found.suspensions.push({ name: "await", line });
      return;
    case "ClassDeclaration":
    case "ClassExpression":
      found.classes.push({ name: nameOf(node["id"]) ?? "(anonymous)", line });
      return;
    case "MemberExpression":
      noteMember(found, node, line);
      return;
    case "Identifier":
      if (!isOnlyAName(visit)) {
        found.references.push({ name: String(node["name"]), line });
        if (!isAskedForMembers(visit)) found.handedOn.push({ name: String(node["name"]), line });
      }
      return;
    case "VariableDeclarator":
    case "AssignmentExpression":
      noteTakenOut(found, node, line);
      return;
    case "CallExpression":
      noteTitle(found, node, line);
      return;
    default:
  }
}

function noteMember(found: Findings, node: Node, line: number): void {
  const object = nameOf(node["object"]);
  const property = node["computed"] === true ? literalOf(node["property"]) : nameOf(node["property"]);
  if (object !== undefined && property !== undefined) {
    found.references.push({ name: `${object}.${property}`, line });
  }
}

/** `const { random } = Math` and `({ random } = Math)` name `Math.random`. */
function noteTakenOut(found: Findings, node: Node, line: number): void {
  const [pattern, value] = sidesOf(node);
  const object = nameOf(value);
  for (const property of object === undefined ? [] : namesTakenOut(pattern))
    if (property !== undefined) found.references.push({ name: `${object}.${property}`, line });
}

const sidesOf = (node: Node): readonly [unknown, unknown] =>
  node.type === "VariableDeclarator" ? [node["id"], node["init"]] : [node["left"], node["right"]];

/** Undefined for each that is computed, and for the rest. */
function namesTakenOut(pattern: unknown): readonly (string | undefined)[] {
  const { type, properties } = (pattern ?? {}) as { readonly type?: string; readonly properties?: readonly Node[] };
  if (type !== "ObjectPattern") return [];
  return (properties ?? []).map((each) =>
    each["computed"] === true ? literalOf(each["key"]) : (nameOf(each["key"]) ?? literalOf(each["key"])),
  );
}

/** `Math.max`, `Math["max"]` and `const { max } = Math`, and not `const M = Math`, `Math[name]` or `{ ...Math }`. */
function isAskedForMembers({ node, parent, key }: Visit): boolean {
  if (parent === undefined) return false;
  if (parent.type === "MemberExpression" && key === "object")
    return parent["computed"] !== true || literalOf(parent["property"]) !== undefined;
  if (parent.type !== "VariableDeclarator" && parent.type !== "AssignmentExpression") return false;
  const [pattern, value] = sidesOf(parent);
  const names = namesTakenOut(pattern);
  return value === node && names.length > 0 && !names.includes(undefined);
}

/** `x.Date`, `{ Date: 1 }` and a method called `Date` name something of their own, not the global. */
function isOnlyAName({ parent, key }: Visit): boolean {
  if (parent === undefined || parent["computed"] === true) {
    return false;
  }
  if (parent.type === "MemberExpression") {
    return key === "property";
  }
  if (parent.type === "TSQualifiedName") {
    return key === "right";
  }
  return key === "key" && parent["shorthand"] !== true;
}

function noteTitle(found: Findings, node: Node, line: number): void {
  const callee = node["callee"] as Node;
  // `it`, `it.skipIf(x)`, `it.each(table)` and the like all begin with the word.
  const name = rootName(callee);
  const [first] = node["arguments"] as Node[];
  const title = literalOf(first) ?? templateOf(first);
  if (name !== undefined && ["it", "describe", "test"].includes(name) && title !== undefined) {
    found.testTitles.push({ name: title, line });
  }
}

function rootName(node: Node | undefined): string | undefined {
  if (node === undefined || node.type === "Identifier") {
    return nameOf(node);
  }
  return rootName((node["object"] ?? node["callee"]) as Node | undefined);
}

function nameOf(node: unknown): string | undefined {
  const candidate = node as Node | null | undefined;
  if (candidate?.type !== "Identifier" && candidate?.type !== "PrivateIdentifier") {
    return undefined;
  }
  return String(candidate["name"]);
}

function literalOf(node: unknown): string | undefined {
  const candidate = node as Node | null | undefined;
  return candidate?.type === "Literal" && typeof candidate["value"] === "string" ? candidate["value"] : undefined;
}

function templateOf(node: unknown): string | undefined {
  const candidate = node as Node | null | undefined;
  if (candidate?.type !== "TemplateLiteral") {
    return undefined;
  }
  const parts = candidate["quasis"] as { readonly value: { readonly raw: string } }[];
  return parts.map((part) => part.value.raw).join("…");
}

type Visitor = (node: Node, parent: Node | undefined, key: string | undefined) => void;

function walk(node: Node, parent: Node | undefined, key: string | undefined, visit: Visitor): void {
  visit(node, parent, key);
  for (const [childKey, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === "object" && child !== null && typeof (child as Node).type === "string") {
        walk(child as Node, node, childKey, visit);
      }
    }
  }
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let index = text.indexOf("\n"); index !== -1; index = text.indexOf("\n", index + 1)) {
    starts.push(index + 1);
  }
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low + 1;
  };
}
