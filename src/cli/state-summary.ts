/**
 * What a run did with its state, laid out for a person.
 */

import type { StaleReport, StateReport } from '../state/options.js';
import type { RunOutcome } from '../stream/contracts.js';
import type { RunCounts } from '../stream/recorder.js';
import { count, counted, moment, sum, wrap } from './format.js';
import { printable, type Palette } from './terminal.js';

export interface StateView {
  readonly palette: Palette;
  /** Columns. */
  readonly width: number;
  readonly dryRun: boolean;
  readonly outcome: RunOutcome;
  readonly counts: Pick<RunCounts, 'aspects'>;
  /** Of `--report`. */
  readonly reportPath?: string;
}

/** URNs that are shown, and logged: all that is kept of them is in the report. */
export const URNS_SHOWN = 20;

/** Where more would be removed than `staleLimitPercent` allows. */
export const OVER_LIMIT_ADVICE = '--dry-run lists them';

/** Empty where no state was kept. */
export function stateLines(state: StateReport | undefined, view: StateView): string[] {
  if (state === undefined) return [];
  const { bold } = view.palette;
  return [
    bold(`State ${printable(state.path)}`),
    ...indented(sweepText(state, view), view),
    ...(view.dryRun ? unsentLines(state, view) : []),
    ...staleLines(state.stale, view),
  ];
}

/** `sweep 12, lookback: runs since 2026-11-18 10:00 UTC` */
function sweepText(
  { sweep, kind, resumed, since }: StateReport,
  { dryRun, outcome }: StateView,
): string {
  const reach =
    kind === 'full'
      ? 'full: every run'
      : `lookback: runs since ${since === undefined ? 'the last sweep' : moment(since)}`;
  const how = resumed ? ', from where an earlier run broke off' : '';
  const next = dryRun || outcome === 'complete' ? '' : '; the next run goes on with it';
  return `sweep ${sweep}, ${reach}${how}${next}`;
}

/** What each sink would get; where something is sent, it stands beside the sink. */
function unsentLines({ unchanged }: StateReport, view: StateView): string[] {
  const all = sum(view.counts.aspects);
  return Object.entries(unchanged).flatMap(([sink, has]) =>
    indented(`${count(all - has)} of ${counted(all, 'proposal')} would be sent: ${sink}`, view),
  );
}

function staleLines(stale: StaleReport, view: StateView): string[] {
  const { removed, kept, skipped, overLimit, urns } = stale;
  const { dryRun, palette } = view;
  const lines: string[] = [];
  if (removed > 0) {
    const what = dryRun ? 'would be marked as removed' : 'marked as removed';
    lines.push(...indented(`${counted(removed, 'entity', 'entities')} ${what}`, view));
  }
  if (skipped !== undefined) {
    const text = wrap(
      `Nothing ${dryRun ? 'would be' : 'was'} removed: ${printable(skipped)}` +
        (overLimit && !dryRun ? `. ${OVER_LIMIT_ADVICE}` : ''),
      view.width - 6,
    );
    const mark = overLimit ? palette.yellow('▲') : ' ';
    lines.push(...text.map((line, index) => `  ${index === 0 ? mark : ' '} ${line}`));
  }
  if (dryRun) lines.push(...urnLines(Math.max(removed, urns.length), urns, view));
  if (kept > 0) {
    const text = `${counted(kept, 'entity', 'entities')} not found, but kept: MLflow does not say that they are gone`;
    lines.push(...indented(text, view));
  }
  return lines;
}

/** Whole: a URN that is cut can't be looked up. */
function urnLines(
  all: number,
  urns: readonly string[],
  { palette, reportPath }: StateView,
): string[] {
  const shown = urns.slice(0, URNS_SHOWN);
  const lines = shown.map((urn) => `    ${printable(urn)}`);
  const more = all - shown.length;
  if (shown.length === 0 || more <= 0) return lines;
  const has = urns.length < all ? `has the first ${count(urns.length)}` : 'has them';
  const where = reportPath === undefined ? '--report FILE' : printable(reportPath);
  return [...lines, palette.dim(`    and ${count(more)} more: ${where} ${has}`)];
}

function indented(text: string, { width }: StateView): string[] {
  return wrap(printable(text), width - 4).map((line) => `  ${line}`);
}
