/**
 * Applies records of the log to a space, as service and recovery both do: what a restart rebuilds is what was there.
 * Payloads lie in memory of this process, not in shared memory, which text decoders refuse.
 */
import { assert } from "../base/assert.ts";
import { analyse } from "../language/analyse.ts";
import { TermBuffer } from "../language/term-buffer.ts";
import { FORGET_HEAD_BYTES, LOG_KIND } from "../layout/log-payload.ts";
import { compoundParts } from "./mind/compound.ts";
import type { SpaceWriter } from "./space-writer.ts";
import { RememberView } from "./write-codec.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class LogApplier {
  readonly #memory = new RememberView();
  readonly #terms = new TermBuffer();

  /** Applies one record to its space; records that make and delete spaces are the space keeper's. */
  apply(space: SpaceWriter, kind: number, payload: Uint8Array, sequence: number): void {
    switch (kind) {
      case LOG_KIND.remember: {
        const memory = this.#memory.open(payload);
        const content = decoder.decode(
          payload.subarray(memory.contentAt, memory.contentAt + memory.contentBytes),
        );
        analyse(content, space.description.language, this.#terms);
        space.remember(memory, this.#terms, this.#terms.tokenCount, sequence);
        break;
      }
      case LOG_KIND.forget:
        space.forget(payload, FORGET_HEAD_BYTES, sequence);
        break;
      case LOG_KIND.traits:
        space.mind.applyTraits(payload);
        break;
      case LOG_KIND.bind:
        space.mind.applyBind(payload);
        break;
      case LOG_KIND.progress:
        space.mind.applyProgress(payload);
        break;
      case LOG_KIND.compound:
        for (const part of compoundParts(payload)) this.apply(space, part.kind, part.payload, sequence);
        break;
      default:
        assert(false, `the log holds no records of kind ${kind}`);
    }
  }
}
