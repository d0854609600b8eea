// The few elements of SVG that a picture needs, written as text: escaped, rounded, with the colours of a light and of a dark
// background in one file. Whoever shows it chooses by `prefers-color-scheme`.

export type Attributes = Readonly<Record<string, string | number | null>>;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Without what XML does not allow at all: control characters, and halves of characters. */
export const escaped = (text: string): string =>
  text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"]/g, (character) => ENTITIES[character] as string);

const rounded = (value: string | number): string =>
  typeof value === "number" ? String(Math.round(value * 10) / 10) : escaped(value);

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const shown = Object.entries(attributes).filter(([, value]) => value !== null);
  const start = [name, ...shown.map(([key, value]) => `${key}="${rounded(value as string | number)}"`)].join(" ");
  return children.length === 0 ? `<${start}/>` : `<${start}>${children.join("")}</${name}>`;
}

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  element("text", { x, y, ...attributes }, escaped(content));

export const tooltip = (content: string): string => element("title", {}, escaped(content));

/** Apart from each other by hue and by lightness, and from both backgrounds; the ninth epoch has the first's colour again. */
const EPOCHS = ["#3b78c3", "#d9722e", "#2f9e77", "#b8529a", "#a68a1c", "#4aa3c7", "#8a63c9", "#c2504c"] as const;

/** Epoch 0: nothing was committed yet. */
export const epochClass = (epoch: number): string => (epoch === 0 ? "e0" : `e${((epoch - 1) % EPOCHS.length) + 1}`);

const epochColours = EPOCHS.map((colour, index) => `.e${index + 1}{fill:${colour};stroke:${colour}}`).join("");

/** Later rules win: a hollow bar keeps its epoch's stroke and loses its fill. */
export const STYLE = [
  "text{font:10px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#24292f;stroke:none}",
  ".back{fill:#fff}.row{fill:#f3f4f6}.faint{fill:#6a737d}.rule{stroke:#d0d7de}.line{stroke:#8c959f;stroke-width:2;fill:none}",
  ".e0{fill:#8c959f;stroke:#8c959f}",
  epochColours,
  ".replica{fill-opacity:.45;stroke:none}.primary{stroke:none}",
  ".frozen{fill:none;stroke-width:1.5;stroke-dasharray:4 3}",
  ".down{stroke:#8c959f;stroke-width:1;stroke-dasharray:1 4;fill:none}",
  ".idle{fill-opacity:.3;stroke:none}.held{stroke:none}",
  ".fault{fill:url(#hatch);stroke:#9a6700;stroke-width:.7}.hit{fill:url(#hatch)}.hatch{stroke:#9a6700;stroke-width:1.2}",
  ".mark{fill:#fff;stroke-width:1.3}.letter{font-size:9px;font-weight:bold;text-anchor:middle}.on{fill:#fff}",
  ".killed{stroke:#cf222e;stroke-width:2;fill:none}.heal{stroke:#1a7f37;stroke-dasharray:5 3}.violation{stroke:#cf222e;stroke-width:2}.alarm{fill:#cf222e;font-weight:bold}",
  "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.back{fill:#0d1117}.row{fill:#161b22}.faint{fill:#9198a1}",
  ".rule{stroke:#3d444d}.mark{fill:#0d1117}.fault{stroke:#d29922}.hatch{stroke:#d29922}.on{fill:#fff}.alarm{fill:#ff7b72}}",
].join("");
