// Where figures go that alarms and dashboards read.

export interface Measurement {
  readonly series: readonly MetricSeries[];
  /** What a person looks for when an alarm has rung: of which group, and why. No metrics. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Figures that are counted for the same thing. A name in two series of one measurement has the same value in both. */
export interface MetricSeries {
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, number>>;
}

export interface Metrics {
  put(measurement: Measurement): void;
}
