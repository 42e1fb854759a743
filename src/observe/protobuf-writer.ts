/**
 * Writes protocol buffers: the few wire types that metrics need, into one buffer that grows.
 *
 * A nested message is written in place behind one byte for its length; where the length needs more bytes, the
 * message is moved up by them when it ends. (https://protobuf.dev/programming-guides/encoding/)
 */
import { assert } from "../base/assert.ts";

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const encoder = new TextEncoder();

export class ProtobufWriter {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** What was written; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** A whole number of up to 53 bits, as uint32, uint64 or an enum. */
  varint(field: number, value: number): void {
    this.#tag(field, WIRE_VARINT);
    this.#varint(value);
  }

  /** A sint32 or sint64 of up to 52 bits. */
  zigzag(field: number, value: number): void {
    this.varint(field, value >= 0 ? value * 2 : -value * 2 - 1);
  }

  double(field: number, value: number): void {
    this.#tag(field, WIRE_FIXED64);
    this.#room(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  text(field: number, value: string): void {
    this.#tag(field, WIRE_BYTES);
    // A code unit takes at most three bytes of UTF-8.
    this.#room(10 + value.length * 3);
    const start = this.#at + 1;
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start));
    this.#close(start, written);
  }

  message(field: number, write: () => void): void {
    this.#tag(field, WIRE_BYTES);
    this.#nested(write);
  }

  /** A message without a field number, behind its length: how messages follow each other in a stream. */
  delimited(write: () => void): void {
    this.#nested(write);
  }

  #nested(write: () => void): void {
    this.#room(10);
    const start = this.#at + 1;
    this.#at = start;
    write();
    this.#close(start, this.#at - start);
  }

  /** Puts the length before `count` bytes at `start`, whose first byte for it is reserved. */
  #close(start: number, count: number): void {
    let lengthBytes = 1;
    for (let rest = count; rest >= 128; rest = Math.floor(rest / 128)) lengthBytes += 1;
    if (lengthBytes > 1) {
      this.#at = start + count;
      this.#room(10);
      this.#bytes.copyWithin(start + lengthBytes - 1, start, start + count);
    }
    this.#at = start - 1;
    this.#varint(count);
    this.#at += count;
  }

  #tag(field: number, wire: number): void {
    this.#room(10);
    this.#varint(field * 8 + wire);
  }

  #varint(value: number): void {
    assert(
      Number.isSafeInteger(value) && value >= 0,
      "a varint is a whole number that a double holds exactly",
    );
    this.#room(10);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + bytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
