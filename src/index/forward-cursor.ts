/** Reads forward lists (`layout/posting.ts`), number by number. One cursor serves many lists. */
import type { ByteArenaReader } from "../shm/arena.ts";

export class ForwardCursor {
  readonly #forward: ByteArenaReader;
  #bytes = new Uint8Array(0);
  #at = 0;

  constructor(forward: ByteArenaReader) {
    this.#forward = forward;
  }

  /** Goes to the list at a byte offset of the arena; its first number is how many terms follow. */
  open(forwardAt: number): void {
    this.#bytes = this.#forward.u8(this.#forward.chunkOf(forwardAt)) as Uint8Array<ArrayBuffer>;
    this.#at = this.#forward.offsetIn(forwardAt);
  }

  /** The next number, LEB128. */
  next(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at++]!;
    if (first < 128) return first;
    let value = first & 127;
    for (let scale = 128; ; scale *= 128) {
      const byte = bytes[this.#at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
}
