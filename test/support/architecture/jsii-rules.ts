// Could jsii make the constructs available to other languages? Its rules for a public surface, by the syntax alone: what the entry
// file exports, and what that inherits from files beside it. jsii itself knows more (overridden members, names that two
// languages keep for themselves) and is no part of this project.

import { dirname, posix } from "node:path";
import { parseSync } from "oxc-parser";

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** One file: its declarations, and where the names come from that it imports. */
interface Module {
  readonly text: string;
  readonly declarations: ReadonlyMap<string, Node>;
  readonly imports: ReadonlyMap<string, string>;
}

interface Surface {
  readonly read: (path: string) => Module;
  /** Names that the entry exports. */
  readonly exported: ReadonlySet<string>;
  readonly complain: (at: string, issue: string) => void;
}

interface Place {
  readonly surface: Surface;
  readonly module: Module;
  readonly path: string;
  /** The declaration, then the member. */
  readonly at: string;
}

/** Every issue as `name: what is wrong`; `except` are exports that are no part of what other languages get. */
export function jsiiViolations(
  entry: string,
  textOf: (path: string) => string,
  except: readonly string[] = [],
): string[] {
  const modules = new Map<string, Module>();
  const read = (path: string): Module => {
    const module = modules.get(path) ?? parse(path, textOf(path));
    modules.set(path, module);
    return module;
  };
  const issues: string[] = [];
  const exports = exportsOf(entry, textOf(entry)).filter(({ name }) => !except.includes(name));
  const surface: Surface = {
    read,
    exported: new Set(exports.map(({ name }) => name)),
    complain: (at, issue) => issues.push(`${at}: ${issue}`),
  };
  for (const { name, path } of exports) checkDeclaration(surface, path, name);
  return [...new Set(issues)];
}

const resolve = (from: string, specifier: string): string => posix.normalize(posix.join(dirname(from), specifier));

function exportsOf(entry: string, text: string): readonly { readonly name: string; readonly path: string }[] {
  return parseSync(entry, text).module.staticExports.flatMap(({ entries }) =>
    entries.map(({ exportName, moduleRequest }) => ({
      name: exportName.name ?? "*",
      path: resolve(entry, moduleRequest?.value ?? `./${posix.basename(entry)}`),
    })),
  );
}

function parse(path: string, text: string): Module {
  const { program, module } = parseSync(path, text);
  const declarations = new Map<string, Node>();
  for (const statement of program.body as unknown as Node[]) {
    const declaration = (statement["declaration"] ?? statement) as Node;
    const name = nameOf(declaration["id"]);
    if (name !== undefined) declarations.set(name, declaration);
    for (const each of (declaration["declarations"] ?? []) as Node[])
      declarations.set(nameOf(each["id"]) ?? "", declaration);
  }
  const imports = module.staticImports.flatMap(({ entries, moduleRequest }) =>
    entries.map(({ localName }) => [localName.value, moduleRequest.value] as const),
  );
  return { text, declarations, imports: new Map(imports) };
}

const nameOf = (node: unknown): string | undefined => {
  const candidate = node as Node | null | undefined;
  return candidate?.type === "Identifier" ? String(candidate["name"]) : undefined;
};

function checkDeclaration(surface: Surface, path: string, name: string): void {
  const module = surface.read(path);
  const declaration = module.declarations.get(name);
  const place: Place = { surface, module, path, at: name };
  if (!/^[A-Z][A-Za-z0-9]*$/.test(name)) surface.complain(name, "a type's name is in PascalCase");
  if (declaration?.["typeParameters"] != null) surface.complain(name, "is generic");
  switch (declaration?.type) {
    case "TSInterfaceDeclaration":
      return checkInterface(place, declaration);
    case "ClassDeclaration":
      return checkClass(place, declaration);
    case "TSEnumDeclaration":
      for (const member of (declaration["body"] as Node)["members"] as Node[]) {
        if (!ALL_CAPS.test(nameOf(member["id"]) ?? "")) surface.complain(name, "an enum's members are in ALL_CAPS");
      }
      return;
    default:
      surface.complain(name, "is no class, interface or enum");
  }
}

const ALL_CAPS = /^[A-Z][A-Z0-9_]*$/;
const CAMEL_CASE = /^[a-z][A-Za-z0-9]*$/;
const BEHAVIOURAL = /^I[A-Z]/;

function checkInterface(place: Place, declaration: Node): void {
  const isStruct = !BEHAVIOURAL.test(place.at);
  for (const { expression } of declaration["extends"] as (Node & { readonly expression: unknown })[]) {
    const base = nameOf(expression) ?? "";
    checkName(place, base);
    if (BEHAVIOURAL.test(base) === isStruct) {
      place.surface.complain(
        place.at,
        `a struct extends structs, a behavioural interface others of its kind, and not ${base}`,
      );
    }
  }
  for (const member of (declaration["body"] as Node)["body"] as Node[]) {
    const name = nameOf(member["key"]) ?? member.type;
    const at = { ...place, at: `${place.at}.${name}` };
    if (member.type === "TSIndexSignature") at.surface.complain(at.at, "an interface has no index signature");
    else if (member.type === "TSPropertySignature") {
      checkProperty(at, name, member, isStruct);
      if (isStruct && member["optional"] === true && !hasDefault(place.module, member)) {
        at.surface.complain(at.at, "may be left out, and no @default says what that means");
      }
    } else if (isStruct) at.surface.complain(at.at, "a struct has no methods: behavioural interfaces start with I");
    else checkMethod(at, name, member);
  }
}

function checkClass(place: Place, declaration: Node): void {
  const base = nameOf(declaration["superClass"]);
  if (base !== undefined) checkBase(place, base);
  for (const { expression } of (declaration["implements"] ?? []) as (Node & { readonly expression: unknown })[]) {
    const name = nameOf(expression) ?? "";
    checkName(place, name);
    if (!BEHAVIOURAL.test(name))
      place.surface.complain(place.at, `a class implements behavioural interfaces, and not ${name}`);
  }
  for (const member of (declaration["body"] as Node)["body"] as Node[]) {
    const name = nameOf(member["key"]) ?? "";
    if (member["accessibility"] === "private" || (member["key"] as Node).type === "PrivateIdentifier") continue;
    const at = { ...place, at: `${place.at}.${name}` };
    if (isInternal(place.module, member)) {
      if (!name.startsWith("_")) at.surface.complain(at.at, "what is @internal starts with _");
    } else if (member["kind"] === "constructor") checkSignature(at, member["value"] as Node);
    else if (member.type.endsWith("MethodDefinition") && member["kind"] === "method") {
      checkMethod(at, name, member["value"] as Node);
    } else if (member.type.endsWith("MethodDefinition")) {
      checkTypes(at, (member["value"] as Node)["returnType"], `the type of ${name}`);
    } else checkProperty(at, name, member, member["static"] === true);
  }
}

/** A class that is not exported gives its members to those that extend it, and is not seen itself. */
function checkBase(place: Place, base: string): void {
  const { surface, module, path } = place;
  const specifier =
    module.imports.get(base) ?? (module.declarations.has(base) ? `./${posix.basename(path)}` : undefined);
  if (specifier === undefined) return surface.complain(place.at, `extends ${base}, which is not imported`);
  if (!specifier.startsWith(".") || surface.exported.has(base)) return;
  checkDeclaration(surface, resolve(path, specifier), base);
}

const isInternal = ({ text }: Module, member: Node): boolean =>
  /\/\*\*[^/]*@internal[^/]*\*\/\s*$/.test(text.slice(0, member.start));

/** No rule of jsii's, but of its linter for the CDK's own constructs. */
const hasDefault = ({ text }: Module, member: Node): boolean =>
  /\/\*\*(?:(?!\*\/)[\s\S])*@default[ \t]+[^\s*](?:(?!\*\/)[\s\S])*\*\/\s*$/.test(text.slice(0, member.start));

function checkProperty(place: Place, name: string, member: Node, mustBeReadonly: boolean): void {
  const isConstant = member["static"] === true;
  if (mustBeReadonly && member["readonly"] !== true) place.surface.complain(place.at, "is not readonly");
  if (!(isConstant ? ALL_CAPS : CAMEL_CASE).test(name)) {
    place.surface.complain(
      place.at,
      `a ${isConstant ? "constant" : "property"}'s name is in ${isConstant ? "ALL_CAPS" : "camelCase"}`,
    );
  }
  const { typeAnnotation } = (member["typeAnnotation"] ?? {}) as { readonly typeAnnotation?: Node };
  if (typeAnnotation?.type === "TSUnionType")
    place.surface.complain(place.at, "is a union: what may be left out is optional (?)");
  checkTypes(place, member["typeAnnotation"], "the type");
}

function checkMethod(place: Place, name: string, signature: Node): void {
  if (!CAMEL_CASE.test(name)) place.surface.complain(place.at, "a method's name is in camelCase");
  if (/^get[A-Z]/.test(name)) place.surface.complain(place.at, "a method called getSomething is a property in Java");
  if (signature["typeParameters"] != null) place.surface.complain(place.at, "is generic");
  checkSignature(place, signature);
  checkTypes(place, signature["returnType"], "what it returns");
}

function checkSignature(place: Place, signature: Node): void {
  let hasOptional = false;
  for (const parameter of signature["params"] as Node[]) {
    const target = (parameter.type === "AssignmentPattern" ? parameter["left"] : parameter) as Node;
    const isOptional = parameter.type === "AssignmentPattern" || target["optional"] === true;
    if (hasOptional && !isOptional)
      place.surface.complain(place.at, "a parameter that is needed follows one that is not");
    hasOptional ||= isOptional;
    checkTypes(place, target["typeAnnotation"], `the parameter ${nameOf(target) ?? "props"}`);
  }
}

const FORBIDDEN: Readonly<Record<string, string>> = {
  TSIntersectionType: "an intersection",
  TSMappedType: "a mapped type",
  TSConditionalType: "a conditional type",
  TSTupleType: "a tuple",
  TSFunctionType: "a function",
  TSLiteralType: "a literal",
  TSTypeOperator: "a type operator (readonly, keyof)",
  TSIndexedAccessType: "a part of another type",
  TSTypeQuery: "the type of a value",
  TSNullKeyword: "null",
  TSAnyKeyword: "any",
};

/** `node`: a type, or an annotation around it. */
function checkTypes(place: Place, node: unknown, what: string): void {
  const type = node as Node | null | undefined;
  if (type == null) return;
  const forbidden = FORBIDDEN[type.type];
  if (forbidden !== undefined) return place.surface.complain(place.at, `${what} is ${forbidden}`);
  if (type.type === "TSUnionType") {
    const others = (type["types"] as Node[]).filter((each) => each.type !== "TSUndefinedKeyword");
    if (others.length > 1) return place.surface.complain(place.at, `${what} is a union`);
    return checkTypes(place, others[0], what);
  }
  if (type.type === "TSTypeLiteral") return checkLiteral(place, type, what);
  if (type.type === "TSTypeReference") return checkReference(place, type, what);
  checkTypes(place, type["typeAnnotation"] ?? type["elementType"], what);
}

/** The one that there is in every language: a map of texts. */
function checkLiteral(place: Place, type: Node, what: string): void {
  const [member, ...more] = type["members"] as Node[];
  if (member?.type !== "TSIndexSignature" || more.length > 0) {
    return place.surface.complain(place.at, `${what} is a type without a name, and no map of texts`);
  }
  checkTypes(place, member["typeAnnotation"], what);
}

const CONTAINERS = new Set(["Array", "Promise"]);

function checkReference(place: Place, type: Node, what: string): void {
  const name = rootOf(type["typeName"] as Node);
  const { params = [] } = (type["typeArguments"] ?? {}) as { readonly params?: readonly Node[] };
  if (params.length > 0 && !CONTAINERS.has(name)) place.surface.complain(place.at, `${what} is generic: ${name}`);
  for (const each of params) checkTypes(place, each, what);
  if (!CONTAINERS.has(name)) checkName(place, name);
}

const rootOf = (name: Node): string =>
  name.type === "TSQualifiedName" ? rootOf(name["left"] as Node) : String(name["name"]);

/** A type of this project is exported, or of another package that jsii knows. */
function checkName({ surface, module, at }: Place, name: string): void {
  const specifier = module.imports.get(name);
  const isForeign = specifier !== undefined && /^(aws-cdk-lib|constructs)(\/|$)/.test(specifier);
  if (!isForeign && !surface.exported.has(name)) surface.complain(at, `names ${name}, which is not exported`);
}
