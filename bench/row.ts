/**
 * A line of the bench's table: a piece of work, done by this pipeline, a bare client and the peer.
 */

import type { Figures } from './measure.js';

export interface Row {
  readonly work: string;
  readonly ours: Figures;
  readonly bare: Figures;
  /** Undefined where it was not run. */
  readonly peer: Figures | undefined;
}

/** Takes the figures of commands by the names `ours`, `bare` and `peer`, unless they have others. */
export function rowOf(
  work: string,
  figures: ReadonlyMap<string, Figures>,
  names = { ours: 'ours', bare: 'bare' },
): Row {
  const [ours, bare] = [figures.get(names.ours), figures.get(names.bare)];
  if (ours === undefined || bare === undefined) throw new Error(`${work}: nothing was measured`);
  return { work, ours, bare, peer: figures.get('peer') };
}

export function tableOf(rows: readonly Row[]): string {
  const head = [
    '| work | this pipeline | bare client, same work | DataHub’s connector | times the bare client | times faster than the connector |',
    '|---|---|---|---|---|---|',
  ];
  const cell = ({ wallSeconds, peakMegabytes }: Figures): string =>
    `${wallSeconds.toFixed(1)} s, ${peakMegabytes.toFixed(0)} MB`;
  const ratio = (a: Figures, b: Figures): string => (a.wallSeconds / b.wallSeconds).toFixed(2);
  const lines = rows.map(({ work, ours, bare, peer }) => {
    const [theirs, faster] = peer === undefined ? ['not run', ''] : [cell(peer), ratio(peer, ours)];
    const cells = [work, cell(ours), cell(bare), theirs, ratio(ours, bare), faster];
    return `| ${cells.join(' | ')} |`;
  });
  return [...head, ...lines].join('\n');
}
