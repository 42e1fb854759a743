/**
 * The gist of a concept: what its members have in common, said with their own words.
 *
 * The terms that tell most are those that many of the members say and few memories otherwise: the share of members
 * that say a term, times its inverse document frequency. The sentence is the first of the member nearest to the
 * centroid, cut where it is long. Fuzzy traces of this kind outlast the verbatim ones (Reyna & Brainerd 1995).
 */

/** A word of a member that is no stop word. */
export type GistWord = {
  /** as it stands in the text */
  readonly surface: string;
  /** what it is indexed as */
  readonly term: string;
};

export type Gist = {
  /** surfaces, the most telling first */
  readonly terms: readonly string[];
  readonly sentence: string;
  /** both, as the concept's content */
  readonly text: string;
};

const TERMS_MAX = 8;
const SENTENCE_CHARACTERS_MAX = 200;
/** A term that fewer members say is one member's, not the concept's. */
const MEMBERS_SHARE_MIN = 0.3;

/**
 * @param members words of each, the most central one first
 * @param central content of the member nearest to the centroid
 * @param idf inverse document frequency of a term in the whole space
 */
export function gistOf(
  members: readonly (readonly GistWord[])[],
  central: string,
  idf: (term: string) => number,
): Gist {
  const found = new Map<string, { surface: string; memberCount: number }>();
  for (const words of members) {
    const seen = new Set<string>();
    for (const { surface, term } of words) {
      if (seen.has(term)) continue;
      seen.add(term);
      const known = found.get(term);
      // The first member says it best: it is the most central one.
      if (known === undefined) found.set(term, { surface: surface.toLowerCase(), memberCount: 1 });
      else known.memberCount += 1;
    }
  }
  const least = Math.max(2, MEMBERS_SHARE_MIN * members.length);
  const terms = [...found]
    .filter(([, { memberCount }]) => memberCount >= least)
    .map(([term, { surface, memberCount }]) => ({
      term,
      surface,
      weight: (memberCount / members.length) * idf(term),
    }))
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, TERMS_MAX)
    .map(({ surface }) => surface);
  const sentence = firstSentence(central);
  return { terms, sentence, text: terms.length === 0 ? sentence : `${terms.join(", ")}: ${sentence}` };
}

/** The first sentence of a text, or its first words where the sentence is long. */
export function firstSentence(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const end = line.search(/[.!?…](\s|$)/);
  const sentence = end < 0 ? line : line.slice(0, end + 1);
  if (sentence.length <= SENTENCE_CHARACTERS_MAX) return sentence;
  const cut = sentence.lastIndexOf(" ", SENTENCE_CHARACTERS_MAX - 1);
  return `${sentence.slice(0, cut > 0 ? cut : SENTENCE_CHARACTERS_MAX - 1).toWellFormed()}…`;
}
