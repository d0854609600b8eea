// Is it well-formed XML, and what is in it? As much of the grammar as a picture needs: elements, attributes in double quotes,
// the four entities. Anything else is an error.

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Directly inside it. */
  readonly text: string;
}

const TAG = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/y;
const TEXT = /[^<]+/y;
const ATTRIBUTE = /([\w:-]+)="([^"<]*)"/g;
const ENTITY = /&(?:(amp|lt|gt|quot);)?/g;
const CHARACTERS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };

/** In the order of their ends. */
export function elementsOf(source: string): readonly XmlElement[] {
  const open: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const closed: XmlElement[] = [];
  let position = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const found = pattern.exec(source);
    if (found !== null) position += found[0].length;
    return found;
  };
  while (position < source.length) {
    const content = match(TEXT);
    if (content !== null) {
      const inside = open.at(-1);
      if (inside !== undefined) inside.text += decoded(content[0]);
      else if (content[0].trim() !== "") throw new Error(`text outside of the root: ${content[0]}`);
      continue;
    }
    const tag = match(TAG);
    if (tag === null) throw new Error(`no tag at ${position}: ${source.slice(position, position + 60)}`);
    const [, slash, name, attributes, selfClosing] = tag as unknown as [string, string, string, string, string];
    if (slash === "") open.push({ name, attributes: attributesOf(attributes), text: "" });
    if (slash === "" && selfClosing === "") continue;
    const ended = open.pop();
    if (ended?.name !== name) throw new Error(`</${name}> ends <${ended?.name}>`);
    closed.push(ended);
    if (open.length === 0 && source.slice(position).includes("<")) throw new Error("more than one root");
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)?.name}> does not end`);
  return closed;
}

function attributesOf(source: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, value] of source.matchAll(ATTRIBUTE) as Iterable<[string, string, string]>) {
    if (name in attributes) throw new Error(`${name} twice`);
    attributes[name] = decoded(value);
  }
  return attributes;
}

function decoded(source: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are not allowed in XML.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(source) || !source.isWellFormed()) {
    throw new Error(`a character that XML does not allow: ${JSON.stringify(source)}`);
  }
  return source.replace(ENTITY, (entity, name: string | undefined) => {
    if (name === undefined) throw new Error(`a bare & in ${source}: ${entity}`);
    return CHARACTERS[name] as string;
  });
}
