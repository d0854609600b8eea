// What does a person read when a command cannot go on? One sentence that says what to do, and an exit code. Vendors'
// errors arrive as the cause of a `PortError`; their names are told apart here, by name and code, never by message.

import {
  ConfigurationError,
  InvariantViolation,
  PortError,
  RecordFormatError,
  ValkeeperError,
} from "../core/errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

/** Thrown by a command that ends with something to say; the message is complete. */
export class CommandFailed extends ValkeeperError {
  readonly code = "CommandFailed";
  readonly exit: ExitCode;
  constructor(exit: ExitCode, message: string) {
    super(message);
    this.exit = exit;
  }
}

export const usage = (message: string): CommandFailed => new CommandFailed(EXIT.usage, message);
export const refused = (message: string): CommandFailed => new CommandFailed(EXIT.refused, message);

/** For `--json`: what kind of end it is. The other codes are those of the errors themselves. */
const CODE_OF: Readonly<Record<ExitCode, string>> = {
  [EXIT.ok]: "Ok",
  [EXIT.usage]: "UsageError",
  [EXIT.degraded]: "Degraded",
  [EXIT.noPrimary]: "NoPrimary",
  [EXIT.storeUnreachable]: "StoreUnreachable",
  [EXIT.refused]: "Refused",
  [EXIT.timedOut]: "TimedOut",
  [EXIT.bug]: "Bug",
};

export interface Failure {
  readonly exit: ExitCode;
  readonly code: string;
  readonly message: string;
}

/** Where the command looked: named in what it says. */
export interface Place {
  readonly table: string | null;
  readonly region: string | null;
  readonly endpoint: string | null;
}

/** Null: not one of the expected ways to fail, so a bug that deserves its stack. */
export function describeFailure(error: unknown, place: Place): Failure | null {
  if (error instanceof CommandFailed) return { exit: error.exit, code: CODE_OF[error.exit], message: error.message };
  if (error instanceof ConfigurationError) return { exit: EXIT.usage, code: error.code, message: error.message };
  if (error instanceof RecordFormatError) {
    return { exit: EXIT.storeUnreachable, code: error.code, message: error.message };
  }
  if (error instanceof PortError) {
    return { exit: EXIT.storeUnreachable, code: error.code, message: storeSentence(error, place) };
  }
  // Such as a program of `local` that is missing; its message says what to do. A broken invariant is a bug.
  if (error instanceof ValkeeperError && !(error instanceof InvariantViolation)) {
    return { exit: EXIT.refused, code: error.code, message: error.message };
  }
  return null;
}

interface VendorError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
}

const REFUSED_CREDENTIALS = new Set([
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "ExpiredTokenException",
  "ExpiredToken",
  "InvalidClientTokenId",
  "MissingAuthenticationTokenException",
]);
const NO_ANSWER = new Set(["DeadlineExceeded", "TimeoutError", "AbortError"]);

function storeSentence(error: PortError, place: Place): string {
  const cause = (typeof error.cause === "object" && error.cause !== null ? error.cause : {}) as VendorError;
  const table = `table ${place.table ?? "(none)"}`;
  const where = `${place.endpoint ?? "DynamoDB"}${place.region === null ? "" : ` in ${place.region}`}`;
  const name = cause.name ?? "";
  if (name === "ResourceNotFoundException") {
    return `there is no ${table} at ${where}: check --table (or VALKEEPER_TABLE) and --region, or deploy the stack first`;
  }
  if (name === "CredentialsProviderError") {
    return `there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (${firstLine(cause.message)})`;
  }
  if (REFUSED_CREDENTIALS.has(name)) {
    return `${where} refuses the AWS credentials (${name}): log in again, or check the profile and this machine's clock`;
  }
  if (name === "AccessDeniedException") {
    return `the AWS credentials may not use ${table}: give them GetItem, BatchGetItem, Query, PutItem, UpdateItem, DeleteItem and DescribeTable on it (${firstLine(cause.message)})`;
  }
  if (name === "Error" && /region is missing/i.test(cause.message ?? "")) {
    return "no AWS region is given: use --region or set AWS_REGION";
  }
  if (cause.code !== undefined || NO_ANSWER.has(name)) {
    return `${where} cannot be reached (${cause.code ?? name}): check the network${place.endpoint === null ? " and --region" : ", and AWS_ENDPOINT_URL"}`;
  }
  return `${table} could not be used: ${error.message}`;
}

const firstLine = (text: string | undefined): string => (text ?? "").split("\n")[0]?.slice(0, 200) ?? "";
