// The options of the repository's own commands (`npm run sim -- ...`). What is misspelled or no number ends the command with
// its usage and exit code 2, before anything is run.

import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** Ends the command: the person who typed it has something to correct. */
function refuse(usage: string, message: string): never {
  process.stderr.write(`${message}\n\n${usage}\n`);
  process.exit(2);
}

function parse<T extends ParseArgsOptionsConfig>(usage: string, options: T, takesWords: boolean) {
  try {
    return parseArgs({ options, allowPositionals: takesWords });
  } catch (error) {
    return refuse(usage, error instanceof Error ? error.message : String(error));
  }
}

/** The options and words of this command; `--help` prints `usage` and ends it. */
export function readCommandLine<T extends ParseArgsOptionsConfig>(usage: string, options: T, takesWords = false) {
  if (process.argv.includes("--help", 2)) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  const { values, positionals: words } = parse(usage, options, takesWords);
  return {
    values,
    words,
    /** `text`, what the option `name` was given, as a whole number from `least` on. */
    wholeNumber(name: string, text: string, least = 0): number {
      const value = Number(text);
      if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
      return refuse(usage, `--${name} should be a whole number from ${least} on, not "${text}"`);
    },
    refuse: (message: string): never => refuse(usage, message),
  };
}
