/** Offsets count UTF-8 bytes at the server and UTF-16 units here. */

function bytesOf(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** The UTF-16 indexes of byte offsets in a text; each is moved back to the beginning of its character. */
export function indexesOfBytes(text: string, offsets: number[]): number[] {
  const order = offsets.map((offset, at) => ({ offset, at })).sort((a, b) => a.offset - b.offset);
  const found = new Array<number>(offsets.length).fill(text.length);
  let next = 0;
  let bytes = 0;
  let index = 0;
  while (index < text.length) {
    const codePoint = text.codePointAt(index) ?? 0;
    const size = bytesOf(codePoint);
    for (let wanted = order[next]; wanted && wanted.offset < bytes + size; wanted = order[++next]) found[wanted.at] = index;
    if (next >= order.length) return found;
    bytes += size;
    index += codePoint > 0xffff ? 2 : 1;
  }
  return found;
}

/** A range in bytes as a range of the text's own indexes. */
export function rangeOfBytes(text: string, start: number, end: number): { start: number; end: number } {
  const [from = 0, to = text.length] = indexesOfBytes(text, [start, Math.max(start, end)]);
  return { start: from, end: to };
}
