/** Scaling embeddings to length 1: the vector index compares directions, the length is kept beside. */
import { RequestError } from "../base/errors.ts";
import { normaliseVector } from "../ffi/vector.ts";

/**
 * A copy of `vector` of length 1, and the length it had.
 * Answers the error instead of throwing it, since a batch goes on without the bad one.
 */
export function normalised(vector: Float32Array): { unit: Float32Array; norm: number } | RequestError {
  const unit = new Float32Array(vector.length);
  const norm = normaliseVector(vector, unit);
  const storedNorm = Math.fround(norm);
  if (!Number.isFinite(storedNorm) || storedNorm === 0) {
    const bad = vector.findIndex((component) => !Number.isFinite(component));
    return new RequestError({
      code: "embedding-invalid",
      message:
        bad >= 0
          ? `The embedding's number ${bad} is ${vector[bad]}`
          : `The embedding has a length of ${norm}, so it points nowhere`,
      expected: "finite numbers that are not all zero",
      received: bad >= 0 ? String(vector[bad]) : `length ${norm}`,
      at: "embedding",
    });
  }
  return { unit, norm: storedNorm };
}
