// The example's texts as a machine or the registrar gets them: out of the synthesized template, with what only a deployment
// knows as the name of its resource.

import type { Template } from "aws-cdk-lib/assertions";

/** Of the three machines, in the order of the nodes. */
export const userDataIn = (template: Template): readonly string[] =>
  Object.values(template.findResources("AWS::EC2::Instance")).map((each) =>
    joined(each["Properties"].UserData["Fn::Base64"]),
  );

type Value = string | { readonly "Fn::Join": readonly [string, readonly Value[]] } | Readonly<Record<string, unknown>>;

function joined(value: Value): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value["Fn::Join"])) {
    const [by, parts] = value["Fn::Join"] as [string, readonly Value[]];
    return parts.map(joined).join(by);
  }
  return Object.values(value).flat().join(".");
}

type Resource = { readonly Type: string; readonly DependsOn?: string | readonly string[] };
interface PlainTemplate {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

/** The template without resources of these types, and without the routes and outputs that name them. */
export function withoutTypes(template: PlainTemplate, types: readonly string[]): PlainTemplate {
  const gone = Object.entries(template.Resources).flatMap(([id, { Type }]) => (types.includes(Type) ? [id] : []));
  const names = (value: unknown): boolean => gone.some((id) => JSON.stringify(value).includes(`"${id}"`));
  const kept = Object.entries(template.Resources).flatMap(([id, resource]): [string, Resource][] => {
    const { DependsOn = [], ...rest } = resource;
    const before = [DependsOn].flat().filter((each) => !gone.includes(each));
    const isOurs = types.includes(resource.Type) || names(rest);
    return isOurs ? [] : [[id, { ...rest, ...(before.length === 0 ? {} : { DependsOn: before }) }]];
  });
  const outputs = Object.entries(template.Outputs ?? {}).filter(([, output]) => !names(output));
  return { ...template, Resources: Object.fromEntries(kept), Outputs: Object.fromEntries(outputs) };
}
