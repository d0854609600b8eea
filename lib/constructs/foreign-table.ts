// Is a table that Valkeeper did not make of the shape that its functions read and write? Of a table of this app the
// template says so; of an imported one nothing is known here, and the store asks the table itself.

import { Stack } from "aws-cdk-lib";
import type { CfnTable, ITable } from "aws-cdk-lib/aws-dynamodb";
import { PARTITION_KEY, SORT_KEY, STREAM_VIEW } from "../runtime/table-schema.ts";

/** What `CfnTable` and `CfnGlobalTable` have in common, resolved. */
interface Shape {
  readonly keySchema: readonly { readonly attributeName: string; readonly keyType: string }[];
  readonly attributeDefinitions: readonly { readonly attributeName: string; readonly attributeType: string }[];
  readonly streamSpecification?: { readonly streamViewType?: string };
}

export function foreignTableIssues(table: ITable): string[] {
  const shape = shapeOf(table);
  if (shape === undefined) return [];
  const at = `the table ${table.node.path}`;
  const types = new Map(shape.attributeDefinitions.map((each) => [each.attributeName, each.attributeType]));
  const key = shape.keySchema.map((each) => `${each.attributeName} ${each.keyType} ${types.get(each.attributeName)}`);
  const wanted = [`${PARTITION_KEY} HASH S`, `${SORT_KEY} RANGE S`];
  const issues: string[] = [];
  if (key.join() !== wanted.join()) {
    issues.push(`${at} has the key (${key.join(", ")}) and needs (${wanted.join(", ")})`);
  }
  const view = shape.streamSpecification?.streamViewType;
  if (view !== STREAM_VIEW) issues.push(`${at} has ${viewText(view)} and needs one with ${STREAM_VIEW}`);
  return issues;
}

const viewText = (view: string | undefined): string => (view === undefined ? "no stream" : `a stream with ${view}`);

/** Undefined for an imported table, which is no resource of this app. */
function shapeOf(table: ITable): Shape | undefined {
  const resource = table.node.defaultChild as CfnTable | undefined;
  if (resource === undefined) return undefined;
  const { keySchema, attributeDefinitions = [], streamSpecification } = resource;
  return Stack.of(table).resolve({ keySchema, attributeDefinitions, streamSpecification }) as Shape;
}
