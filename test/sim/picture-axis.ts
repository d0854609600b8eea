// Where on the page is a moment? A failover takes a second and the quiet around it a minute, so that on an even axis all
// that matters would fall on one spot: gaps are drawn by their logarithm, and marks of one lane never lie on each other.

/** What takes a place on the axis; `lane` null: a moment without a mark. */
export interface Moment {
  readonly at: number;
  readonly lane: string | null;
}

const LEAST_PX = 4;
const FOR_EACH_DOUBLING_PX = 8;
/** Twice as long after this is one doubling more. */
const SHORT_MS = 10;
const MOST_PX = 64;
/** Between the middles of two marks of one lane. */
const MARK_PX = 15;

export function gapPx(ms: number): number {
  return ms <= 0 ? 0 : Math.min(MOST_PX, LEAST_PX + FOR_EACH_DOUBLING_PX * Math.log2(1 + ms / SHORT_MS));
}

/** The x of each moment; they are in order of time. */
export function placed(moments: readonly Moment[], left: number): readonly number[] {
  const last = new Map<string, number>();
  let x = left;
  let before: number | null = null;
  return moments.map(({ at, lane }) => {
    if (before !== null) x += gapPx(at - before);
    before = at;
    if (lane !== null) {
      x = Math.max(x, (last.get(lane) ?? Number.NEGATIVE_INFINITY) + MARK_PX);
      last.set(lane, x);
    }
    return x;
  });
}
