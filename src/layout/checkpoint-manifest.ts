/**
 * What a checkpoint's manifest says, as JSON inside a whole file (`storage/whole-file.ts`).
 *
 * A checkpoint directory is flat: `manifest`, and the parts of the spaces as `<space id>.<part>.<generation>`.
 * A part is a file that only grows, or a blob that is written anew each time. Both are checksummed in pieces
 * of `chunkBytes`, the last one shorter. What a file holds beyond `bytes` counts for nothing.
 */
export const CHECKPOINT_FORMAT = 1;
export const CHECKPOINT_MANIFEST = "manifest";

export type CheckpointPart = {
  readonly kind: "file" | "blob";
  /** name in the checkpoint directory */
  readonly file: string;
  readonly bytes: number;
  readonly chunkBytes: number;
  /** CRC-32C of each chunk */
  readonly crcs: readonly number[];
};

export type CheckpointSpace = {
  /** the caller's, anything that JSON can say */
  readonly meta: unknown;
  readonly parts: Readonly<Record<string, CheckpointPart>>;
};

export type CheckpointManifest = {
  /** generation of the stream topology, and the stream */
  readonly topology: number;
  readonly stream: number;
  /** grows by one with each checkpoint; 0: nothing was ever written */
  readonly generation: number;
  /** the checkpoint holds what the log says up to this record */
  readonly sequence: number;
  /** by space id */
  readonly spaces: Readonly<Record<string, CheckpointSpace>>;
};

export function checkpointPartFile(spaceId: number, part: string, generation: number): string {
  return `${spaceId}.${part}.${generation}`;
}
