// What an error says, in one line, and of which of our kinds it is. Matched by `code`, never by message.

export const errorText = (error: unknown): string =>
  error instanceof Error ? error.message.split("\n", 1)[0] || error.name : String(error);

export const isRecordFormatError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "RecordFormatError";
