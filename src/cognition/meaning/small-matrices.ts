/** Two decompositions of small symmetric matrices (a hundred rows), row-major doubles. */
import { assert } from "../../base/assert.ts";

/** A pivot smaller than this share of the largest is that of a column the others hold already. */
const PIVOT_MIN = 1e-10;
const SWEEPS_MAX = 30;

/**
 * The factor that makes columns orthonormal whose products with each other are `gram`: the inverse of the upper
 * Cholesky factor (Cholesky QR; Golub & Van Loan 2013, Matrix Computations, 4.2). Columns that depend on the
 * ones before them become 0.
 */
export function orthonormalFactor(gram: Float64Array, size: number): Float32Array {
  const upper = new Float64Array(size * size);
  let largest = 0;
  for (let i = 0; i < size; i++) largest = Math.max(largest, gram[i * size + i]!);
  const isFree = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    let pivot = gram[i * size + i]!;
    for (let k = 0; k < i; k++) pivot -= upper[k * size + i]! ** 2;
    if (pivot <= PIVOT_MIN * largest) continue;
    isFree[i] = 1;
    const root = Math.sqrt(pivot);
    upper[i * size + i] = root;
    for (let j = i + 1; j < size; j++) {
      let sum = gram[i * size + j]!;
      for (let k = 0; k < i; k++) sum -= upper[k * size + i]! * upper[k * size + j]!;
      upper[i * size + j] = sum / root;
    }
  }
  const inverse = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    if (isFree[j] === 0) continue;
    inverse[j * size + j] = 1 / upper[j * size + j]!;
    for (let i = j - 1; i >= 0; i--) {
      if (isFree[i] === 0) continue;
      let sum = 0;
      for (let k = i + 1; k <= j; k++) sum += upper[i * size + k]! * inverse[k * size + j]!;
      inverse[i * size + j] = -sum / upper[i * size + i]!;
    }
  }
  return Float32Array.from(inverse);
}

/**
 * Eigenvalues, largest first, and eigenvectors of a symmetric matrix, by Jacobi's rotations in a fixed order
 * (Golub & Van Loan 2013, 8.5).
 *
 * @returns vectors: column j belongs to values[j]
 */
export function eigenvectors(
  symmetric: Float64Array,
  size: number,
): { readonly values: Float64Array; readonly vectors: Float64Array } {
  assert(symmetric.length === size * size, "the matrix is square");
  const a = new Float64Array(symmetric.length);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++)
      a[i * size + j] = (symmetric[i * size + j]! + symmetric[j * size + i]!) / 2;
  }
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let sweep = 0; sweep < SWEEPS_MAX && outside(a, size) > 1e-20 * inside(a, size); sweep++) {
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
  }
  const order = Array.from({ length: size }, (_, i) => i);
  order.sort((i, j) => a[j * size + j]! - a[i * size + i]! || i - j);
  const sorted = new Float64Array(size * size);
  for (let to = 0; to < size; to++) {
    for (let row = 0; row < size; row++) sorted[row * size + to] = vectors[row * size + order[to]!]!;
  }
  return { values: Float64Array.from(order, (i) => a[i * size + i]!), vectors: sorted };
}

function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(t * t + 1);
  const sine = t * cosine;
  for (let k = 0; k < size; k++) {
    const kp = a[k * size + p]!;
    const kq = a[k * size + q]!;
    a[k * size + p] = cosine * kp - sine * kq;
    a[k * size + q] = sine * kp + cosine * kq;
  }
  for (let k = 0; k < size; k++) {
    const pk = a[p * size + k]!;
    const qk = a[q * size + k]!;
    a[p * size + k] = cosine * pk - sine * qk;
    a[q * size + k] = sine * pk + cosine * qk;
    const vp = vectors[k * size + p]!;
    const vq = vectors[k * size + q]!;
    vectors[k * size + p] = cosine * vp - sine * vq;
    vectors[k * size + q] = sine * vp + cosine * vq;
  }
}

function outside(a: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) if (i !== j) sum += a[i * size + j]! ** 2;
  return sum;
}

function inside(a: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += a[i * size + i]! ** 2;
  return sum;
}
