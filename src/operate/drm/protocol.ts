/**
 * The DRM protocol (Deese 1959; Roediger & McDermott 1995) on a running appliance, in spaces of its own.
 *
 *   before     every word of the lexicon is a plain memory: what somebody knows who never saw the lists
 *   study      the words of half of the lists, in order, each an episode, the lists a session each
 *   recall     of each studied list, activation spreads from its first words; the fifteen strongest words count
 *   recognise  studied words, lures, and words and lures of the lists that were not studied, asked of episodes only
 *
 * Then the halves change places. A lure counts only where it was never studied, in no list. Rates of recognition are
 * mean probabilities, which is what people's shares estimate; how often the appliance says "old" stands beside.
 */
import { Random } from "../../base/random.ts";
import { dPrime } from "../../cognition/recognition.ts";
import type { DrmList, DrmMaterial } from "./material.ts";

export type DrmCalls = {
  /** one call of the API on a space. @throws where the appliance refuses */
  readonly call: (
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
    space?: string,
  ) => Promise<unknown>;
  readonly progress: (text: string) => void;
  readonly pause: (ms: number) => Promise<unknown>;
  readonly isCancelled: () => boolean;
};

export type Rate = { readonly probability: number; readonly saidOld: number; readonly count: number };

export type DrmResult = {
  readonly lists: number;
  readonly recognition: {
    readonly studied: Rate;
    readonly lures: Rate;
    readonly unrelated: Rate;
    readonly unrelatedLures: Rate;
    /** studied against unrelated words, and against lures */
    readonly dPrimeTrue: number;
    readonly dPrimeLures: number;
  };
  readonly recall: {
    /** share of the studied words that came up, the cues aside */
    readonly studied: number;
    /** share of the lists whose lure came up */
    readonly lures: number;
    /** words of no studied list, the lure aside, by list */
    readonly intrusions: number;
  };
  /** by list: probability with which its lure is taken for old, beside people's */
  readonly byList: readonly {
    readonly lure: string;
    readonly falseRecognition: number;
    readonly human: number | undefined;
  }[];
  /** over the lists that people were measured on; null with fewer than four */
  readonly correlationWithPeople: number | null;
};

/** Serial positions that are tested, as in 1995: 1, 8 and 10, from 0. */
const TESTED_POSITIONS = [0, 7, 9];
const CUES = 3;
const RECALLED_MAX = 15;
const WAIT_MS_MAX = 120_000;
const BATCH = 200;
const FIRST_DAY_MS = Date.UTC(1995, 6, 1);
const DAY_MS = 86_400_000;
const LEXICON_SEED = 1995;
const WORD_MS = 2000;
const LIST_MS = 3_600_000;

type Half = { readonly studied: readonly DrmList[]; readonly other: readonly DrmList[] };
type Asked = { readonly probability: number; readonly isOld: boolean };

export async function runDrm(
  material: DrmMaterial,
  calls: DrmCalls,
  spacePrefix: string,
): Promise<DrmResult> {
  const everStudied = new Set(material.lists.flatMap(({ words }) => words));
  const lists = material.lists.filter(({ lure }) => !everStudied.has(lure));
  const odd = lists.filter((_, at) => at % 2 === 1);
  const even = lists.filter((_, at) => at % 2 === 0);
  const asked = {
    studied: [] as Asked[],
    lures: [] as Asked[],
    unrelated: [] as Asked[],
    unrelatedLures: [] as Asked[],
  };
  const byList: DrmResult["byList"][number][] = [];
  const recalled = { studied: 0, possible: 0, lures: 0, intrusions: 0, lists: 0 };
  const halves: readonly Half[] = [
    { studied: even, other: odd },
    { studied: odd, other: even },
  ];
  for (const [at, half] of halves.entries()) {
    const space = `${spacePrefix}-${at + 1}`;
    const study = new Study(material, calls, space);
    try {
      await study.prepare(half.studied);
      for (const list of half.studied) {
        const { words, lure } = await study.recall(list);
        const possible = list.words.slice(CUES);
        recalled.studied += possible.filter((word) => words.has(word)).length;
        recalled.possible += possible.length;
        recalled.lures += lure ? 1 : 0;
        recalled.intrusions += [...words].filter(
          (word) => !list.words.includes(word) && word !== list.lure,
        ).length;
        recalled.lists += 1;
      }
      for (const list of half.studied) {
        for (const word of testedOf(list)) asked.studied.push(await study.recognise(word));
        const lure = await study.recognise(list.lure);
        asked.lures.push(lure);
        byList.push({
          lure: list.lure,
          falseRecognition: lure.probability,
          human: list.humanFalseRecognition,
        });
      }
      for (const list of half.other) {
        for (const word of testedOf(list)) asked.unrelated.push(await study.recognise(word));
        asked.unrelatedLures.push(await study.recognise(list.lure));
      }
    } finally {
      await study.end();
    }
  }
  const studied = rateOf(asked.studied);
  const lures = rateOf(asked.lures);
  const unrelated = rateOf(asked.unrelated);
  const share = ({ probability, count }: Rate) => ({ share: probability, count });
  return {
    lists: lists.length,
    recognition: {
      studied,
      lures,
      unrelated,
      unrelatedLures: rateOf(asked.unrelatedLures),
      dPrimeTrue: dPrime(share(studied), share(unrelated)),
      dPrimeLures: dPrime(share(studied), share(lures)),
    },
    recall: {
      studied: recalled.studied / Math.max(1, recalled.possible),
      lures: recalled.lures / Math.max(1, recalled.lists),
      intrusions: recalled.intrusions / Math.max(1, recalled.lists),
    },
    byList,
    correlationWithPeople: correlationOf(byList),
  };
}

/** One space with its lexicon and its studied lists. */
class Study {
  readonly #material: DrmMaterial;
  readonly #calls: DrmCalls;
  readonly #space: string;
  #isMade = false;

  constructor(material: DrmMaterial, calls: DrmCalls, space: string) {
    this.#material = material;
    this.#calls = calls;
    this.#space = space;
  }

  async prepare(lists: readonly DrmList[]): Promise<void> {
    const { call, progress } = this.#calls;
    const { lexicon, vectors } = this.#material;
    const dimensions = vectors?.values().next().value?.length;
    await call("POST", "/api/v1/spaces", {
      name: this.#space,
      ...(dimensions === undefined ? {} : { dimensions, embedder: "none" }),
    });
    this.#isMade = true;
    progress(`${this.#space}: ${lexicon.length} words are known`);
    // By chance and a day apart: words must not be bound because they were learned one after the other.
    const order = new Random(LEXICON_SEED).shuffle([...lexicon]);
    const firstMs = FIRST_DAY_MS - (order.length + 1) * DAY_MS;
    for (let from = 0; from < order.length; from += BATCH) {
      const memories = order.slice(from, from + BATCH).map((word, at) => ({
        id: `word/${word}`,
        content: word,
        timestamp: firstMs + (from + at) * DAY_MS,
        ...this.#embedding(word),
      }));
      await call("POST", "/api/v1/memories/remember/batch", { ack: "memory", memories }, this.#space);
    }
    progress(`${this.#space}: ${lists.length} lists are studied`);
    for (const [at, list] of lists.entries()) {
      for (const [position, word] of list.words.entries()) {
        const when = FIRST_DAY_MS + at * LIST_MS + position * WORD_MS;
        const episode = {
          id: episodeId(list, word),
          what: word,
          when,
          session: `list ${at + 1}`,
          ack: "memory",
        };
        await call(
          "POST",
          "/api/v1/episodes/remember",
          { ...episode, ...this.#embedding(word) },
          this.#space,
        );
      }
    }
    await this.#untilAssociated();
  }

  /** The words that come up from the first words of a list. */
  async recall(list: DrmList): Promise<{ readonly words: ReadonlySet<string>; readonly lure: boolean }> {
    const cues = list.words.slice(0, CUES).map((word) => JSON.stringify(episodeId(list, word)));
    const statement = `SPREAD FROM MEMORY ${cues.join(", ")} LIMIT 100`;
    const { spread } = (await this.#calls.call(
      "POST",
      "/api/v1/query/engram",
      { statement },
      this.#space,
    )) as {
      spread: { reached: { memory: { content: string } }[] };
    };
    const words = new Set<string>();
    // A word and its being studied are two memories, and come to mind as one.
    for (const { memory } of spread.reached) {
      if (words.size === RECALLED_MAX) break;
      if (!list.words.slice(0, CUES).includes(memory.content)) words.add(memory.content);
    }
    return { words, lure: words.has(list.lure) };
  }

  async recognise(word: string): Promise<Asked> {
    const { embedding } = this.#embedding(word);
    const { probability, recognized } = (await this.#calls.call(
      "POST",
      "/api/v1/recognize",
      { content: word, kinds: ["episode"], ...(embedding === undefined ? {} : { embedding }) },
      this.#space,
    )) as { probability: number; recognized: "old" | "new" };
    return { probability, isOld: recognized === "old" };
  }

  async end(): Promise<void> {
    if (!this.#isMade) return;
    await this.#calls.call("DELETE", `/api/v1/spaces/${this.#space}`);
  }

  async #untilAssociated(): Promise<void> {
    const { call, pause, progress, isCancelled } = this.#calls;
    progress(`${this.#space}: waiting for associations to form`);
    const deadline = performance.now() + WAIT_MS_MAX;
    while (performance.now() < deadline && !isCancelled()) {
      const { unassociated } = (await call("GET", `/api/v1/spaces/${this.#space}`)) as {
        unassociated: number;
      };
      if (unassociated === 0) return;
      await pause(100);
    }
  }

  #embedding(word: string): { readonly embedding?: readonly number[] } {
    const vector = this.#material.vectors?.get(word);
    return vector === undefined ? {} : { embedding: Array.from(vector) };
  }
}

function episodeId({ lure }: DrmList, word: string): string {
  return `studied/${lure}/${word}`;
}

function testedOf({ words }: DrmList): string[] {
  return TESTED_POSITIONS.flatMap((position) => words[position] ?? []);
}

function rateOf(asked: readonly Asked[]): Rate {
  const count = asked.length;
  return {
    probability: count === 0 ? 0 : asked.reduce((sum, { probability }) => sum + probability, 0) / count,
    saidOld: count === 0 ? 0 : asked.filter(({ isOld }) => isOld).length / count,
    count,
  };
}

/** Pearson's r between the model's lures and people's. */
function correlationOf(byList: DrmResult["byList"]): number | null {
  const pairs = byList.flatMap(({ falseRecognition, human }) =>
    human === undefined ? [] : [[falseRecognition, human]],
  );
  if (pairs.length < 4) return null;
  const mean = (at: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[at]!, 0) / pairs.length;
  const [mx, my] = [mean(0), mean(1)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    xy += (x! - mx) * (y! - my);
    xx += (x! - mx) ** 2;
    yy += (y! - my) ** 2;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}
