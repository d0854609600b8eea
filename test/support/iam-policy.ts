// Would IAM allow it? An evaluator of one role's policies, for the parts of the policy language that the constructs use; any
// other part is an error, so that a policy is never judged by half.

/** A statement as a synthesized template has it: resources may still be references. */
export interface PolicyStatement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Conditions;
}

type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** One request as IAM sees it. */
export interface AwsRequest {
  /** As in `dynamodb:GetItem`. */
  readonly action: string;
  readonly resource: string;
  /** Values of each condition key that the request has. @default none */
  readonly context?: Readonly<Record<string, readonly string[]>>;
}

const ELEMENTS = new Set(["Sid", "Effect", "Action", "Resource", "Condition"]);
const COMPARISONS: Readonly<Record<string, (pattern: string, value: string) => boolean>> = {
  StringEquals: (pattern, value) => pattern === value,
  StringLike: isLike,
  // IAM documents it as the same as ArnLike.
  ArnEquals: isLike,
  Bool: (pattern, value) => pattern.toLowerCase() === value.toLowerCase(),
};

/** Denied unless a statement allows it and none denies it. */
export function allows(statements: readonly PolicyStatement[], request: AwsRequest): boolean {
  const applying = statements.filter((statement) => applies(statement, request));
  return applying.length > 0 && applying.every(({ Effect }) => Effect === "Allow");
}

export function applies(statement: PolicyStatement, { action, resource, context = {} }: AwsRequest): boolean {
  for (const element of Object.keys(statement)) {
    if (!ELEMENTS.has(element)) throw new Error(`the policy element ${element} is not evaluated here`);
  }
  return (
    listOf(statement.Action).some((each) => isLike(each.toLowerCase(), action.toLowerCase())) &&
    listOf(statement.Resource).some((each) => isLike(each, resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, context[key], listOf(values))),
    )
  );
}

/** `given` undefined: the request has no such key. */
function holds(operator: string, given: readonly string[] | undefined, values: readonly string[]): boolean {
  if (operator === "Null") return values.includes(String(given === undefined));
  const [name = "", set] = operator.split(":").reverse();
  const compare = COMPARISONS[name];
  if (compare === undefined || (set !== undefined && set !== "ForAllValues")) {
    throw new Error(`the condition operator ${operator} is not evaluated here`);
  }
  const matches = (value: string): boolean => values.some((each) => compare(each, value));
  // True without any value too, as IAM documents it: only `Null` beside it asks for one.
  if (set !== undefined) return (given ?? []).every(matches);
  if (given !== undefined && given.length !== 1) throw new Error(`${operator} is given ${given.length} values`);
  return given?.every(matches) ?? false;
}

/** `*` for any characters, `?` for any one. */
function isLike(pattern: string, value: string): boolean {
  const source = [...pattern].map((each) =>
    each === "*" ? ".*" : each === "?" ? "." : each.replace(/[\\^$.|+()[\]{}]/, "\\$&"),
  );
  return new RegExp(`^${source.join("")}$`, "su").test(value);
}

const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value : [value]).map(textOf);

/** A reference by the name of what it refers to, as in `FailoverTable.Arn`. */
export function textOf(value: unknown): string {
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  const [[name, argument] = [], ...more] = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>);
  if (more.length === 0 && name === "Ref") return argument === "AWS::Partition" ? "aws" : String(argument);
  if (more.length === 0 && name === "Fn::GetAtt") return (argument as readonly string[]).join(".");
  if (more.length === 0 && name === "Fn::Join") {
    const [separator, parts] = argument as readonly [string, readonly unknown[]];
    return parts.map(textOf).join(separator);
  }
  throw new Error(`not a text of a template: ${JSON.stringify(value)}`);
}
