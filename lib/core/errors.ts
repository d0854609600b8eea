// What may be thrown, and what is only a value? Expected things are values (outcomes, rejections). These classes are for
// the rest; they are matched by `code`, never by message.

/** The words of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export abstract class ValkeeperError extends Error {
  abstract readonly code: string;
  override get name(): string {
    return this.code;
  }
}

/** Thrown at synth, at registration and at cold start: every issue of a configuration at once. */
export class ConfigurationError extends ValkeeperError {
  readonly code = "ConfigurationError";
  readonly issues: readonly string[];
  constructor(subject: string, issues: readonly string[]) {
    super(
      `${subject}: ${issues.length} ${issues.length === 1 ? "issue" : "issues"}\n${issues.map((issue) => `  - ${issue}`).join("\n")}`,
    );
    this.issues = issues;
  }
}

/** A record that cannot be read, or of a newer schema: hold still, alarm, never guess. */
export class RecordFormatError extends ValkeeperError {
  readonly code = "RecordFormatError";
}

/** A read through a port failed; `cause` is the vendor's error. `isFinal`: the same question has no other answer later. */
export class PortError extends ValkeeperError {
  readonly code = "PortError";
  readonly port: string;
  readonly call: string;
  readonly isFinal: boolean;
  constructor(port: string, call: string, detail: string, cause?: unknown, isFinal = false) {
    super(`${port}.${call}: ${detail}`, cause === undefined ? undefined : { cause });
    this.port = port;
    this.call = call;
    this.isFinal = isFinal;
  }
}

/** A bug: the named promise or rule would be broken. */
export class InvariantViolation extends ValkeeperError {
  readonly code = "InvariantViolation";
  readonly id: string;
  constructor(id: string, detail: string) {
    super(`${id}: ${detail}`);
    this.id = id;
  }
}
