/**
 * A block's samples of one series, packed: most series of a machine stand still or count evenly.
 *
 *   byte 0       kind, + 128 where samples are missing
 *   bitmap       a bit for each tick, set where there is a sample; only where some are missing
 *   first value  f64
 *   then         CONSTANT  nothing
 *                INTEGERS  the difference to the value before, zigzag, seven bits a byte
 *                FLOATS    a byte `skip << 4 | count`, then `count` bytes of the value xor the value before, from its
 *                          byte `skip` on (bytes counted from the lowest)
 *
 * A column without any sample takes no bytes. A counter's tick takes one or two bytes, a gauge's some six.
 */
import { assert } from "../base/assert.ts";

const CONSTANT = 0;
const INTEGERS = 1;
const FLOATS = 2;
const WITH_MISSING = 128;
/** Up to here the zigzag of a difference is an exact double. */
const INTEGER_MAX = 2 ** 51;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
const eight = new Uint8Array(double.buffer);

/**
 * Packs `values[0, count)`, NaN where there is none.
 * @returns bytes written at `at`, 0 for a column without samples
 */
export function packColumn(values: Float64Array, count: number, into: Uint8Array, at: number): number {
  let present = 0;
  let first = 0;
  let isConstant = true;
  let areIntegers = true;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    if (present === 0) first = value;
    else if (!Object.is(value, first)) isConstant = false;
    if (!Number.isInteger(value) || Math.abs(value) > INTEGER_MAX || Object.is(value, -0))
      areIntegers = false;
    present += 1;
  }
  if (present === 0) return 0;
  const kind = isConstant ? CONSTANT : areIntegers ? INTEGERS : FLOATS;
  let next = at;
  into[next++] = kind + (present < count ? WITH_MISSING : 0);
  if (present < count) {
    const bitmapBytes = Math.ceil(count / 8);
    into.fill(0, next, next + bitmapBytes);
    for (let i = 0; i < count; i++) if (!Number.isNaN(values[i]!)) into[next + (i >> 3)]! |= 1 << (i & 7);
    next += bitmapBytes;
  }
  double[0] = first;
  into.set(eight, next);
  next += 8;
  if (kind === INTEGERS) next = packIntegers(values, count, into, next);
  else if (kind === FLOATS) next = packFloats(values, count, into, next);
  return next - at;
}

function packIntegers(values: Float64Array, count: number, into: Uint8Array, at: number): number {
  let next = at;
  let before = Number.NaN;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    if (!Number.isNaN(before)) {
      const difference = value - before;
      let rest = difference < 0 ? -difference * 2 - 1 : difference * 2;
      while (rest >= 128) {
        into[next++] = 128 | (rest % 128);
        rest = Math.floor(rest / 128);
      }
      into[next++] = rest;
    }
    before = value;
  }
  return next;
}

function packFloats(values: Float64Array, count: number, into: Uint8Array, at: number): number {
  let next = at;
  let low = 0;
  let high = 0;
  let isFirst = true;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    double[0] = value;
    const lowNow = halves[0]!;
    const highNow = halves[1]!;
    if (!isFirst) {
      halves[0] = lowNow ^ low;
      halves[1] = highNow ^ high;
      let skip = 0;
      let end = 8;
      while (end > 0 && eight[end - 1] === 0) end -= 1;
      while (skip < end && eight[skip] === 0) skip += 1;
      into[next++] = (skip << 4) | (end - skip);
      for (let byte = skip; byte < end; byte++) into[next++] = eight[byte]!;
    }
    isFirst = false;
    low = lowNow;
    high = highNow;
  }
  return next;
}

/**
 * Unpacks a column of `count` ticks into `values[valueAt, valueAt + count)`, NaN where there is no sample. Bytes that
 * were overwritten meanwhile give wrong values, and nothing worse; whoever reads them finds out.
 */
export function unpackColumn(
  bytes: Uint8Array,
  at: number,
  end: number,
  values: Float64Array,
  valueAt: number,
  count: number,
): void {
  assert(valueAt + count <= values.length, "there is room for the samples");
  const target = values.subarray(valueAt, valueAt + count);
  if (at >= end) {
    target.fill(Number.NaN);
    return;
  }
  const opening = bytes[at]!;
  let next = at + 1;
  const bitmap = opening >= WITH_MISSING ? next : -1;
  if (bitmap >= 0) next += Math.ceil(count / 8);
  for (let byte = 0; byte < 8; byte++) eight[byte] = bytes[next + byte] ?? 0;
  next += 8;
  const first = double[0]!;
  const kind = opening & ~WITH_MISSING;
  // Columns without gaps, nearly all, are unpacked without a look at a bitmap for each tick.
  if (kind === CONSTANT) target.fill(first);
  else if (kind === INTEGERS) unpackIntegers(bytes, next, end, target, first, bitmap);
  else unpackFloats(bytes, next, end, target, first, bitmap);
  if (kind !== CONSTANT || bitmap < 0) return;
  for (let i = 0; i < count; i++) if (!isThere(bytes, bitmap, i)) target[i] = Number.NaN;
}

/** Whether tick `i` has a sample, by the bitmap at `bitmap`; -1 where none is missing. */
function isThere(bytes: Uint8Array, bitmap: number, i: number): boolean {
  return bitmap < 0 || ((bytes[bitmap + (i >> 3)]! >> (i & 7)) & 1) === 1;
}

function unpackIntegers(
  bytes: Uint8Array,
  at: number,
  end: number,
  target: Float64Array,
  first: number,
  bitmap: number,
): void {
  let next = at;
  let value = first;
  let isFirst = true;
  for (let i = 0; i < target.length; i++) {
    if (!isThere(bytes, bitmap, i)) {
      target[i] = Number.NaN;
      continue;
    }
    if (!isFirst && next < end) {
      const byte = bytes[next]!;
      if (byte < 128) {
        // One byte does for most differences.
        next += 1;
        value += (byte >> 1) ^ -(byte & 1);
      } else {
        let rest = 0;
        let scale = 1;
        let more = 128;
        while (more >= 128 && next < end) {
          more = bytes[next++]!;
          rest += (more & 127) * scale;
          scale *= 128;
        }
        value += rest % 2 === 0 ? rest / 2 : -(rest + 1) / 2;
      }
    }
    isFirst = false;
    target[i] = value;
  }
}

function unpackFloats(
  bytes: Uint8Array,
  at: number,
  end: number,
  target: Float64Array,
  first: number,
  bitmap: number,
): void {
  let next = at;
  double[0] = first;
  let isFirst = true;
  for (let i = 0; i < target.length; i++) {
    if (!isThere(bytes, bitmap, i)) {
      target[i] = Number.NaN;
      continue;
    }
    if (!isFirst && next < end) {
      const control = bytes[next++]!;
      const skip = control >> 4;
      const stop = Math.min(8, skip + (control & 15));
      for (let byte = skip; byte < stop; byte++) eight[byte]! ^= bytes[next++]!;
    }
    isFirst = false;
    target[i] = double[0]!;
  }
}
