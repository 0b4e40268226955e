/**
 * A chart of the bench's rows, as SVG: for each piece of work a bar for this pipeline, the bare client
 * and the peer. Their lengths go by the logarithm of the seconds, since the peer's are tens of times
 * longer.
 */

import type { Row } from './row.js';

const WIDTH = 900;
const LABEL_WIDTH = 330;
const VALUE_WIDTH = 70;
const BAR_HEIGHT = 14;
const ROW_GAP = 16;
const TOP = 40;

const SERIES = [
  { name: 'this pipeline', colour: '#2563eb', of: (row: Row) => row.ours },
  { name: 'bare client', colour: '#94a3b8', of: (row: Row) => row.bare },
  { name: 'DataHub’s connector', colour: '#f97316', of: (row: Row) => row.peer },
] as const;

export function chartOf(rows: readonly Row[]): string {
  const seconds = rows.flatMap((row) => SERIES.flatMap(({ of }) => of(row)?.wallSeconds ?? []));
  const [least, greatest] = [Math.min(...seconds) / 2, Math.max(...seconds)];
  const length = (value: number): number =>
    (Math.log(value / least) / Math.log(greatest / least)) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  let y = TOP;
  const marks: string[] = SERIES.map(({ name, colour }, index) => {
    const x = LABEL_WIDTH + index * 170;
    return `<rect x="${x}" y="12" width="12" height="12" fill="${colour}"/>${text(x + 18, 22, name)}`;
  });
  for (const row of rows) {
    marks.push(text(LABEL_WIDTH - 10, y + BAR_HEIGHT, row.work, 'end'));
    for (const { colour, of } of SERIES) {
      const figures = of(row);
      if (figures === undefined) continue;
      const width = length(figures.wallSeconds);
      marks.push(
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT - 2}" fill="${colour}"/>`,
        text(LABEL_WIDTH + width + 6, y + BAR_HEIGHT - 3, `${figures.wallSeconds.toFixed(1)} s`),
      );
      y += BAR_HEIGHT;
    }
    y += ROW_GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="11">`,
    '<title>Seconds for each piece of work; lengths go by their logarithm</title>',
    `<rect width="${WIDTH}" height="${y}" fill="white"/>`,
    ...marks,
    '</svg>\n',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor = 'start'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${escaped}</text>`;
}
