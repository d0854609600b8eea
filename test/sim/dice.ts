// The only randomness of a simulation. Every component has dice of its own, derived from the seed and the component's
// name and not from the order of draws: a component that draws once more leaves all others as they were, so that a
// shrunk fault plan still replays the same world.

const MAX_32 = 0x1_0000_0000;

/** 32 well-mixed bits of a text. */
function digest(text: string): number {
  let hash = 0x9e37_79b9;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x85eb_ca6b);
    hash ^= hash >>> 13;
  }
  return mix(hash);
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb_352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846c_a68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export class Dice {
  readonly #name: string;
  #a: number;
  #b: number;
  #counter = 1;

  constructor(name: string) {
    this.#name = name;
    this.#a = digest(`${name}|a`);
    this.#b = digest(`${name}|b`);
  }

  /** Independent dice of a component. */
  split(component: string): Dice {
    return new Dice(`${this.#name}/${component}`);
  }

  /** 32 bits: two mixed words and a counter, so that no state repeats within 2^32 draws. */
  bits(): number {
    this.#counter = (this.#counter + 0x6d2b_79f5) | 0;
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = ((this.#b << 3) + sum) | 0;
    return mix(sum);
  }

  /** In [0, 1). */
  fraction(): number {
    return this.bits() / MAX_32;
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.fraction();
  }

  /** An integer in [0, count). */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("dice: nothing to pick from");
    return list[this.below(list.length)] as T;
  }

  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.bits().toString(16).padStart(8, "0");
    return text.slice(0, digits);
  }
}
