// Metrics as JSON lines on standard output, in CloudWatch's embedded metric format: CloudWatch Logs takes the figures out
// of the line, so that no call, no endpoint and no permission is needed, and the line stays to be read.

import type { Clock } from "../../ports/clock.ts";
import type { Measurement, Metrics } from "../../ports/metrics.ts";

export interface EmfOptions {
  readonly namespace: string;
  readonly clock: Clock;
  /** @default standard output */
  readonly print?: (line: string) => void;
}

export class EmfMetrics implements Metrics {
  readonly #options: EmfOptions;

  constructor(options: EmfOptions) {
    this.#options = options;
  }

  put({ series, facts }: Measurement): void {
    const { namespace, clock, print } = this.#options;
    const directives = series.map(({ dimensions, values }) => ({
      Namespace: namespace,
      Dimensions: [Object.keys(dimensions)],
      Metrics: Object.keys(values).map((name) => ({ Name: name, Unit: "Count" })),
    }));
    const timestamp = Math.round(clock.wallTime());
    const line = {
      // The figures come last: no fact can hide one.
      ...facts,
      time: new Date(timestamp).toISOString(),
      ...Object.assign({}, ...series.map(({ dimensions, values }) => ({ ...dimensions, ...values }))),
      _aws: { Timestamp: timestamp, CloudWatchMetrics: directives },
    };
    (print ?? toStandardOutput)(JSON.stringify(line));
  }
}

const toStandardOutput = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
