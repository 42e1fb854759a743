/** A cursor names the slot to go on from and the space's generation, so that it can't outlive its space. */
import { RequestError } from "../base/errors.ts";

export function cursorOf(slot: number, generation: number): string {
  return `${generation.toString(36)}-${slot.toString(36)}`;
}

/** @throws {RequestError} `request-invalid` for a cursor of another space */
export function slotOfCursor(cursor: string, generation: number): number {
  const parts = /^([0-9a-z]+)-([0-9a-z]+)$/.exec(cursor);
  const slot = parts === null ? Number.NaN : Number.parseInt(parts[2]!, 36);
  if (parts === null || Number.parseInt(parts[1]!, 36) !== generation || !Number.isSafeInteger(slot)) {
    throw new RequestError({
      code: "request-invalid",
      message: "The cursor does not belong to this space",
      expected: "next_cursor of the page before",
      received: cursor,
      at: "cursor",
    });
  }
  return slot;
}
