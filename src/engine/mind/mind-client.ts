/**
 * How a thread changes the mind of a space: it sends its home writer a compound, or uses.
 *
 * A space that was deleted meanwhile is no error here: what was found out about it is of no use any more.
 */
import { RequestError } from "../../base/errors.ts";
import { WRITE_OP, WRITE_OUTCOME } from "../../layout/write-message.ts";
import type { Ack } from "../engine.ts";
import type { SpaceRoot } from "../space-table.ts";
import type { WriteClient, WriteReply } from "../write-client.ts";
import { encodeUses, type NodeUse } from "./use-request.ts";

/** A space as it was found: `generation` is that of the root when it was read. */
export type MindTarget = { readonly root: SpaceRoot; readonly generation: number };

/** `gone`: the space was deleted. `done`: records of the compound, or uses, that named what is still there. */
export type MindReply = { readonly gone: boolean; readonly done: number };

/**
 * Applies a compound, all of it or nothing. @param payload at most MIND_PAYLOAD_BYTES_MAX bytes
 * @throws {RequestError} `disk-full`, `memory-exhausted`, `space-full`, `overloaded`, `shutting-down`: nothing was done
 */
export async function sendCompound(
  client: WriteClient,
  target: MindTarget,
  payload: Uint8Array,
  ack: Ack,
): Promise<MindReply> {
  return replyOf(
    await client.request(target.root.load("writer"), requestOf(WRITE_OP.mind, target, payload, ack)),
  );
}

/** Tells of uses. @throws {RequestError} as `sendCompound` */
export async function sendUses(
  client: WriteClient,
  target: MindTarget,
  uses: readonly NodeUse[],
  ack: Ack,
): Promise<MindReply> {
  const request = requestOf(WRITE_OP.use, target, encodeUses(uses), ack);
  return replyOf(await client.request(target.root.load("writer"), request));
}

function requestOf(op: number, { root, generation }: MindTarget, payload: Uint8Array, ack: Ack) {
  const { spaceIndex } = root;
  return { op, spaceIndex, spaceGeneration: generation, ack, ifExists: "error", payload } as const;
}

function replyOf({ outcome, extra }: WriteReply): MindReply {
  switch (outcome) {
    case WRITE_OUTCOME.done:
      return { gone: false, done: extra };
    case WRITE_OUTCOME.spaceGone:
      return { gone: true, done: 0 };
    case WRITE_OUTCOME.diskFull:
      throw new RequestError({
        code: "disk-full",
        message: "The log has no room on its disk; nothing was changed",
        retryAfterSeconds: 10,
      });
    case WRITE_OUTCOME.memoryRefused:
      throw new RequestError({
        code: "memory-exhausted",
        message: "The machine has no memory left for the space; nothing was changed",
        retryAfterSeconds: 10,
      });
    case WRITE_OUTCOME.spaceFull:
      throw new RequestError({
        code: "space-full",
        message: "The space has no room for more; nothing was changed",
      });
    default:
      throw new RequestError({
        code: "shutting-down",
        message: `The change was not taken (outcome ${outcome})`,
        retryAfterSeconds: 5,
      });
  }
}
