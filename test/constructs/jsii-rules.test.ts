import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { jsiiViolations } from "../support/architecture/jsii-rules.ts";

const read = (path: string): string => readFileSync(path, "utf8");

/** The issues of a surface in one file, which exports everything it declares. */
const issuesOf = (source: string, more: Readonly<Record<string, string>> = {}): readonly string[] => {
  const names = [...source.matchAll(/export (?:abstract )?(?:class|interface|enum|type|const|function) (\w+)/g)];
  const index = `export { ${names.map(([, name]) => name).join(", ")} } from "./a.ts";`;
  const files: Readonly<Record<string, string>> = { "x/index.ts": index, "x/a.ts": source, ...more };
  return jsiiViolations("x/index.ts", (path) => files[path] ?? "");
};

describe("jsii's rules for the public surface, and a default for what may be left out", () => {
  it("hold for everything that the package exports", () => {
    // What is thrown is told by its text in every language.
    expect(jsiiViolations("lib/constructs/index.ts", read, ["ConfigurationError"])).toEqual([]);
  });

  it.each([
    ["a union", "export interface A { readonly a: string | number }", "A.a: the type is a union"],
    ["undefined for what is optional", "export interface A { readonly a: string | undefined }", "A.a: is a union"],
    ["what may be left out without its default", "export interface A { readonly a?: string }", "A.a: may be left out"],
    [
      "a default that is another's",
      "export interface A { /** @default - none */ readonly b?: string; /** A. */ readonly a?: string }",
      "A.a: may be left out",
    ],
    ["a default of nothing", "export interface A { /** @default */ readonly a?: string }", "A.a: may be left out"],
    ["a literal", 'export interface A { readonly a?: "b" }', "A.a: the type is a literal"],
    ["a union in an array", "export interface A { readonly a: (string | number)[] }", "A.a: the type is a union"],
    ["a readonly array", "export interface A { readonly a: readonly string[] }", "A.a: the type is a type operator"],
    ["a tuple", "export interface A { readonly a: [string] }", "A.a: the type is a tuple"],
    ["a function", "export interface A { readonly a: () => void }", "A.a: the type is a function"],
    ["null", "export class A { a(): null { return null } }", "A.a: what it returns is null"],
    ["any", "export class A { a(b: any): void {} }", "A.a: the parameter b is any"],
    ["a mapped type", "export interface A { readonly a: { [K in B]: string } }", "A.a: the type is a mapped type"],
    [
      "a type without a name",
      "export interface A { readonly a: { b: string } }",
      "A.a: the type is a type without a name",
    ],
    ["a generic type", "export interface A<T> { readonly a: string }", "A: is generic"],
    ["a generic method", "export class A { a<T>(): void {} }", "A.a: is generic"],
    ["a generic reference", "export interface A { readonly a: Partial<A> }", "A.a: the type is generic: Partial"],
    ["an alias", "export type A = string;", "A: is no class, interface or enum"],
    ["a constant", "export const A = 1;", "A: is no class, interface or enum"],
    ["a function of a module", "export function A(): void {}", "A: is no class, interface or enum"],
    ["a struct that can be written", "export interface A { a: string }", "A.a: is not readonly"],
    ["a struct with a method", "export interface A { a(): void }", "A.a: a struct has no methods"],
    ["a struct of behaviour", "export interface IA {} export interface B extends IA {}", "B: a struct extends structs"],
    ["behaviour of a struct", "export interface A {} export interface IB extends A {}", "IB: a struct extends structs"],
    [
      "a class of a struct",
      "export interface A {} export class B implements A {}",
      "B: a class implements behavioural",
    ],
    [
      "an index signature",
      "export interface A { readonly [k: string]: string }",
      "an interface has no index signature",
    ],
    ["a hidden type", "interface H {} export interface A { readonly a: H }", "A.a: names H, which is not exported"],
    ["a hidden type in a map", "export interface A { readonly a: { [k: string]: H } }", "A.a: names H"],
    ["a hidden parameter", "interface H {} export class A { constructor(h: H) {} }", "A.constructor: names H"],
    ["a type of Node", 'import type { U } from "node:url"; export interface A { readonly a: U }', "A.a: names U"],
    ["a method in other letters", "export class A { DoIt(): void {} }", "A.DoIt: a method's name is in camelCase"],
    ["a getter of Java", "export class A { getIt(): void {} }", "A.getIt: a method called getSomething"],
    ["a constant in other letters", "export class A { static readonly one: string }", "A.one: a constant's name is in"],
    ["a constant that can be written", "export class A { static ONE: string }", "A.ONE: is not readonly"],
    ["an enum in other letters", "export enum A { one }", "A: an enum's members are in ALL_CAPS"],
    [
      "a needed parameter last",
      "export class A { a(b: string = '', c: string): void {} }",
      "A.a: a parameter that is needed",
    ],
    ["a public @internal", "export class A { /** @internal */ a: string }", "A.a: what is @internal starts with _"],
  ])("refuse %s", (_, source, issue) => {
    expect(issuesOf(source).join("\n")).toContain(issue);
  });

  it("look at what a class inherits from a hidden one", () => {
    const base = "export class Base { a(): string | number { return 1 } }";
    const source = 'import { Base } from "./base.ts"; export class A extends Base {}';
    expect(issuesOf(source, { "x/base.ts": base })).toEqual(["Base.a: what it returns is a union"]);
  });

  it("allow what every language has", () => {
    const source = `
      import { Construct } from "constructs";
      import type { aws_ec2 as ec2 } from "aws-cdk-lib";
      export interface IA { readonly a?: string; do(b: BProps): Promise<string> }
      export interface BProps { /** @default - a new one */ readonly vpc?: ec2.IVpc; readonly map: { [name: string]: string[] }; readonly all: BProps[] }
      export class A extends Construct implements IA {
        static readonly ONE: A;
        static of(name: string): A | undefined { return undefined }
        #hidden: string | number = 1;
        /** @internal */
        _shared: string | number = 1;
        private other: string | number = 1;
        constructor(scope: Construct, id: string, { vpc }: BProps = {}) { super(scope, id) }
        get it(): boolean { return true }
        async do(b: BProps): Promise<string> { return "" }
      }
      export enum E { ONE_A }`;
    expect(issuesOf(source)).toEqual([]);
  });
});
