/** The verbs that go beyond finding: recognising, completing, imagining, predicting. Nothing of it changes a space. */
import type { Completion, Field, Pattern } from "../../cognition/completion.ts";
import type { Scene } from "../../cognition/imagination.ts";
import type { Predicted } from "../../cognition/prediction.ts";
import type { Recognition } from "../../cognition/recognition.ts";
import type { NodeKind } from "../../layout/node-header.ts";
import type { Memory } from "../engine.ts";
import type { ActivationOverrides } from "../recall/activation-settings.ts";
import type { Conditions } from "../statement/statement.ts";
import type { Spread } from "./spread-probe.ts";

export type Probe = {
  readonly text?: string | undefined;
  readonly embedding?: Float32Array | undefined;
  /** memories that are asked; all but concepts where absent */
  readonly kinds?: readonly NodeKind[] | undefined;
};

export type SpreadOptions = {
  readonly overrides: ActivationOverrides | undefined;
  readonly limit: number;
  readonly explain: boolean;
};

export type Recognised = Recognition & {
  readonly space: string;
  /** memories that answer the probe, the most similar first */
  readonly traces: readonly {
    readonly id: string;
    readonly similarity: number;
    readonly retention: number;
    readonly isSame: boolean;
  }[];
  /** mean cosine of the probe with memories taken anywhere in the space */
  readonly unrelatedSimilarity: number;
  readonly tookMs: number;
};

export type CompleteOptions = {
  /** most other values of a field */
  readonly alternatives?: number | undefined;
  /** id of an episode that is not to be used */
  readonly without?: string | undefined;
  /** the memories that are recalled for it are not used by that */
  readonly isPassive?: boolean | undefined;
};

export type Completed = Completion & {
  readonly space: string;
  readonly fragment: Pattern;
  readonly tookMs: number;
};

export type Imagined = {
  readonly space: string;
  readonly scenes: readonly Scene[];
  readonly tookMs: number;
};

export type PredictedMemory = Predicted & { readonly memory: Memory };

export type Prediction = {
  readonly space: string;
  /** memories of situations like this one, with how much each resembles it */
  readonly situations: readonly { readonly id: string; readonly weight: number }[];
  readonly predictions: readonly PredictedMemory[];
  readonly tookMs: number;
};

export interface ThoughtEngine {
  /** Whether something was met before. @throws {RequestError} as a recall by vector does */
  recognise(space: string, probe: Probe): Promise<Recognised>;
  /**
   * The rest of an episode that is known in part.
   * @throws {RequestError} `completion-insufficient`, with the fields that would help
   */
  complete(space: string, fragment: Pattern, options?: CompleteOptions): Promise<Completed>;
  /** @throws {RequestError} `imagination-insufficient` with fewer than two episodes to take parts from */
  imagine(
    space: string,
    text: string,
    options: { readonly where: Conditions; readonly limit: number },
  ): Promise<Imagined>;
  /** What activation reaches from some memories. @throws {RequestError} `memory-not-found`, `activation-off` */
  spread(space: string, ids: readonly string[], options: SpreadOptions): Spread;
  /** What followed when something like this happened. */
  predict(
    space: string,
    after: { readonly id: string } | { readonly text: string },
    options: { readonly withinMs: number; readonly limit: number },
  ): Promise<Prediction>;
}

export type { Field, Pattern };
