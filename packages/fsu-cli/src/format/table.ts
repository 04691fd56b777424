/** Text in columns: what ls -C, -x and -m, df and info print. Pure: cells in, lines out. */

/** A word and the columns it takes on a terminal (colour sequences and marks count in the text only). */
export interface Cell {
  readonly text: string;
  readonly width: number;
}

const blanks = (count: number): string => ' '.repeat(Math.max(0, count));

/** NetBSD ls's grid: columns as wide as the widest cell and one blank, spread over the width; undefined if two do not fit. */
function grid(
  cells: readonly Cell[],
  width: number,
): { readonly columns: number; readonly columnWidth: number } | undefined {
  let widest = 0;
  for (const cell of cells) if (cell.width > widest) widest = cell.width;
  const columnWidth = widest + 1;
  if (width < 2 * columnWidth) return undefined;
  const columns = Math.floor(width / columnWidth);
  return { columns, columnWidth: Math.floor(width / columns) };
}

/** ls -C: sorted down the columns. */
export function columnsDown(cells: readonly Cell[], width: number, line: (text: string) => void): void {
  const layout = grid(cells, width);
  if (layout === undefined) return oneColumn(cells, line);
  const rows = Math.ceil(cells.length / layout.columns);
  for (let row = 0; row < rows; row++) {
    let text = '';
    for (let at = row; at < cells.length; at += rows) {
      const cell = cells[at];
      if (cell === undefined) break;
      text += cell.text;
      if (at + rows < cells.length) text += blanks(layout.columnWidth - cell.width);
    }
    line(text);
  }
}

/** ls -x: sorted across. */
export function columnsAcross(cells: readonly Cell[], width: number, line: (text: string) => void): void {
  const layout = grid(cells, width);
  if (layout === undefined) return oneColumn(cells, line);
  for (let start = 0; start < cells.length; start += layout.columns) {
    const end = Math.min(start + layout.columns, cells.length);
    let text = '';
    for (let at = start; at < end; at++) {
      const cell = cells[at];
      if (cell !== undefined) text += cell.text + (at + 1 < end ? blanks(layout.columnWidth - cell.width) : '');
    }
    line(text);
  }
}

/** ls -m: one after the other with commas, broken at the width. */
export function commaStream(cells: readonly Cell[], width: number, line: (text: string) => void): void {
  let text = '';
  let used = 0;
  cells.forEach((cell, at) => {
    const comma = at + 1 < cells.length ? 1 : 0;
    if (used > 0 && used + 1 + cell.width + comma >= width) {
      line(text);
      text = '';
      used = 0;
    } else if (used > 0) {
      text += ' ';
      used += 1;
    }
    text += cell.text + (comma === 1 ? ',' : '');
    used += cell.width + comma;
  });
  if (text !== '') line(text);
}

function oneColumn(cells: readonly Cell[], line: (text: string) => void): void {
  for (const cell of cells) line(cell.text);
}

/** Rows in aligned columns; `right` says which are numbers. The last column is never padded. */
export function alignedRows(
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[]; readonly gap?: string; readonly widthOf: (text: string) => number },
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, options.widthOf(cell));
    });
  }
  const right = new Set(options.right ?? []);
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const fill = blanks((widths[at] ?? 0) - options.widthOf(cell));
        if (right.has(at)) return fill + cell;
        return at + 1 < row.length ? cell + fill : cell;
      })
      .join(options.gap ?? ' '),
  );
}
