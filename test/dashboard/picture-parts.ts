// What all widgets of the picture share: what is shown, colours, measures.

import type { Figure, Window } from "./figures.ts";

/** What was done to the nodes and the voters, told by a letter. */
export interface Deed {
  readonly at: number;
  readonly text: string;
}

export interface Shown {
  readonly figures: readonly Figure[];
  readonly window: Window;
  readonly deeds: readonly Deed[];
  /** Below the dashboard. */
  readonly notes: readonly string[];
}

export const COLOURS = {
  ground: "#f2f3f3",
  card: "#ffffff",
  rule: "#d5dbdb",
  text: "#16191f",
  quiet: "#545b64",
  alarm: "#c7321c",
  fine: "#eef6ee",
  deed: "#879596",
} as const;

/** Apart by hue and by lightness. */
export const PALETTE: readonly string[] = [
  "#1f77b4",
  "#e8710a",
  "#2a8a3c",
  "#b3261e",
  "#7b4fa8",
  "#8c564b",
  "#d34fa0",
  "#5f6b75",
];

export interface Frame {
  readonly width: number;
  readonly height: number;
}

/** Cut at its end where it does not fit, as CloudWatch cuts it. */
export function fitting(words: string, width: number, letterPx: number): string {
  const letters = Math.floor(width / letterPx);
  return words.length <= letters ? words : `${words.slice(0, letters - 1)}…`;
}

export const letterOf = (index: number): string => String.fromCharCode("A".charCodeAt(0) + index);

/** Hours and minutes, as CloudWatch's axes have them, in UTC. */
export const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);
