import { mkdtempSync, readFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMPTY, NEVER, of } from 'rxjs';
import { concatMap, delay, filter, map, mergeMap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import type {
  AnyOperator,
  OpenSink,
  Page,
  Refusal,
  Sink,
  Source,
} from '../../src/stream/contracts.js';
import { runPipeline, type RunOptions } from '../../src/stream/run-pipeline.js';
import { memorySink, memorySource, pageOf, silentLog, toTags } from '../support/memory.js';

interface Wiring {
  source: Source<unknown>;
  operators?: AnyOperator[];
  sinks: Sink[];
  maxInFlightPages?: number;
}

function run(
  { source, operators, sinks, maxInFlightPages }: Wiring,
  options?: Partial<RunOptions>,
) {
  const path = join(mkdtempSync(join(tmpdir(), 'run-')), 'dead-letter.ndjson');
  const result = runPipeline(
    {
      source,
      operators: operators ?? [toTags()],
      sinks,
      maxInFlightPages: maxInFlightPages ?? 2,
      deadLetter: { path },
    },
    { log: silentLog, env: {}, ...options },
  );
  const deadLetters = () =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { result, path, deadLetters };
}

const pages = (count: number, size = 3): Page<number>[] =>
  Array.from({ length: count }, (_, page) =>
    pageOf(...Array.from({ length: size }, (__, record) => page * size + record)),
  );

const urns = (count: number) => Array.from({ length: count }, (_, n) => `urn:li:tag:${n}`);

const never = () => new Promise<never>(() => undefined);

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('runPipeline', () => {
  it('delivers everything to every sink and says so', async () => {
    const { source, seen } = memorySource(pages(5));
    const [a, b] = [memorySink(undefined, 'a'), memorySink(undefined, 'b')];
    const { report, failure } = await run({ source, sinks: [a.sink, b.sink] }).result;

    expect(failure).toBeUndefined();
    expect(report.outcome).toBe('complete');
    expect(a.seen).toEqual({ confirmed: urns(15), closed: ['complete'] });
    expect(b.seen).toEqual(a.seen);
    expect(seen.closed).toBe(1);
    expect(report.counts).toMatchObject({
      pages: 5,
      aspects: { tagProperties: 15 },
      entities: { tag: 15 },
      delivered: { a: 15, b: 15 },
      rejected: 0,
    });
  });

  it('lets a sink that takes 50 ms a record slow the source, not the memory', async () => {
    const { source, seen } = memorySource(pages(12, 2));
    let done = 0;
    let most = 0;
    const slow = memorySink(async (proposals) => {
      most = Math.max(most, seen.asked - done);
      await sleep(50 * proposals.length);
      return [];
    });
    await run(
      { source, sinks: [slow.sink], maxInFlightPages: 3 },
      { onProgress: () => (done += 1) },
    ).result;
    expect(slow.seen.confirmed).toHaveLength(24);
    expect(most).toBe(3);
  });

  it('counts what sinks of one label took apart, and names the one that refused', async () => {
    const refusing = (proposals: readonly Proposal[]) =>
      Promise.resolve(
        proposals
          .filter(({ entityUrn }) => entityUrn === 'urn:li:tag:0')
          .map((proposal) => ({ proposal, code: 'NO', message: 'no', attempts: 1 })),
      );
    const [a, b] = [memorySink(undefined, 'hook'), memorySink(refusing, 'hook')];
    const { source } = memorySource(pages(2));
    const { result, deadLetters } = run({ source, sinks: [a.sink, b.sink] });
    const { report } = await result;
    expect(report.sinks).toEqual(['hook', 'hook (2)']);
    expect(report.counts.delivered).toEqual({ hook: 6, 'hook (2)': 5 });
    expect(deadLetters()).toMatchObject([{ sink: 'hook (2)' }]);
  });

  it('is slowed by the slowest of several sinks', async () => {
    const { source, seen } = memorySource(pages(6));
    let release: () => void = () => {};
    const blocked = memorySink(async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return [];
    }, 'slow');
    const fast = memorySink();
    const { result } = run({ source, sinks: [fast.sink, blocked.sink], maxInFlightPages: 1 });
    await sleep(30);
    expect(seen.asked).toBe(1);
    expect(fast.seen.confirmed).toEqual(urns(3));
    const timer = setInterval(() => {
      release();
    }, 1);
    expect((await result).report.counts.pages).toBe(6);
    clearInterval(timer);
  });

  it('takes any operators: those that drop, add, delay or reorder', async () => {
    const { source } = memorySource(pages(10));
    const { sink, seen } = memorySink();
    const operators: AnyOperator[] = [
      filter((record: number) => record % 3 !== 0),
      mergeMap((record: number) => (record % 2 === 0 ? of(record, record + 1000) : EMPTY)),
      concatMap((record: number) => of(record).pipe(delay(1))),
      toTags(),
    ];
    const { report } = await run({ source, operators, sinks: [sink] }).result;
    expect(report.outcome).toBe('complete');
    const kept = Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 3 !== 0 && n % 2 === 0);
    expect(seen.confirmed.sort()).toEqual(
      kept.flatMap((n) => [`urn:li:tag:${n}`, `urn:li:tag:${n + 1000}`]).sort(),
    );
  });

  it('goes on when operators drop every record of every page', async () => {
    const { source } = memorySource(pages(100));
    const { sink, seen } = memorySink();
    const { report } = await run({ source, operators: [filter(() => false)], sinks: [sink] })
      .result;
    expect(report.counts.pages).toBe(100);
    expect(seen).toEqual({ confirmed: [], closed: ['complete'] });
  });

  it('names the operator that threw, and closes the sinks as failed', async () => {
    const { source, seen } = memorySource(pages(10));
    const sink = memorySink();
    const addTeam: AnyOperator = Object.assign(
      map((record: number) => {
        if (record === 4) throw new TypeError('team of undefined');
        return record;
      }),
      { label: 'addTeam' },
    );
    const { report, failure } = await run({
      source,
      operators: [addTeam, toTags()],
      sinks: [sink.sink],
    }).result;
    expect(report.outcome).toBe('failed');
    expect(report.error).toEqual({
      code: 'OPERATOR_FAILED',
      message: 'operator addTeam (number 1) failed: team of undefined',
    });
    expect(failure?.category).toBe('usage');
    expect(sink.seen.closed).toEqual(['failed']);
    expect(seen.closed).toBe(1);
  });

  it('writes what could not be read, mapped or delivered to the dead-letter file', async () => {
    const { source } = memorySource([
      pageOf(1, 2),
      {
        records: [3],
        rejected: [
          {
            kind: 'record',
            code: 'MALFORMED_RUN',
            message: 'no id',
            identity: 'run ?',
            content: 7,
          },
        ],
      },
    ]);
    const undelivered: string[] = [];
    const watching: AnyOperator = Object.assign(
      map((proposal: unknown) => proposal),
      {
        onUndelivered: ({ entityUrn }: { entityUrn: string }) => undelivered.push(entityUrn),
      },
    );
    const picky = memorySink((proposals) =>
      Promise.resolve(
        proposals
          .filter(({ entityUrn }) => entityUrn.endsWith(':2'))
          .map((proposal): Refusal => ({
            proposal,
            code: 'TOO_BIG',
            message: 'over',
            attempts: 1,
          })),
      ),
    );
    const { result, deadLetters } = run({
      source,
      operators: [toTags(), watching],
      sinks: [picky.sink],
    });
    const { report } = await result;
    expect(report.outcome).toBe('complete');
    expect(picky.seen.confirmed).toEqual(['urn:li:tag:1', 'urn:li:tag:3']);
    expect(undelivered).toEqual(['urn:li:tag:2']);
    expect(report.counts.rejected).toBe(2);
    expect(report.deadLetter?.count).toBe(2);
    const letters = deadLetters();
    expect(letters).toHaveLength(2);
    expect(letters).toContainEqual(
      expect.objectContaining({ kind: 'record', code: 'MALFORMED_RUN', content: 7 }),
    );
    expect(letters).toContainEqual(
      expect.objectContaining({
        kind: 'proposal',
        code: 'TOO_BIG',
        sink: 'memory sink',
        identity: 'urn:li:tag:2 tagProperties',
      }),
    );
  });

  it('ends with the error of a sink, after what the other sinks were writing', async () => {
    const { source } = memorySource(pages(5));
    const broken = memorySink(
      () =>
        Promise.reject(
          new PipelineError('disk is full', { code: 'SINK_FAILED', category: 'unavailable' }),
        ),
      'broken',
    );
    const slow = memorySink(async () => {
      await sleep(20);
      return [];
    }, 'slow');
    const { report } = await run({
      source,
      sinks: [broken.sink, slow.sink],
      maxInFlightPages: 1,
    }).result;
    expect(report.error).toEqual({ code: 'SINK_FAILED', message: 'disk is full' });
    expect(slow.seen).toEqual({ confirmed: urns(3), closed: ['failed'] });
    expect(broken.seen.closed).toEqual(['failed']);
  });

  it('closes the sinks that were opened when one can not be', async () => {
    const { source, seen } = memorySource(pages(1));
    const first = memorySink();
    const second: Sink = {
      ...memorySink().sink,
      open: () => Promise.reject(new PipelineError('no', { code: 'NO', category: 'unavailable' })),
    };
    const { report } = await run({ source, sinks: [first.sink, second] }).result;
    expect(report.error?.code).toBe('NO');
    expect(first.seen.closed).toEqual(['failed']);
    expect(seen).toEqual({ asked: 0, closed: 1 });
  });

  it('stops cleanly: reads no more, delivers what is on its way', async () => {
    const { source, seen } = memorySource(pages(100));
    const stop = new AbortController();
    const slow = memorySink(async () => {
      stop.abort();
      await sleep(20);
      return [];
    });
    const { report, failure } = await run(
      { source, sinks: [slow.sink], maxInFlightPages: 2 },
      { signal: stop.signal },
    ).result;
    expect(failure).toBeUndefined();
    expect(report.outcome).toBe('interrupted');
    expect(seen.asked).toBe(2);
    expect(slow.seen.closed).toEqual(['interrupted']);
    expect(report.counts.delivered).toEqual({ 'memory sink': slow.seen.confirmed.length });
  });

  it('does not speak of what was on its way when nothing was read yet', async () => {
    const stop = new AbortController();
    const said: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => said.push(message) };
    const opening: Source = {
      label: 'opening',
      open: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
          stop.abort();
        }),
    };
    const { report } = await run(
      { source: opening, sinks: [memorySink().sink] },
      { signal: stop.signal, log },
    ).result;
    expect(report.outcome).toBe('interrupted');
    expect(said).toEqual(['stopped before anything was read']);
  });

  it('breaks off when the grace time is over', async () => {
    const { source } = memorySource(pages(100));
    const stop = new AbortController();
    const hanging: Sink = {
      label: 'hanging',
      check: () => Promise.resolve(''),
      open: ({ signal }) =>
        Promise.resolve({
          write: () =>
            new Promise((_, reject) => {
              stop.abort();
              signal.addEventListener('abort', () => {
                reject(new Error('aborted'));
              });
            }),
          close: () => Promise.resolve(),
        }),
    };
    const { report } = await run({ source, sinks: [hanging] }, { signal: stop.signal, graceMs: 20 })
      .result;
    expect(report.outcome).toBe('interrupted');
    expect(report.counts.delivered).toEqual({});
  });

  it.each<[string, AnyOperator[], Partial<OpenSink> & { hangs?: 'open' }]>([
    ['an operator that never completes', [toTags(), mergeMap(() => NEVER)], {}],
    ['a sink that is never open', [toTags()], { hangs: 'open' }],
    ['a sink that never confirms', [toTags()], { write: never }],
    ['a sink that never closes', [toTags()], { close: never }],
  ])('ends on a stop, after the grace time, for all of %s', async (_, operators, odd) => {
    const { source, seen } = memorySource(pages(1));
    const stop = new AbortController();
    const { sink } = memorySink();
    const waiting: Sink = {
      ...sink,
      open: async (context) =>
        odd.hangs === 'open' ? never() : { ...(await sink.open(context)), ...odd },
    };
    const { result } = run(
      { source, operators, sinks: [waiting] },
      { signal: stop.signal, graceMs: 20 },
    );
    await sleep(30);
    stop.abort();
    expect((await result).report.outcome).toBe('interrupted');
    expect(seen.closed).toBe(1);
  });

  it('keeps the error of a sink that fails while a stop is under way', async () => {
    const { source } = memorySource(pages(5));
    const stop = new AbortController();
    const broken = memorySink(async () => {
      stop.abort();
      await sleep(5);
      throw new PipelineError('disk is full', { code: 'SINK_FAILED', category: 'unavailable' });
    });
    const { report } = await run({ source, sinks: [broken.sink] }, { signal: stop.signal }).result;
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'SINK_FAILED' } });
  });

  it('is complete although a stop came when all was delivered', async () => {
    const { source } = memorySource(pages(2));
    const stop = new AbortController();
    const { sink, seen } = memorySink();
    const closing: Sink = {
      ...sink,
      open: async (context) => ({
        ...(await sink.open(context)),
        close: async (outcome) => {
          stop.abort();
          await sleep(5);
          seen.closed.push(outcome);
        },
      }),
    };
    const { report } = await run({ source, sinks: [closing] }, { signal: stop.signal }).result;
    expect(report.outcome).toBe('complete');
    expect(seen.closed).toEqual(['complete']);
  });

  it('leaves a sink all the time it needs to close a complete run', async () => {
    const { source } = memorySource(pages(2));
    const { sink } = memorySink();
    const slow: Sink = {
      ...sink,
      open: async (context) => ({
        ...(await sink.open(context)),
        close: async () => {
          await sleep(60);
          if (context.signal.aborted) throw new Error('aborted');
        },
      }),
    };
    const { report } = await run({ source, sinks: [slow] }, { graceMs: 10 }).result;
    expect(report.outcome).toBe('complete');
  });

  it('closes the other sinks when one throws instead', async () => {
    const { source } = memorySource(pages(1));
    const first = memorySink(undefined, 'first');
    const throwing: Sink = {
      ...first.sink,
      open: async (context) => ({
        ...(await first.sink.open(context)),
        close: () => {
          throw new Error('no');
        },
      }),
    };
    const other = memorySink(undefined, 'other');
    const { report } = await run({ source, sinks: [throwing, other.sink] }).result;
    expect(report.outcome).toBe('failed');
    expect(other.seen.closed).toEqual(['complete']);
  });

  it('reports the first error where the source can not be closed either', async () => {
    const { source } = memorySource(pages(1));
    const failing: Source<number> = {
      label: 'failing',
      open: async (context) => ({
        ...(await source.open(context)),
        close: () => Promise.reject(new Error('close')),
      }),
    };
    const bad = memorySink(() => Promise.reject(new Error('write')));
    const { report } = await run({ source: failing, sinks: [bad.sink] }).result;
    expect(report.error?.message).toContain('write');
  });

  it('sets aside what is no proposal, and delivers the rest', async () => {
    const { source } = memorySource([pageOf(1, 2, 3, 4)]);
    const { sink, seen } = memorySink();
    const odd: AnyOperator = map((proposal: Proposal) => {
      if (proposal.entityUrn.endsWith(':1')) return undefined;
      if (proposal.entityUrn.endsWith(':2')) return { ...proposal, entityUrn: '' };
      return proposal.entityUrn.endsWith(':3') ? null : proposal;
    });
    const { report } = await run({ source, operators: [toTags(), odd], sinks: [sink] }).result;
    expect(seen.confirmed).toEqual(['urn:li:tag:4']);
    expect(report.counts).toMatchObject({ rejected: 3, delivered: { 'memory sink': 1 } });
    expect(report.counts.warnings).toMatchObject([
      { code: 'NOT_A_PROPOSAL', examples: ['undefined', 'object', 'object'] },
    ]);
  });

  it('says what it set aside where the mapping was forgotten', async () => {
    const { source } = memorySource([pageOf(1)]);
    const operators = [map(() => ({ kind: 'run', run: {} }))];
    const { report } = await run({ source, operators, sinks: [memorySink().sink] }).result;
    expect(report.counts.warnings).toMatchObject([
      {
        message: expect.stringContaining('is mapToProposals() missing') as string,
        examples: ['record of kind run'],
      },
    ]);
  });

  it('writes nothing in a dry run, and counts all the same', async () => {
    const { source } = memorySource([
      {
        records: [1],
        rejected: [{ kind: 'record', code: 'X', message: '', identity: '', content: 0 }],
      },
    ]);
    const { sink, seen } = memorySink();
    const { result, path } = run({ source, sinks: [sink] }, { dryRun: true });
    const { report } = await result;
    expect(seen).toEqual({ confirmed: [], closed: [] });
    expect(existsSync(path)).toBe(false);
    expect(report.counts).toMatchObject({ aspects: { tagProperties: 1 }, rejected: 1 });
  });
});
