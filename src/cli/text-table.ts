/** Columns of text, as wide as their widest cell; numbers are right-aligned by the caller. */

/** @param rows as many cells as `heads`; the last column is not padded */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, ...rows];
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? "").length)));
  const print = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return `${lines.map(print).join("\n")}\n`;
}
