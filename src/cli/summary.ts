/**
 * What a run did, laid out for a person.
 */

import type { RunReport } from '../stream/run-pipeline.js';
import { count, counted, duration, kindLabel, rate, shorten, sum, wrap } from './format.js';
import { stateLines } from './state-summary.js';
import { printable, type Palette } from './terminal.js';

export interface SummaryView {
  readonly palette: Palette;
  /** Columns. */
  readonly width: number;
  /** What to try next, one step each: what it does and the command for it. */
  readonly hints: readonly Hint[];
  /** Of `--report`. */
  readonly reportPath?: string;
}

export interface Hint {
  readonly what: string;
  readonly command: string;
}

const MARGIN = '  ';
const EXAMPLES_SHOWN = 3;

/** Ends with a newline. Lines are at most `width` wide, but for paths, commands and URNs to go. */
export function summaryText(report: RunReport, view: SummaryView): string {
  const sections: string[][] = [
    headline(report, view),
    route(report, view),
    stateLines(report.state, { ...report, ...view }),
    figures(report, view),
    aspects(report, view),
    leftOut(report, view),
    warnings(report, view),
    rejected(report, view),
    work(report, view),
    hints(view),
  ];
  const body = sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${MARGIN}${line}`.trimEnd()).join('\n'))
    .join('\n\n');
  return `\n${body}\n\n`;
}

function headline(report: RunReport, { palette, width }: SummaryView): string[] {
  const took = duration(report.durationMs);
  const { counts } = report;
  if (report.outcome === 'failed') {
    const message = printable(report.error?.message ?? 'unknown error');
    return [
      palette.red(palette.bold(`✖ Failed after ${took}`)),
      ...wrap(message, width - 4).map((line) => `  ${line}`),
    ];
  }
  if (report.outcome === 'interrupted') {
    return [palette.yellow(palette.bold(`■ Stopped early, after ${took}.`))];
  }
  const dry = report.dryRun ? ' Dry run: nothing was written.' : '';
  const { rejected: lost } = counts;
  const buts = [
    lost > 0 ? `${counted(lost, 'thing')} ${lost === 1 ? 'was' : 'were'} rejected` : '',
    report.state?.stale.overLimit === true ? 'more would be removed than the limit allows' : '',
  ].filter((but) => but !== '');
  if (buts.length > 0) {
    return wrap(`▲ Done in ${took}, but ${buts.join(', and ')}.${dry}`, width - MARGIN.length).map(
      (line) => palette.yellow(palette.bold(line)),
    );
  }
  return [palette.green(palette.bold(`✔ Done in ${took}.${dry}`))];
}

function route(report: RunReport, { palette }: SummaryView): string[] {
  const version = report.server === undefined ? '' : ` (MLflow ${report.server.versionText})`;
  const sinks = report.dryRun ? ['nowhere'] : report.sinks;
  return [
    `${palette.dim('from')}  ${printable(report.source + version)}`,
    ...sinks.map((sink, index) => {
      const delivered = report.counts.delivered[sink];
      const unchanged = report.state?.unchanged[sink] ?? 0;
      const proposals =
        delivered === undefined && unchanged === 0
          ? ''
          : `: ${counted(delivered ?? 0, 'proposal')}${unchanged === 0 ? '' : `, ${count(unchanged)} unchanged`}`;
      return `${palette.dim(index === 0 ? 'to  ' : '    ')}  ${printable(sink)}${proposals}`;
    }),
  ];
}

/** Records on the left, the entities they became on the right. */
function figures({ counts, server }: RunReport, view: SummaryView): string[] {
  const read = Object.entries(counts.read)
    .filter(([kind]) => kind !== 'server')
    .map(([kind, value]) => [kindLabel(kind), value] as const);
  const entities = Object.entries(counts.entities).map(([type, value]) => [type, value] as const);
  return sideBySide(
    table(server === undefined ? 'Read' : 'Read from MLflow', read, view),
    table('Entities for DataHub', entities, view),
    view,
  );
}

function aspects({ counts }: RunReport, view: SummaryView): string[] {
  const all = Object.entries(counts.aspects).sort(([a], [b]) => a.localeCompare(b));
  if (all.length === 0) return [];
  const half = Math.ceil(all.length / 2);
  const title = `Aspects (${count(sum(counts.aspects))})`;
  return sideBySide(
    table(title, all.slice(0, half), view),
    table(' ', all.slice(half), view),
    view,
  );
}

function leftOut({ counts }: RunReport, view: SummaryView): string[] {
  const all = Object.entries(counts.skipped);
  if (all.length === 0) return [];
  const digits = Math.max(...all.map(([, value]) => count(value).length));
  return [
    view.palette.bold('Left out on purpose'),
    ...all.map(([reason, value]) => `  ${count(value).padStart(digits)}  ${printable(reason)}`),
  ];
}

function warnings({ counts }: RunReport, view: SummaryView): string[] {
  const { bold, yellow, dim } = view.palette;
  if (counts.warnings.length === 0) return [];
  const lines = [bold('Warnings')];
  for (const group of counts.warnings) {
    const times = group.count === 1 ? '' : ` (${count(group.count)} times)`;
    const text = wrap(`${printable(group.message)}${times}`, view.width - 6);
    lines.push(...text.map((line, index) => `  ${index === 0 ? yellow('▲') : ' '} ${line}`));
    for (const example of group.examples.slice(0, EXAMPLES_SHOWN)) {
      lines.push(dim(`      ${shorten(printable(example), view.width - 8)}`));
    }
    const more = group.count - Math.min(group.examples.length, EXAMPLES_SHOWN);
    if (group.examples.length > 0 && more > 0) lines.push(dim(`      and ${count(more)} more`));
  }
  return lines;
}

function rejected(report: RunReport, view: SummaryView): string[] {
  const { bold, red } = view.palette;
  if (report.deadLetter === undefined) return [];
  const { path, count: kept } = report.deadLetter;
  const lines = [red(bold(`Rejected: ${count(kept)}`))];
  if (!report.dryRun) lines.push(`  kept, each with its reason, in ${bold(printable(path))}`);
  return lines;
}

function work({ counts, durationMs }: RunReport, view: SummaryView): string[] {
  const perSecond = (sum(counts.aspects) * 1000) / Math.max(durationMs, 1);
  const parts = [
    counts.pages > 0 ? counted(counts.pages, 'page') : '',
    counts.requests > 0 ? counted(counts.requests, 'request') : '',
    counts.retries > 0 ? counted(counts.retries, 'retry', 'retries') : '',
    counts.pages > 0 ? rate(perSecond).replace('/s', ' proposals/s') : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? [] : [view.palette.dim(parts.join(' · '))];
}

function hints({ hints: all, palette }: SummaryView): string[] {
  if (all.length === 0) return [];
  return [
    palette.bold('What to try next'),
    ...all.flatMap(({ what, command }) => [`  ${what}`, `    ${palette.cyan(command)}`]),
  ];
}

/** Lines and their width without colours. */
interface Block {
  readonly lines: readonly string[];
  readonly width: number;
}

function table(
  title: string,
  rows: readonly (readonly [string, number])[],
  { palette }: SummaryView,
): Block {
  if (rows.length === 0) return { lines: [], width: 0 };
  const names = Math.max(...rows.map(([name]) => printable(name).length), title.length - 4);
  const digits = Math.max(...rows.map(([, value]) => count(value).length));
  return {
    lines: [
      palette.bold(title),
      ...rows.map(
        ([name, value]) => `  ${printable(name).padEnd(names)}  ${count(value).padStart(digits)}`,
      ),
    ],
    width: names + digits + 4,
  };
}

/** Two blocks beside each other where they fit, else below each other. */
function sideBySide(left: Block, right: Block, view: SummaryView): string[] {
  const gap = 4;
  const column = Math.max(left.width, Math.floor((view.width - MARGIN.length - gap) / 2));
  if (left.lines.length === 0) return [...right.lines];
  if (right.lines.length === 0 || column + gap + right.width + MARGIN.length > view.width) {
    return [...left.lines, ...right.lines.filter((line) => line.trim() !== '')];
  }
  const height = Math.max(left.lines.length, right.lines.length);
  return Array.from({ length: height }, (_, index) => {
    const line = left.lines[index] ?? '';
    return line + ' '.repeat(column + gap - visibleLength(line)) + (right.lines[index] ?? '');
  });
}

function visibleLength(line: string): number {
  // eslint-disable-next-line no-control-regex
  return line.replace(/\u001b\[\d+m/g, '').length;
}
