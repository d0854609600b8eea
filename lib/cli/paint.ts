// Colours by meaning, so that no text depends on one: with colours off every word is still there.

import colours from "picocolors";

export interface Paint {
  readonly good: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

export function paintWith(enabled: boolean): Paint {
  const { green, yellow, red, bold, dim } = colours.createColors(enabled);
  return { good: green, warning: yellow, bad: red, strong: bold, faint: dim };
}

export const PLAIN: Paint = paintWith(false);
