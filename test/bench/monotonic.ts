// One clock for several processes: the system's monotonic one, which all of them share, in milliseconds.

const originMs = Number(process.hrtime.bigint() / 1_000n) / 1_000 - performance.now();

export const monotonicMs = (): number => performance.now() + originMs;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
