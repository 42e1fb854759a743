/** The verbs of thought over a naive engine: probes are compared with every memory, and nothing is bound to anything. */
import type { Engine } from "../../src/engine/engine.ts";
import { Thinker } from "../../src/engine/thought/thinker.ts";

export function naiveThinker(engine: Engine): Thinker {
  return new Thinker({
    engine,
    probe: async (space, { text, embedding }) => {
      const { memories } = await engine.recall(space, {
        query: embedding === undefined ? text : undefined,
        embedding,
        mode: "vector",
        limit: 64,
        explain: true,
      });
      return {
        traces: memories.map(({ id, content, why }) => ({
          id,
          content,
          similarity: why?.vector?.similarity ?? 0,
          retention: 1,
        })),
        unrelatedSimilarity: 0,
      };
    },
    spread: (space, ids) => {
      for (const id of ids) engine.get(space, id);
      return {
        reached: [],
        report: { seeds: ids.length, visited: 0, hops: 0, reached: ids.length, budgetExhausted: "none" },
      };
    },
    measured: (_operation, _space, act) => act(),
    now: () => performance.now(),
  });
}
