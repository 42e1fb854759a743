/** Texts in which two words mean the same and are never said together, for tests of what is learned from them. */
import { Random } from "../../src/base/random.ts";

/** Of each topic: two words for one thing, then words that are said with either. */
const TOPICS: readonly (readonly string[])[] = [
  ["doctor", "physician", "fever", "clinic", "patient", "vaccine", "nurse", "surgery", "pulse", "cough"],
  ["car", "automobile", "engine", "garage", "brake", "highway", "gasoline", "driver", "tyre", "wheel"],
  ["film", "movie", "actor", "cinema", "screen", "director", "popcorn", "scene", "trailer", "camera"],
  ["sofa", "couch", "cushion", "carpet", "lamp", "curtain", "livingroom", "shelf", "armchair", "rug"],
  ["lawyer", "attorney", "court", "judge", "verdict", "contract", "trial", "witness", "jury", "appeal"],
  ["infant", "newborn", "cradle", "diaper", "lullaby", "milk", "stroller", "pacifier", "crib", "rattle"],
];
const COMMON = ["today", "talked", "again", "little", "later", "evening", "morning", "friend", "really"];

export type SynonymText = { readonly id: string; readonly content: string };

/** `count` texts of some six words each; a topic lasts for three of them. */
export function synonymTexts(count: number, seed = 11): SynonymText[] {
  const random = new Random(seed);
  let topic = TOPICS[0]!;
  return Array.from({ length: count }, (_, i) => {
    if (i % 3 === 0) topic = random.pick(TOPICS);
    const words = new Set([topic[random.below(2)]!]);
    while (words.size < 4) words.add(topic[2 + random.below(topic.length - 2)]!);
    while (words.size < 6) words.add(random.pick(COMMON));
    return { id: `text-${i}`, content: random.shuffle([...words]).join(" ") };
  });
}
