/**
 * Statements of the query language, as plain data: what `parse-statement.ts` makes of a text and
 * `run-statement.ts` carries out with the verbs of the engine.
 *
 * Times are milliseconds since the Unix epoch, spans are milliseconds, scores and confidences 0 to 1. What a
 * statement does not say is absent, so that the defaults of each verb stay in one place.
 */
import type { NodeKind } from "../../layout/node-header.ts";
import type { RecallMode } from "../engine.ts";

/** What memories have to be like. All conditions of a statement hold at once. */
export type Conditions = {
  readonly tags?: readonly string[];
  readonly kinds?: readonly NodeKind[];
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly minConfidence?: number;
  readonly minScore?: number;
};

/** Fields of an episode that a fragment may give. */
export type EpisodeField = "what" | "who" | "where" | "when" | "why" | "how";

export type RecallStatement = {
  readonly verb: "recall";
  readonly text: string;
  readonly where: Conditions;
  readonly mode?: RecallMode;
  readonly asOfMs?: number;
  readonly limit?: number;
  readonly explain: boolean;
};

export type SpreadStatement = {
  readonly verb: "spread";
  /** ids of memories, or a text whose best memories are the seeds */
  readonly from: { readonly ids: readonly string[] } | { readonly text: string };
  readonly hops?: number;
  readonly decay?: number;
  readonly threshold?: number;
  readonly limit?: number;
  readonly explain: boolean;
};

export type CompleteStatement = {
  readonly verb: "complete";
  readonly fragment: Readonly<Partial<Record<EpisodeField, string>>>;
  readonly limit?: number;
};

export type ConsolidateStatement = {
  readonly verb: "consolidate";
  /** most cycles */
  readonly limit?: number;
};

export type ImagineStatement = {
  readonly verb: "imagine";
  readonly text: string;
  readonly where: Conditions;
  /** most scenes */
  readonly limit?: number;
};

export type PredictStatement = {
  readonly verb: "predict";
  /** the situation: a memory, or a text */
  readonly after: { readonly id: string } | { readonly text: string };
  /** how long after the situation something may follow */
  readonly withinMs?: number;
  readonly limit?: number;
};

export type Statement =
  | RecallStatement
  | SpreadStatement
  | CompleteStatement
  | ConsolidateStatement
  | ImagineStatement
  | PredictStatement;
