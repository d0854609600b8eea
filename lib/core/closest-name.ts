// What did a person mean who wrote a name that does not exist? The known name with the fewest letters changed, if they
// are few; nothing when no name is near, because a wild guess misleads more than it helps.

/** The known name nearest to `name`, or null when none is near. Case, `-` and `_` count for nothing. */
export function closestName(name: string, known: readonly string[]): string | null {
  const plain = plainOf(name);
  let best: string | null = null;
  let fewest = Math.max(2, Math.floor(plain.length / 3)) + 1;
  for (const each of known) {
    const other = plainOf(each);
    // Left-off endings (`downAfter` for `downAfterMs`) are the commonest slip, whatever their length.
    const changes = plain.length >= 4 && (other.startsWith(plain) || plain.startsWith(other)) ? 1 : edits(plain, other);
    if (changes < fewest) [best, fewest] = [each, changes];
  }
  return best;
}

// Long enough for every name there is; bounds the work on hostile input.
const plainOf = (name: string): string => name.slice(0, 64).replace(/[-_]/g, "").toLowerCase();

/** Letters inserted, removed or replaced between two words. */
function edits(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
