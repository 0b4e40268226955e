import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import type { Sink } from '../../src/stream/contracts.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { memorySink, memorySource, pageOf, silentLog, toTags } from '../support/memory.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'on-error-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(sinks: readonly Sink[]) {
  const { source } = memorySource([pageOf(1, 2), pageOf(3), pageOf(4, 5)]);
  const path = join(folder, 'dead.ndjson');
  const { report, failure } = await runPipeline(
    { source, operators: [toTags()], sinks, maxInFlightPages: 1, deadLetter: { path } },
    { log: silentLog, env: {} },
  );
  const lines = await readFile(path, 'utf8').catch(() => '');
  const letters = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { report, failure, letters };
}

const gone = (category: 'unavailable' | 'usage' = 'unavailable'): PipelineError =>
  new PipelineError('the other side is gone', { code: 'SINK_UNREACHABLE', category });

/** Takes one page and then gives up. */
function weakSink(onError: 'fail' | 'dead-letter' | undefined) {
  let pages = 0;
  const { sink, seen } = memorySink(() => {
    pages += 1;
    return pages > 1 ? Promise.reject(gone()) : Promise.resolve([]);
  }, 'weak sink');
  return {
    sink: { ...sink, ...(onError === undefined ? {} : { onError }) },
    seen,
    pages: () => pages,
  };
}

describe('a sink that gives up', () => {
  it.each([undefined, 'fail'] as const)('ends the run (%s)', async (onError) => {
    const { report, failure, letters } = await run([weakSink(onError).sink, memorySink().sink]);
    expect(report.outcome).toBe('failed');
    expect(failure?.code).toBe('SINK_UNREACHABLE');
    expect(letters).toEqual([]);
  });

  it('leaves its proposals in the dead-letter file where it is to, and is not tried again', async () => {
    const weak = weakSink('dead-letter');
    const strong = memorySink();
    const { report, letters } = await run([weak.sink, strong.sink]);
    expect(report.outcome).toBe('complete');
    expect(strong.seen.confirmed).toHaveLength(5);
    expect(weak.seen.confirmed).toEqual(['urn:li:tag:1', 'urn:li:tag:2']);
    expect(weak.pages()).toBe(2);
    expect(weak.seen.closed).toEqual(['failed']);
    expect(letters.map(({ identity }) => identity)).toEqual([
      'urn:li:tag:3 tagProperties',
      'urn:li:tag:4 tagProperties',
      'urn:li:tag:5 tagProperties',
    ]);
    expect(letters[0]).toMatchObject({
      kind: 'proposal',
      sink: 'weak sink',
      code: 'SINK_UNREACHABLE',
      message: 'the other side is gone',
    });
    expect(letters.map(({ attempts }) => attempts)).toEqual([1, 0, 0]);
    expect(report.counts.delivered).toEqual({ 'memory sink': 5, 'weak sink': 2 });
    expect(report.counts.rejected).toBe(3);
    expect(report.counts.warnings.map(({ code }) => code)).toContain('SINK_GAVE_UP');
  });

  it('may do so before it is open', async () => {
    const { sink } = memorySink();
    const closed: Sink = { ...sink, onError: 'dead-letter', open: () => Promise.reject(gone()) };
    const { report, letters } = await run([closed]);
    expect(report.outcome).toBe('complete');
    expect(letters).toHaveLength(5);
  });

  it('ends the run all the same where its options are wrong', async () => {
    const { sink } = memorySink();
    const wrong = {
      ...sink,
      onError: 'dead-letter' as const,
      open: () => Promise.reject(gone('usage')),
    };
    expect((await run([wrong])).failure?.category).toBe('usage');
  });
});
