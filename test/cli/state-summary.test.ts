import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { hintsFor } from '../../src/cli/hints.js';
import { summaryText } from '../../src/cli/summary.js';
import { paletteFor } from '../../src/cli/terminal.js';
import type { StaleReport, StateReport } from '../../src/state/options.js';
import type { RunCounts } from '../../src/stream/recorder.js';
import { runPipeline, type RunReport } from '../../src/stream/run-pipeline.js';
import { config, run, temporaryFolder } from './support.js';

// Runs as it is unless a test says what comes of it.
vi.mock('../../src/stream/run-pipeline.js', { spy: true });

const counts: RunCounts = {
  ...{ requests: 0, retries: 0, pages: 0, rejected: 0 },
  ...{ read: {}, aspects: { status: 1218 }, entities: {}, skipped: {}, warnings: [] },
  delivered: { 'file out.json': 18 },
};
const stale: StaleReport = { removed: 0, kept: 0, urns: [], overLimit: false };
const state: StateReport = {
  path: 'mlflow.state',
  sweep: 12,
  kind: 'full',
  resumed: false,
  unchanged: { 'file out.json': 1200, 'kafka host:9092/topic': 1218 },
  stale,
};
const stateless: RunReport = {
  runId: 'mlflow-1',
  outcome: 'complete',
  startedAt: '2026-01-02T03:04:05.000Z',
  durationMs: 1234,
  dryRun: false,
  source: 'mlflow http://host:5000',
  sinks: ['file out.json', 'kafka host:9092/topic'],
  counts,
};
const report: RunReport = { ...stateless, state };
const OVER: StaleReport = {
  ...stale,
  overLimit: true,
  skipped:
    '800 of 1000 entities would be removed, which is more than staleLimitPercent (75 %) allows',
};

const view = {
  palette: paletteFor({ write: () => undefined }, {}),
  width: 80,
  hints: [],
};
const urns = (many: number): string[] =>
  Array.from(
    { length: many },
    (_, index) => `urn:li:dataProcessInstance:${'0'.repeat(60)}${index}`,
  );

function text(change: Partial<StateReport>, rest: Partial<RunReport> = {}, extra = {}): string {
  const given = { ...report, ...rest, state: { ...state, ...change } };
  return summaryText(given, { ...view, ...extra });
}

describe('the state in the summary', () => {
  it('tells the sweep, and what each sink had', () => {
    expect(text({})).toBe(
      [
        '',
        '  ✔ Done in 1.2 s.',
        '',
        '  from  mlflow http://host:5000',
        '  to    file out.json: 18 proposals, 1,200 unchanged',
        '        kafka host:9092/topic: 0 proposals, 1,218 unchanged',
        '',
        '  State mlflow.state',
        '    sweep 12, full: every run',
        '',
        '  Aspects (1,218)',
        '    status       1,218',
        '',
        '',
      ].join('\n'),
    );
  });

  it('tells where a lookback begins, and that it went on', () => {
    const since = '2026-11-18T10:05:59.000Z';
    expect(text({ kind: 'lookback', since, resumed: true })).toContain(
      '    sweep 12, lookback: runs since 2026-11-18 10:05 UTC, from where an earlier\n' +
        '    run broke off\n',
    );
  });

  it('tells that a sweep which broke off will be gone on with', () => {
    const next = 'every run; the next run goes on with it';
    expect(text({}, { outcome: 'interrupted' })).toContain(next);
    const error = { code: 'X', message: 'it is down' };
    expect(text({}, { outcome: 'failed', error })).toContain(next);
    expect(text({}, { outcome: 'interrupted', dryRun: true })).not.toContain(next);
  });

  it('tells what was removed, what was kept, and why nothing was', () => {
    const some = text({ stale: { ...stale, removed: 4, kept: 1, urns: urns(4) } });
    expect(some).toContain('\n    4 entities marked as removed\n');
    expect(some).toContain('\n    1 entity not found, but kept: MLflow does not say that they are');
    expect(some).not.toContain('urn:li');
    const none = text({ stale: { ...stale, skipped: 'a page failed' } });
    expect(none).toContain('Nothing was removed: a page failed\n');
    expect(none).toContain('✔ Done');
  });

  it('tells what to do where too much would go', () => {
    const over = text({ stale: OVER });
    expect(over).toContain('▲ Done in 1.2 s, but more would be removed than the limit allows.');
    expect(over.replace(/\s+/g, ' ')).toContain(
      '▲ Nothing was removed: 800 of 1000 entities would be removed, which is more than ' +
        'staleLimitPercent (75 %) allows. --dry-run lists them',
    );
    const rejected = text({ stale: OVER }, { counts: { ...counts, rejected: 2 } });
    expect(rejected.replace(/\s+/g, ' ')).toContain(
      'but 2 things were rejected, and more would be removed than the limit allows.',
    );
  });

  it('lists what would be removed in a dry run, the first twenty', () => {
    const dry = { dryRun: true, sinks: [] };
    const few = text({ stale: { ...stale, removed: 2, urns: urns(2) } }, dry);
    expect(few).toContain('2 entities would be marked as removed\n');
    for (const urn of urns(2)) expect(few).toContain(`\n      ${urn}\n`);
    expect(few).not.toContain('more');
    expect(few).toContain('\n    18 of 1,218 proposals would be sent: file out.json\n');
    expect(few).toContain('\n    0 of 1,218 proposals would be sent: kafka host:9092/topic\n');

    const many = text({ stale: { ...stale, removed: 34, urns: urns(34) } }, dry);
    expect(many.match(/urn:li:/g)).toHaveLength(20);
    expect(many).toContain('\n      and 14 more: --report FILE has them\n');

    const lots = { ...OVER, urns: urns(1000), removed: 0 };
    const over = text({ stale: lots }, dry, { reportPath: 'r.json' });
    expect(over).toContain('▲ Nothing would be removed: 800 of');
    expect(over).not.toContain('--dry-run');
    expect(over).toContain('\n      and 980 more: r.json has them\n');
    const beyond = text({ stale: { ...stale, removed: 3000, urns: urns(1000) } }, dry);
    expect(beyond).toContain('\n      and 2,980 more: --report FILE has the first 1,000\n');
  });

  it('fits its width but for URNs, and moves no cursor', () => {
    const skipped = `a page with \u001b[2J failed ${'again and '.repeat(20)}`;
    const nasty = {
      stale: { ...OVER, skipped, kept: 3, urns: ['urn:li:tag:\u001b[2J'] },
      unchanged: { ['x'.repeat(30)]: 3 },
    };
    for (const width of [60, 80, 100]) {
      for (const line of text(nasty, { dryRun: true, sinks: [] }, { width }).split('\n')) {
        expect(line.length).toBeLessThanOrEqual(width);
        // eslint-disable-next-line no-control-regex
        expect(line).not.toMatch(/[\u0000-\u001f]/);
      }
    }
  });
});

describe('hints', () => {
  it('are none with a state, where the file has another name each time', () => {
    const options = { program: 'mlflow-datahub', isExample: true };
    expect(hintsFor(report, options)).toEqual([]);
    expect(hintsFor(stateless, options)).not.toEqual([]);
  });
});

describe('a run with a state', () => {
  const outcome = (change: Partial<StaleReport>): void => {
    vi.mocked(runPipeline).mockResolvedValueOnce({
      report: { ...report, state: { ...state, stale: { ...stale, ...change } } },
    });
  };

  it('ends with 0 when something was removed, or nothing for a good reason', async () => {
    outcome({ removed: 4, urns: urns(4) });
    expect((await run([], { config: config() })).status).toBe(0);
    outcome({ skipped: 'removeStale is false' });
    expect((await run([], { config: config() })).status).toBe(0);
  });

  it('ends with 1 when more would go than the limit allows, and logs what to do', async () => {
    outcome(OVER);
    const { status, lines } = await run([], { config: config() });
    expect(status).toBe(1);
    const warning = lines.find(({ level }) => level === 'warn');
    expect(warning).toMatchObject({ code: 'STALE_LIMIT' });
    expect(warning?.['msg']).toContain('800 of 1000 entities would be removed');
    expect(warning?.['msg']).toContain('staleLimitPercent (75 %) allows. --dry-run lists them');
    outcome(OVER);
    const pretty = await run(['--log-format', 'pretty'], { config: config() });
    expect(pretty.status).toBe(1);
    expect(pretty.stderr).toContain('▲ Nothing was removed: 800 of 1000');
  });

  it('logs the first URNs, and writes all of them into the report', async () => {
    const cwd = temporaryFolder();
    outcome({ removed: 1000, urns: urns(1000) });
    const { lines } = await run(['--report', 'r.json'], { cwd, config: config() });
    const summary = lines.find(({ msg }) => msg === 'summary') as unknown as RunReport;
    expect(summary.state).toMatchObject({ sweep: 12, unchanged: state.unchanged });
    expect(summary.state?.stale).toMatchObject({ removed: 1000, urns: urns(20) });
    const written = JSON.parse(readFileSync(join(cwd, 'r.json'), 'utf8')) as RunReport;
    expect(written.state?.stale.urns).toHaveLength(1000);
  });
});
