/** Writes texts of changing length, each of one letter, onto a board until the board says stop. */
import { TextBoardWriter } from "../../src/shm/text-board.ts";

declare const self: { onmessage: (event: { data: { board: SharedArrayBuffer; stop: Int32Array } }) => void };

self.onmessage = ({ data: { board, stop } }) => {
  const writer = new TextBoardWriter(board);
  for (let round = 0; Atomics.load(stop, 0) === 0; round++) {
    writer.write(String.fromCharCode(97 + (round % 26)).repeat(1 + ((round * 977) % 40_000)));
    Atomics.store(stop, 1, round);
  }
};
