import { describe, expect, test } from "bun:test";
import { Random } from "../../../src/base/random.ts";
import { contextGain } from "../../../src/cognition/meaning/context.ts";
import { PLAIN_KERNELS } from "../../../src/cognition/meaning/kernels.ts";
import {
  dimensionsFor,
  type LearnedMeaning,
  learnMeaning,
  learnMeaningAtOnce,
} from "../../../src/cognition/meaning/learn.ts";
import { foldText, meaningShare } from "../../../src/cognition/meaning/meaning.ts";
import { NATIVE_KERNELS } from "../../../src/cognition/meaning/native-kernels.ts";
import { eigenvectors, orthonormalFactor } from "../../../src/cognition/meaning/small-matrices.ts";
import { type TextMatrix, TextMatrixBuilder } from "../../../src/cognition/meaning/text-matrix.ts";

const SEED = 5;
const TOPICS = 8;
const TOPIC_WORDS = 12;
const COMMON_WORDS = 20;
const TERMS = TOPICS * TOPIC_WORDS + COMMON_WORDS;

/**
 * Texts about one topic each. The first two words of a topic mean the same, and no text uses both.
 *
 * @param stay how many texts in a row are about one topic
 */
function topicTexts(count: number, stay: number): TextMatrix {
  const random = new Random(SEED);
  const builder = new TextMatrixBuilder(new Float32Array(TERMS).fill(2), {
    texts: count,
    entries: count * 10,
  });
  let topic = 0;
  for (let text = 0; text < count; text++) {
    if (text % stay === 0) topic = random.below(TOPICS);
    const words = new Set<number>([topic * TOPIC_WORDS + random.below(2)]);
    while (words.size < 4) words.add(topic * TOPIC_WORDS + 2 + random.below(TOPIC_WORDS - 2));
    while (words.size < 6) words.add(TOPICS * TOPIC_WORDS + random.below(COMMON_WORDS));
    for (const word of words) builder.add(word, 1);
    builder.endText();
  }
  return builder.finish();
}

function learned(texts: TextMatrix, kernels = NATIVE_KERNELS): LearnedMeaning {
  return learnMeaningAtOnce(texts, { dimensionsMax: 16, seed: SEED, kernels })!;
}

function similarity({ vectors, dimensions }: LearnedMeaning, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < dimensions; i++) sum += vectors[a * dimensions + i]! * vectors[b * dimensions + i]!;
  return sum;
}

describe("learnMeaning", () => {
  test("learns that two words mean the same though no text holds both", () => {
    const meaning = learned(topicTexts(800, 1));
    for (let topic = 0; topic < TOPICS; topic++) {
      const word = topic * TOPIC_WORDS;
      const other = ((topic + 3) % TOPICS) * TOPIC_WORDS;
      expect(similarity(meaning, word, word + 1)).toBeGreaterThan(0.6);
      expect(Math.abs(similarity(meaning, word, other))).toBeLessThan(0.3);
    }
  });

  test("gives the same vectors for the same texts and seed, however it is sliced", () => {
    const texts = topicTexts(300, 2);
    const once = learned(texts);
    const steps = learnMeaning(texts, { dimensionsMax: 16, seed: SEED, kernels: NATIVE_KERNELS });
    let slices = 0;
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        expect(step.value!.vectors).toEqual(once.vectors);
        break;
      }
      slices += 1;
    }
    expect(slices).toBeGreaterThan(10);
  });

  test("learns the same similarities with the plain kernels", () => {
    const texts = topicTexts(300, 3);
    const native = learned(texts);
    const plain = learned(texts, PLAIN_KERNELS);
    for (let term = 0; term + 1 < TERMS; term++) {
      const gap = Math.abs(similarity(native, term, term + 1) - similarity(plain, term, term + 1));
      expect(gap).toBeLessThan(1e-3);
    }
  });

  test("learns nothing from too few texts, and has unit vectors or none otherwise", () => {
    const options = { dimensionsMax: 16, seed: SEED, kernels: NATIVE_KERNELS };
    expect(learnMeaningAtOnce(topicTexts(20, 1), options)).toBeUndefined();
    const { vectors, dimensions } = learned(topicTexts(200, 1));
    expect(dimensions).toBe(16);
    for (let term = 0; term < TERMS; term++) {
      const length = Math.hypot(...vectors.subarray(term * dimensions, (term + 1) * dimensions));
      expect(length < 1e-6 || Math.abs(length - 1) < 1e-5).toBe(true);
    }
  });
});

describe("contextGain", () => {
  test("is 1 where neighbours speak of one thing and 0 where their order says nothing", () => {
    expect(contextGain(topicTexts(900, 6), new Random(SEED))).toBe(1);
    expect(contextGain(topicTexts(900, 1), new Random(SEED))).toBeLessThan(0.1);
    expect(meaningShare(1, false)).toBeGreaterThan(meaningShare(0, false));
  });
});

describe("foldText", () => {
  test("puts a text near texts of its topic that share no word with it", () => {
    const meaning = learned(topicTexts(800, 1));
    const gains = new Float32Array(TERMS).fill(2);
    const text = (words: readonly number[]): Float32Array =>
      foldText(
        meaning,
        gains,
        words.map((term) => ({ term, occurrences: 1 })),
      );
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const query = text([0, 2, 3]);
    expect(dot(query, text([1, 5, 6]))).toBeGreaterThan(0.8);
    expect(dot(query, text([TOPIC_WORDS * 3, TOPIC_WORDS * 3 + 5]))).toBeLessThan(0.3);
    expect([...text([])]).toEqual(new Array(meaning.dimensions).fill(0));
  });
});

describe("dimensionsFor", () => {
  test("grows with the root of the vocabulary, in eights, up to the setting", () => {
    expect(dimensionsFor(10, 128)).toBe(16);
    expect(dimensionsFor(1200, 128)).toBe(72);
    expect(dimensionsFor(100_000, 128)).toBe(128);
    expect(dimensionsFor(100_000, 100)).toBe(96);
  });
});

describe("small matrices", () => {
  test("orthonormalFactor makes columns orthonormal, and drops one that depends on others", () => {
    const random = new Random(SEED);
    const rows = 30;
    const size = 6;
    const a = Float64Array.from({ length: rows * size }, () => random.gaussian());
    for (let row = 0; row < rows; row++) a[row * size + 4] = a[row * size]! - 2 * a[row * size + 2]!;
    const productOf = (m: Float64Array): Float64Array => {
      const gram = new Float64Array(size * size);
      for (let row = 0; row < rows; row++)
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) gram[i * size + j]! += m[row * size + i]! * m[row * size + j]!;
      return gram;
    };
    const factor = orthonormalFactor(productOf(a), size);
    const q = new Float64Array(rows * size);
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) q[row * size + j]! += a[row * size + i]! * factor[i * size + j]!;
    const gram = productOf(q);
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        expect(Math.abs(gram[i * size + j]! - (i === j && i !== 4 ? 1 : 0))).toBeLessThan(1e-5);
  });

  test("eigenvectors take a symmetric matrix apart, largest value first", () => {
    const random = new Random(SEED);
    const size = 20;
    const a = new Float64Array(size * size);
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++) {
        a[i * size + j] = random.gaussian();
        a[j * size + i] = a[i * size + j]!;
      }
    const { values, vectors } = eigenvectors(a, size);
    for (let c = 0; c < size; c++) {
      if (c > 0) expect(values[c]!).toBeLessThanOrEqual(values[c - 1]!);
      for (let row = 0; row < size; row++) {
        let product = 0;
        for (let k = 0; k < size; k++) product += a[row * size + k]! * vectors[k * size + c]!;
        expect(Math.abs(product - values[c]! * vectors[row * size + c]!)).toBeLessThan(1e-9);
      }
    }
  });
});
