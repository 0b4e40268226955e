import { describe, expect, it } from 'vitest';
import { count, counted, duration, kindLabel, rate, shorten, wrap } from '../../src/cli/format.js';
import { hintsFor } from '../../src/cli/hints.js';
import { ProgressLine } from '../../src/cli/progress.js';
import { summaryText } from '../../src/cli/summary.js';
import { paletteFor, printable, usesColor } from '../../src/cli/terminal.js';
import type { RunCounts } from '../../src/stream/recorder.js';
import type { RunReport } from '../../src/stream/run-pipeline.js';

const palette = paletteFor({ write: () => undefined }, {});

const counts: RunCounts = {
  requests: 14,
  retries: 1,
  pages: 12,
  read: { server: 1, experiment: 3, run: 1200, registeredModel: 2, modelVersion: 5 },
  aspects: { mlModelProperties: 5, containerProperties: 3, status: 1210 },
  entities: { container: 3, dataProcessInstance: 1200 },
  delivered: { 'file out.json': 1218 },
  skipped: { 'sent already in this run': 321 },
  rejected: 2,
  warnings: [
    {
      code: 'LONG',
      message: `a message that ${'goes on and '.repeat(12)}on`,
      count: 12,
      examples: ['run a', 'run b', `urn:li:dataset:(${'x'.repeat(200)},PROD)`, 'run d', 'run e'],
    },
    { code: 'EVIL', message: 'a name with \u001b[2J in it', count: 1, examples: ['tab\there'] },
  ],
};

const report: RunReport = {
  runId: 'mlflow-1',
  outcome: 'complete',
  startedAt: '2026-01-02T03:04:05.000Z',
  durationMs: 1234,
  dryRun: false,
  source: 'mlflow http://host:5000',
  sinks: ['file out.json'],
  server: {
    uri: 'http://host:5000',
    version: '2.22.5',
    versionText: '2.22.5',
    searchesExperiments: true,
  },
  deadLetter: { path: 'rejected.ndjson', count: 2 },
  counts,
};

describe('the summary', () => {
  const view = { palette, width: 80, hints: [] };

  it('fits its width, whatever the names are', () => {
    for (const width of [60, 80, 100]) {
      for (const line of summaryText(report, { ...view, width }).split('\n')) {
        expect(line.length).toBeLessThanOrEqual(width);
        // eslint-disable-next-line no-control-regex
        expect(line).not.toMatch(/[\u0000-\u001f]/);
      }
    }
  });

  it('tells what was read, made, left out, warned of and rejected', () => {
    const text = summaryText(report, view);
    expect(text).toContain('▲ Done in 1.2 s, but 2 things were rejected.');
    expect(text).toContain('from  mlflow http://host:5000 (MLflow 2.22.5)');
    expect(text).toContain('to    file out.json: 1,218 proposals');
    expect(text).toMatch(/registered models {6}2\n/);
    expect(text).toMatch(/dataProcessInstance {2}1,200/);
    expect(text).toContain('321  sent already in this run');
    expect(text).toContain('on (12 times)');
    expect(text).toContain('and 9 more');
    expect(text).toContain('in rejected.ndjson');
    expect(text).toContain('12 pages · 14 requests · 1 retry · ');
    expect(text).not.toContain('server');
  });

  it('begins with how it ended', () => {
    const clean: RunReport = { ...report, counts: { ...counts, rejected: 0 } };
    const first = (each: RunReport): string => summaryText(each, view).trim().split('\n')[0] ?? '';
    expect(first(clean)).toBe('✔ Done in 1.2 s.');
    expect(first({ ...clean, dryRun: true })).toContain('Dry run: nothing was written');
    expect(first({ ...clean, outcome: 'interrupted' })).toContain('■ Stopped early');
    const failed = summaryText(
      { ...clean, outcome: 'failed', error: { code: 'X', message: 'it is down' } },
      view,
    );
    expect(failed).toContain('✖ Failed after 1.2 s\n    it is down');
  });

  it('has little to say of a run that did nothing', () => {
    const none: RunCounts = {
      ...{ requests: 0, retries: 0, pages: 0, rejected: 0 },
      ...{ read: {}, aspects: {}, entities: {}, delivered: {}, skipped: {}, warnings: [] },
    };
    const { runId, outcome, startedAt, durationMs, dryRun, source, sinks } = report;
    const bare = { runId, outcome, startedAt, durationMs, dryRun, source, sinks, counts: none };
    expect(summaryText(bare, view)).toBe(
      '\n  ✔ Done in 1.2 s.\n\n  from  mlflow http://host:5000\n  to    file out.json\n\n',
    );
  });
});

describe('hints', () => {
  it('come after the bundled example only, and can be pasted', () => {
    const options = { program: 'node dist/pipeline.js', isExample: true };
    const commands = hintsFor(report, options).map(({ command }) => command);
    expect(commands).toContain('datahub ingest mcps out.json');
    expect(commands).toContain('node dist/pipeline.js --from http://localhost:5000');
    expect(hintsFor({ ...report, sinks: ["file it's.json"] }, options)[0]?.command).toContain(
      `'it'\\''s.json'`,
    );
    expect(hintsFor(report, { ...options, isExample: false })).toEqual([]);
    expect(hintsFor({ ...report, outcome: 'failed' }, options)).toEqual([]);
  });
});

describe('the progress line', () => {
  const line = (columns: number): ProgressLine => {
    let now = 0;
    const progress = new ProgressLine({ columns, write: () => undefined }, palette, () => {
      now += 1000;
      return now;
    });
    return progress;
  };

  it('shows the rate of the last seconds and what the slowest sink has', () => {
    const progress = line(80);
    expect(progress.render()).toMatch(/connecting · \d/);
    progress.update({ ...counts, delivered: { a: 7, b: 5 }, rejected: 0 });
    const text = progress.render();
    expect(text).toContain('1,211 read · 1,218 mapped · 5 written · ');
    expect(text).toMatch(/\d+\/s/);
    expect(text).not.toContain('rejected');
    progress.note('stopping');
    expect(progress.render()).toContain('stopping');
  });

  it('is that of a usual terminal where it does not say how wide it is', () => {
    const progress = line(0);
    progress.update(counts);
    expect(progress.render()).toContain('1,211 read');
  });

  it('never wraps', () => {
    for (const columns of [10, 20, 40, 60]) {
      const progress = line(columns);
      progress.update(counts);
      expect(progress.render().length).toBeLessThan(columns);
    }
  });

  it('lets lines be written above itself, and leaves nothing behind', () => {
    const written: string[] = [];
    const progress = new ProgressLine({ write: (text) => written.push(text) }, palette);
    progress.start();
    progress.note('x');
    progress.above('a line\n');
    progress.stop();
    expect(written.at(-1)).toBe('a line\n');
    expect(written.at(-2)).toBe('\r\u001b[2K');
  });
});

describe('formats', () => {
  it.each([
    [duration(0), '0 ms'],
    [duration(999.4), '999 ms'],
    [duration(1000), '1.0 s'],
    [duration(59_999), '1 min 00 s'],
    [duration(245_000), '4 min 05 s'],
    [duration(3_720_000), '1 h 02 min'],
    [rate(0.44), '0.4/s'],
    [rate(0), '0/s'],
    [rate(1234.5), '1,235/s'],
    [count(1234567), '1,234,567'],
    [counted(1, 'retry', 'retries'), '1 retry'],
    [counted(0, 'retry', 'retries'), '0 retries'],
    [kindLabel('registeredModel'), 'registered models'],
    [kindLabel('run', 1), 'run'],
    [shorten('abcdefghij', 5), 'ab…ij'],
    [shorten('abc', 5), 'abc'],
    [wrap('a bb  ccc', 4).join('|'), 'a bb|ccc'],
    [wrap('', 4).join('|'), ''],
    [printable('a\u001b[31m\nb'), 'a [31m b'],
  ])('%s', (actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('colours terminals, and as NO_COLOR and FORCE_COLOR have it', () => {
    const tty = { isTTY: true, write: () => undefined };
    const pipe = { isTTY: false, write: () => undefined };
    expect(usesColor(tty, {})).toBe(true);
    expect(usesColor(tty, { NO_COLOR: '1' })).toBe(false);
    expect(usesColor(tty, { NO_COLOR: '' })).toBe(true);
    expect(usesColor(tty, { TERM: 'dumb' })).toBe(false);
    expect(usesColor(pipe, {})).toBe(false);
    expect(usesColor(pipe, { FORCE_COLOR: '1' })).toBe(true);
  });
});
