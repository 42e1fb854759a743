/** What the arena test's writer stores and its readers expect. */
export const TEST_GEOMETRY = { slotsPerChunk: 64, strideBytes: 1024 } as const;

export function arenaValue(slot: number, index: number): number {
  return slot * 131 + index;
}
