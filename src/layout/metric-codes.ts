/**
 * Words that metrics are labelled with, as numbers: who records passes the number, the catalogue shows the word.
 * A code is the word's place in its list; words are only ever added at the end of a list.
 */

export const OPERATIONS = [
  "remember",
  "recall",
  "get",
  "forget",
  "list",
  "create_space",
  "delete_space",
  "rebuild_index",
  "update_space",
  "link",
  "unlink",
  "list_bindings",
  "reinforce",
  "replay",
  "list_fading",
  "recognize",
  "complete",
  "imagine",
  "predict",
] as const;
export type Operation = (typeof OPERATIONS)[number];
export const OPERATION = codesOf(OPERATIONS);

/** By live memories when the operation ended; `none`: no such space. */
export const SPACE_CLASSES = ["none", "small", "medium", "large"] as const;
export type SpaceClass = (typeof SPACE_CLASSES)[number];
/** Live memories from which a space is `medium` (from here on it has a graph), and `large`. */
export const SPACE_MEDIUM_FROM = 1024;
export const SPACE_LARGE_FROM = 100_000;

/** `refused`: the caller can act; `unavailable`: later it may work; `failed`: the operator or we have to act. */
export const OUTCOMES = ["ok", "refused", "unavailable", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const OUTCOME = codesOf(OUTCOMES);

/** In the order of a recall; `log` is a remember's wait for its home writer and the log. */
export const STAGES = [
  "parse",
  "embed",
  "vector",
  "words",
  "fuse",
  "fetch",
  "log",
  "serialise",
  "spread",
  "meaning",
] as const;
export type Stage = (typeof STAGES)[number];
export const STAGE = codesOf(STAGES);

/** What was searched; `degraded`: words alone, because the query could not be embedded. */
export const RECALL_MODES = ["hybrid", "vector", "words", "degraded", "spreading"] as const;
/** What ended spreading activation: nothing but its hops, or a budget. */
export const SPREAD_ENDS = ["hops", "visits", "time"] as const;
export const REMEMBERED = ["stored", "replaced", "kept", "refused"] as const;

/** How far a memory is consolidated, as the phase in its header. */
export const MEMORY_PHASES = ["recent", "consolidating", "remote"] as const;
/** What made a binding, as the kind in its entry. */
export const BINDING_KINDS = [
  "temporal",
  "session",
  "similar",
  "entity",
  "tag",
  "link",
  "member",
  "cause",
] as const;

/** The code of the class of a space. @param liveCount -1 for no space */
export function spaceClassOf(liveCount: number): number {
  if (liveCount < 0) return 0;
  if (liveCount < SPACE_MEDIUM_FROM) return 1;
  return liveCount < SPACE_LARGE_FROM ? 2 : 3;
}

function codesOf<const T extends readonly string[]>(words: T): { readonly [W in T[number]]: number } {
  const codes = Object.fromEntries(words.map((word, code) => [word, code]));
  // fromEntries forgets the keys; they are the words of the list.
  return codes as { readonly [W in T[number]]: number };
}
