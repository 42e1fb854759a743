import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { CentroidMover, pairSimilarity } from "../../src/cognition/centroid.ts";

const DIMENSIONS = 24;

function unitVectors(random: Random, count: number): Float32Array[] {
  return Array.from({ length: count }, () => {
    const vector = Float32Array.from({ length: DIMENSIONS }, (_, d) => (d === 0 ? 2 : 0) + random.gaussian());
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
}

/** By its definition: the sum of the members, its direction, and the mean cosine of the members with it. */
function plainCentroid(members: readonly Float32Array[]) {
  const sum = new Float64Array(DIMENSIONS);
  for (const member of members) for (let d = 0; d < DIMENSIONS; d++) sum[d]! += member[d]!;
  const length = Math.hypot(...sum);
  const direction = Float32Array.from(sum, (value) => value / length);
  const cosines = members.map((member) => member.reduce((dot, value, d) => dot + value * direction[d]!, 0));
  return { direction, coherence: cosines.reduce((total, cosine) => total + cosine, 0) / members.length };
}

test("CentroidMover keeps the mean of its members while they join and leave one by one", () => {
  const random = new Random(3);
  const vectors = unitVectors(random, 60);
  const mover = new CentroidMover(DIMENSIONS);
  const direction = new Float32Array(DIMENSIONS);
  const members = new Set<number>([0]);
  direction.set(vectors[0]!);
  let coherence = 1;
  for (let step = 0; step < 400; step++) {
    const which = random.below(vectors.length);
    if (members.has(which) && members.size === 1) continue;
    mover.begin();
    mover.addCentroid(ptr(direction), { coherence, memberCount: members.size });
    mover.addMember(ptr(vectors[which]!), members.has(which) ? -1 : 1);
    if (!members.delete(which)) members.add(which);
    const found = mover.finish(members.size, direction);
    expect(found).toBeDefined();
    coherence = Math.fround(found!);
    const plain = plainCentroid([...members].map((i) => vectors[i]!));
    expect(Math.abs(coherence - plain.coherence)).toBeLessThan(1e-5);
    for (let d = 0; d < DIMENSIONS; d++)
      expect(Math.abs(direction[d]! - plain.direction[d]!)).toBeLessThan(1e-4);
  }
});

test("CentroidMover merges two centroids into that of all their members", () => {
  const vectors = unitVectors(new Random(4), 30);
  const halves = [vectors.slice(0, 9), vectors.slice(9)];
  const mover = new CentroidMover(DIMENSIONS);
  mover.begin();
  const kept = halves.map((half) => ({ ...plainCentroid(half), memberCount: half.length }));
  for (const half of kept) mover.addCentroid(ptr(half.direction), half);
  const direction = new Float32Array(DIMENSIONS);
  const coherence = mover.finish(30, direction)!;
  const plain = plainCentroid(vectors);
  expect(Math.abs(coherence - plain.coherence)).toBeLessThan(1e-6);
  for (let d = 0; d < DIMENSIONS; d++)
    expect(Math.abs(direction[d]! - plain.direction[d]!)).toBeLessThan(1e-6);
});

test("CentroidMover has no direction where members cancel each other out, or none is left", () => {
  const mover = new CentroidMover(2);
  const east = new Float32Array([1, 0]);
  const west = new Float32Array([-1, 0]);
  mover.begin();
  mover.addMember(ptr(east));
  mover.addMember(ptr(west));
  expect(mover.finish(2, new Float32Array(2))).toBeUndefined();
  mover.begin();
  expect(mover.finish(0, new Float32Array(2))).toBeUndefined();
});

test("pairSimilarity is the mean cosine of two different members", () => {
  const vectors = unitVectors(new Random(5), 12);
  let sum = 0;
  for (let i = 0; i < 12; i++)
    for (let j = 0; j < i; j++)
      sum += vectors[i]!.reduce((dot, value, d) => dot + value * vectors[j]![d]!, 0);
  const { coherence } = plainCentroid(vectors);
  expect(Math.abs(pairSimilarity({ coherence, memberCount: 12 }) - sum / 66)).toBeLessThan(1e-6);
  expect(pairSimilarity({ coherence: 1, memberCount: 1 })).toBe(1);
});
