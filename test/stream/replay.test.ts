import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import type { MlflowRecord, RunRecord } from '../../src/mlflow/records.js';
import { reviveRecord } from '../../src/mlflow/revive-record.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import { dedup } from '../../src/operators/dedup.js';
import { filter } from '../../src/operators/filter.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { redact } from '../../src/operators/redact.js';
import { setEnv } from '../../src/operators/set-env.js';
import type { AnyOperator, Refusal, Rejection, Sink } from '../../src/stream/contracts.js';
import { formatEntry, type DeadLetterEntry } from '../../src/stream/dead-letter-entry.js';
import { openDeadLetter } from '../../src/stream/dead-letter.js';
import { throughOperators } from '../../src/stream/operators.js';
import { replay, type ReplayResult } from '../../src/stream/replay.js';
import { awkwardProposals, tagProposal } from '../../src/testing/index.js';
import { recordingContext } from '../operators/operator-cases.js';
import { memorySink, silentLog, someServer } from '../support/memory.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replay-'));
  path = join(folder, 'dead.ndjson');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const mapping = (): AnyOperator[] => [buildUrns(), mapToProposals()];

async function letters(...rejections: Rejection[]): Promise<void> {
  const file = openDeadLetter({ path, runId: 'run-1', now: () => 0 });
  for (const rejection of rejections) file.add(rejection);
  await file.close();
}

interface Given {
  readonly sinks: readonly Sink[];
  readonly operators?: readonly AnyOperator[];
  readonly anySink?: boolean;
  readonly pageSize?: number;
  readonly signal?: AbortSignal;
}

function again({ operators = mapping(), ...given }: Given): Promise<ReplayResult> {
  return replay({ path, operators, runId: 'run-2', log: silentLog, env: {}, ...given });
}

async function left(): Promise<readonly DeadLetterEntry[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DeadLetterEntry);
}

function refused(proposal: Proposal, sink = 'memory sink', attempts = 3): Rejection {
  return {
    kind: 'proposal',
    code: 'REFUSED',
    message: 'no',
    identity: `${proposal.entityUrn} ${proposal.aspectName}`,
    content: proposal,
    sink,
    attempts,
  };
}

const refusing = (code: string) => (proposals: readonly Proposal[]) =>
  Promise.resolve(
    proposals.map((proposal): Refusal => ({ proposal, code, message: 'still no', attempts: 9 })),
  );

const runRecord: RunRecord = {
  kind: 'run',
  server: someServer,
  run: {
    runId: 'r1',
    experimentId: '1',
    status: 'FINISHED',
    startTime: 5,
    lifecycleStage: 'active',
    params: [{ key: '__proto__', value: 'x' }],
    metrics: [{ key: 'loss', value: NaN, timestamp: 1, step: 0 }],
    tags: [],
    datasetInputs: [],
  },
  experiment: { experimentId: '1', name: 'churn' },
  versions: [],
};

function unmapped(content: unknown, more: Partial<Rejection> = {}): Rejection {
  return {
    kind: 'record',
    code: 'UNMAPPABLE_RECORD',
    message: 'defect',
    identity: 'run r1',
    content,
    ...more,
  };
}

/** What the operators give for a record in an ordinary run. */
async function mapped(record: MlflowRecord): Promise<readonly Proposal[]> {
  const seen: Proposal[] = [];
  await letters(unmapped(record));
  const { sink } = memorySink((proposals) => {
    seen.push(...proposals);
    return Promise.resolve([]);
  });
  await again({ sinks: [sink] });
  return seen;
}

describe('what arrives', () => {
  it('is out of the file, which is gone when nothing is left', async () => {
    await letters(refused(tagProposal('a')), refused(tagProposal('b')));
    const { sink, seen } = memorySink();
    const { report } = await again({ sinks: [sink] });
    expect(report).toMatchObject({ outcome: 'complete', tried: 2, done: 2, left: 0 });
    expect(report.counts.delivered).toEqual({ 'memory sink': 2 });
    expect(seen).toEqual({ confirmed: ['urn:li:tag:a', 'urn:li:tag:b'], closed: ['complete'] });
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes to the sink that refused it, where two have one label', async () => {
    await letters(refused(tagProposal('a')), refused(tagProposal('b'), 'memory sink (2)'));
    const [first, second] = [memorySink(), memorySink()];
    const { report } = await again({ sinks: [first.sink, second.sink] });
    expect(first.seen.confirmed).toEqual(['urn:li:tag:a']);
    expect(second.seen.confirmed).toEqual(['urn:li:tag:b']);
    expect(report.counts.delivered).toEqual({ 'memory sink': 1, 'memory sink (2)': 1 });
  });

  it('is mapped, where it was a record', async () => {
    const proposals = await mapped(runRecord);
    expect(proposals.map(({ aspectName }) => aspectName)).toContain('mlTrainingRunProperties');
    const text = JSON.stringify(proposals);
    expect(text).toContain('{"name":"loss","value":"nan"}');
    expect(text).toContain('{"name":"__proto__","value":"x"}');
    expect(await readdir(folder)).toEqual([]);
  });

  it('is built anew, where it had URNs already', async () => {
    const wrong = { ...runRecord, urns: { run: 'urn:li:wrong' } };
    expect(JSON.stringify(await mapped(wrong))).not.toContain('urn:li:wrong');
  });

  it('is owned and placed by the operators of now, where those of before had done so', () => {
    const input = { name: 'd', digest: '1', sourceType: 'local', source: '{}' };
    const version = {
      name: 'churn',
      version: '3',
      currentStage: 'None',
      creationTimestamp: 1,
      lastUpdatedTimestamp: 2,
      status: 'READY',
      tags: [],
      aliases: [],
    };
    const model = { ...version, latestVersion: '3' };
    const placed = { env: 'DEV', platformInstance: 'eu' };
    const { experiment } = runRecord;
    const made = (at: object, more: object): MlflowRecord[] => {
      const run = { ...runRecord.run, datasetInputs: [{ dataset: { ...input, ...at }, tags: [] }] };
      const versions = [{ ...version, ...at }];
      const inExperiment = { ...experiment, ...at };
      const tags = { lifecycleStage: 'active', tags: [] };
      return [
        { ...runRecord, run, experiment: inExperiment, versions },
        { kind: 'experiment', server: someServer, experiment: { ...inExperiment, ...tags } },
        { kind: 'registeredModel', server: someServer, model: { ...model, ...at }, ...more },
        {
          kind: 'modelVersion',
          server: someServer,
          version: { ...version, ...at },
          run: { ...run },
          ...more,
        },
        { kind: 'dataset', server: someServer, name: 'd', uses: [], ...at },
      ];
    };
    for (const record of made(placed, { owner: 'ada' })) {
      expect(JSON.stringify(reviveRecord(record))).not.toMatch(/DEV|"eu"|"ada"/);
    }
    const untouched = made({}, {});
    expect(untouched.map(reviveRecord)).toEqual(untouched);
  });

  it('is read, where the server sent it and it was malformed', async () => {
    const json = {
      info: { run_id: 'r1', experiment_id: '1', status: 'FINISHED', start_time: 5 },
      data: {
        metrics: [{ key: 'loss', value: 'NaN' }],
        params: [{ key: '__proto__', value: 'x' }],
      },
    };
    const { experiment } = runRecord;
    await letters(
      unmapped(json, { code: 'MALFORMED_RUN', origin: { server: someServer, experiment } }),
    );
    const found: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      found.push(...proposals);
      return Promise.resolve([]);
    });
    await again({ sinks: [sink] });
    const names = found.map(({ entityUrn, aspectName }) => `${entityUrn} ${aspectName}`);
    const expected = await mapped(runRecord);
    expect(names).toEqual(expected.map((each) => `${each.entityUrn} ${each.aspectName}`));
  });

  it('is as it was, whatever was in it', async () => {
    await letters(...awkwardProposals().map((each) => refused(each)));
    const found: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      found.push(...proposals);
      return Promise.resolve([]);
    });
    await again({ sinks: [sink] });
    expect(found).toEqual(awkwardProposals());
  });

  it('goes to the sink that refused it; with anySink to all where that is not there', async () => {
    await letters(refused(tagProposal('a'), 'one'), refused(tagProposal('b'), 'gone'));
    const one = memorySink(undefined, 'one');
    const two = memorySink(undefined, 'two');
    const { report } = await again({ sinks: [one.sink, two.sink], anySink: true });
    expect(one.seen.confirmed).toEqual(['urn:li:tag:a', 'urn:li:tag:b']);
    expect(two.seen.confirmed).toEqual(['urn:li:tag:b']);
    expect(report).toMatchObject({ done: 2, left: 0, otherSinks: [] });
  });

  it('goes to all sinks where none had refused it', async () => {
    const nameless = unmapped(tagProposal('a'), { kind: 'proposal', code: 'REFUSED' });
    const { aspect, ...rest } = tagProposal('b');
    const content = { ...rest, aspect: { json: aspect } };
    await letters(nameless, unmapped(content, { code: 'MALFORMED_PROPOSAL', sink: 'gone' }));
    const [one, two] = ['one', 'two'].map((label) => memorySink(undefined, label));
    const { report } = await again({ sinks: [one, two].flatMap((each) => each?.sink ?? []) });
    expect(one?.seen.confirmed).toEqual(['urn:li:tag:a', 'urn:li:tag:b']);
    expect(two?.seen.confirmed).toEqual(['urn:li:tag:a', 'urn:li:tag:b']);
    expect(report).toMatchObject({ done: 2, left: 0, otherSinks: [] });
  });

  it('may be a proposal of a file that somebody has put right', async () => {
    const { aspect, ...rest } = tagProposal('a');
    const content = { ...rest, aspect: { json: aspect } };
    await letters(unmapped(content, { code: 'MALFORMED_PROPOSAL' }));
    const { sink, seen } = memorySink();
    await again({ sinks: [sink] });
    expect(seen.confirmed).toEqual(['urn:li:tag:a']);
  });
});

describe('what fails again', () => {
  it('stays, with one attempt more and the new reason', async () => {
    await letters(refused(tagProposal('a')), refused(tagProposal('b')));
    const { sink } = memorySink((proposals) => refusing('STILL')(proposals.slice(0, 1)));
    const { report } = await again({ sinks: [sink] });
    expect(report).toMatchObject({ outcome: 'complete', tried: 2, done: 1, left: 1 });
    const [entry, ...more] = await left();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      ...refused(tagProposal('a'), 'memory sink', 4),
      code: 'STILL',
      message: 'still no',
      runId: 'run-2',
    });
  });

  it('stays as a record where it still can not be mapped', async () => {
    const broken = { ...runRecord, run: { ...runRecord.run, params: null } };
    await letters(unmapped(broken, { attempts: 4 }));
    const { sink, seen } = memorySink();
    await again({ sinks: [sink] });
    expect(seen.confirmed).toEqual([]);
    expect(await left()).toMatchObject([
      { kind: 'record', identity: 'run r1', attempts: 5, content: { kind: 'run' } },
    ]);
  });

  it('is only what was refused of a record that is mapped now', async () => {
    await letters(unmapped(runRecord));
    const { sink } = memorySink((proposals) => refusing('STILL')(proposals.slice(-1)));
    await again({ sinks: [sink] });
    const entries = await left();
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ kind: 'proposal', sink: 'memory sink', attempts: 9 });
  });

  it('stays for each sink that refused it', async () => {
    await letters(refused(tagProposal('a'), 'gone'));
    const sinks = ['one', 'two'].map((label) => memorySink(refusing('STILL'), label).sink);
    await again({ sinks, anySink: true });
    expect((await left()).map(({ sink }) => sink)).toEqual(['one', 'two']);
  });
});

describe('what operators leave out', () => {
  const leftOut = { tried: 1, done: 0, leftOut: 1, left: 1 };

  it('stays as it is, and is counted', async () => {
    await letters(unmapped(runRecord));
    const before = await readFile(path, 'utf8');
    const { sink, seen } = memorySink();
    const operators = [filter({ runs: { users: ['ada'] } }), ...mapping(), dedup()];
    const { report } = await again({ sinks: [sink], operators });
    expect(report).toMatchObject({ outcome: 'complete', ...leftOut });
    expect(report.counts.skipped).not.toEqual({});
    expect(seen.confirmed).toEqual([]);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it('is not what was sent for an earlier entry', async () => {
    const model = { name: 'churn', creationTimestamp: 1, lastUpdatedTimestamp: 2 };
    const record = { kind: 'registeredModel', server: someServer, model };
    const content = { ...record, model: { ...model, tags: [], aliases: [] } };
    await letters(unmapped(content), unmapped(content));
    const { sink, seen } = memorySink();
    const { report } = await again({ sinks: [sink], operators: [...mapping(), dedup()] });
    expect(report).toMatchObject({ tried: 2, done: 2, leftOut: 0, left: 0 });
    expect(seen.confirmed.length).toBeGreaterThan(0);
  });
});

describe('what was redacted before it was a dead letter', () => {
  const record: RunRecord = { ...runRecord, run: { ...runRecord.run, userId: 'ada' } };
  const redacting = () => redact({ hash: { users: '.*' }, salt: 'a secret' });

  /** The dead letters of a run whose last operator on records fails, and what it gives if not. */
  function ran(operators: readonly AnyOperator[], input: MlflowRecord = record) {
    const failing = setEnv(() => {
      throw new Error('not yet');
    });
    const { context, rejected } = recordingContext();
    const through = (all: readonly AnyOperator[]): readonly Proposal[] => {
      for (const each of all) each.open?.(context);
      const found: Proposal[] = [];
      throughOperators(of(input), all).subscribe((proposal) => found.push(proposal));
      return found;
    };
    expect(through([...operators, failing, ...mapping()])).toEqual([]);
    return { rejected, expected: through([...operators, ...mapping()]) };
  }

  async function replayed(operators: readonly AnyOperator[]) {
    const found: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      found.push(...proposals);
      return Promise.resolve([]);
    });
    const { report } = await again({ sinks: [sink], operators: [...operators, ...mapping()] });
    return { report, found };
  }

  it('passes the filter before it, and is not redacted again', async () => {
    const operators = [filter({ runs: { users: ['ada'] } }), redacting()];
    const { rejected, expected } = ran(operators);
    expect(rejected).toHaveLength(1);
    expect(JSON.stringify(rejected)).not.toMatch(/"ada"|a secret/);
    expect(JSON.stringify(expected)).toMatch(/"primaryKey":"[0-9a-f]{16}"/);
    await letters(...rejected);
    const { report, found } = await replayed(operators);
    expect(report).toMatchObject({ done: 1, leftOut: 0, left: 0 });
    expect(found).toEqual(expected);
  });

  it('stays so where it fails once more, also before it is redacted', async () => {
    const operators = [redacting(), redact({ hash: { users: '.*' }, salt: 'another' })];
    const { rejected, expected } = ran(operators);
    await letters(...rejected);
    const broken = setEnv(() => {
      throw new Error('nor now');
    });
    for (const place of [
      [broken, ...operators],
      [operators[0], broken, operators[1]],
      [...operators, broken],
    ]) {
      const { report } = await replayed(place.flatMap((each) => each ?? []));
      expect(report).toMatchObject({ done: 0, leftOut: 0, left: 1 });
    }
    const { found } = await replayed(operators);
    expect(found).toEqual(expected);
  });

  it('is judged as in a run by a filter behind', async () => {
    const operators = [redacting(), filter({ runs: { users: ['ada'] } })];
    const { rejected } = ran([redacting()]);
    await letters(...rejected);
    expect((await replayed(operators)).report).toMatchObject({ done: 0, leftOut: 1, left: 1 });
  });

  it('is redacted once more by other options', async () => {
    const { rejected } = ran([redacting()]);
    await letters(...rejected);
    const { report, found } = await replayed([redact({ drop: { users: '.*' } })]);
    expect(report).toMatchObject({ done: 1 });
    expect(JSON.stringify(found)).toContain('"primaryKey":"mlflow"');
  });
});

describe('what was not tried', () => {
  it('stays as it is: lines that are no entries, and records of unknown kind', async () => {
    await letters(refused(tagProposal('a')), unmapped({ kind: 'unheard of' }));
    const odd = '{"kind":"proposal","content":{"cut of';
    const before = (await readFile(path, 'utf8')).split('\n').slice(1).join('\n');
    await appendFile(path, `${odd}\n\n{"other":1}`);
    const { sink } = memorySink();
    const { report } = await again({ sinks: [sink] });
    expect(report).toMatchObject({ tried: 1, done: 1, left: 3 });
    expect(await readFile(path, 'utf8')).toBe(`${before}${odd}\n{"other":1}\n`);
  });

  it('stays as it is where another sink had refused it, and is counted', async () => {
    const others = ['gone', 'one (2)', 'gone'].map((label, index) =>
      refused(tagProposal(`other${index}`), label),
    );
    await letters(...others);
    const before = await readFile(path, 'utf8');
    await letters(refused(tagProposal('a'), 'one'));
    const { sink, seen } = memorySink(undefined, 'one');
    const { report, failure } = await again({ sinks: [sink], pageSize: 2 });
    expect(failure).toBeUndefined();
    expect(seen.confirmed).toEqual(['urn:li:tag:a']);
    expect(report).toMatchObject({ outcome: 'complete', tried: 1, done: 1, left: 3 });
    expect(report.otherSinks).toEqual([
      { sink: 'gone', count: 2 },
      { sink: 'one (2)', count: 1 },
    ]);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it('stays byte for byte where it is no UTF-8', async () => {
    await letters(refused(tagProposal('a', { description: 'gr\u00fc\u00df' })));
    const latin1 = Buffer.from(await readFile(path, 'utf8'), 'latin1');
    const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x0d, 0x0a]);
    await writeFile(path, latin1);
    await letters(refused(tagProposal('b')));
    await appendFile(path, bytes);
    const { sink, seen } = memorySink();
    const { report } = await again({ sinks: [sink] });
    // Read as text, the first would be an entry, and would arrive with other letters.
    expect(seen.confirmed).toEqual(['urn:li:tag:b']);
    expect(report).toMatchObject({ outcome: 'complete', tried: 1, done: 1, left: 2 });
    expect(await readFile(path)).toEqual(Buffer.concat([latin1, bytes]));
  });

  it('stays as it is where a sink gives up; what arrived before is out', async () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map((tag) => refused(tagProposal(tag)));
    await letters(...all);
    const before = (await readFile(path, 'utf8')).split('\n');
    let pages = 0;
    const { sink, seen } = memorySink(() => {
      pages += 1;
      const gone = new PipelineError('gone', { code: 'SINK_GONE', category: 'unavailable' });
      return pages === 2 ? Promise.reject(gone) : Promise.resolve([]);
    });
    const { report, failure } = await again({ sinks: [sink], pageSize: 2 });
    expect(failure?.code).toBe('SINK_GONE');
    expect(report).toMatchObject({ outcome: 'failed', tried: 2, done: 2, left: 3 });
    expect(seen.closed).toEqual(['failed']);
    expect(await readFile(path, 'utf8')).toBe(before.slice(2).join('\n'));
  });

  it('stays for the sink that gave up and was to, and is delivered to the others', async () => {
    await letters(refused(tagProposal('a'), 'weak'), refused(tagProposal('b'), 'strong'));
    const { sink } = memorySink(() => Promise.resolve([]), 'weak');
    const weak: Sink = {
      ...sink,
      onError: 'dead-letter',
      open: () =>
        Promise.reject(
          new PipelineError('it is still gone', { code: 'GONE', category: 'unavailable' }),
        ),
    };
    const strong = memorySink(undefined, 'strong');
    const { report, failure } = await again({ sinks: [weak, strong.sink] });
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ outcome: 'complete', tried: 2, done: 1, left: 1 });
    expect(strong.seen.confirmed).toEqual(['urn:li:tag:b']);
    // It was not tried, only not delivered.
    expect(await left()).toMatchObject([
      { ...refused(tagProposal('a'), 'weak', 3), code: 'GONE', message: 'it is still gone' },
    ]);
  });

  it('stays as it is after a stop', async () => {
    await letters(...['a', 'b', 'c'].map((tag) => refused(tagProposal(tag))));
    const stop = new AbortController();
    const { sink, seen } = memorySink(() => {
      stop.abort();
      return Promise.resolve([]);
    });
    const { report, failure } = await again({ sinks: [sink], pageSize: 1, signal: stop.signal });
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ outcome: 'interrupted', done: 1, left: 2 });
    expect(seen.confirmed).toEqual(['urn:li:tag:a']);
    expect((await left()).map(({ identity }) => identity)).toEqual([
      'urn:li:tag:b tagProperties',
      'urn:li:tag:c tagProperties',
    ]);
  });
});

describe('the file', () => {
  it('is as it was until the end: a kill loses nothing', async () => {
    await letters(refused(tagProposal('a')), refused(tagProposal('b')));
    const before = await readFile(path, 'utf8');
    const during: string[] = [];
    const { sink } = memorySink(async () => {
      during.push(await readFile(path, 'utf8'));
      return [];
    });
    await again({ sinks: [sink], pageSize: 1 });
    expect(during).toEqual([before, before]);
  });

  it('is not touched where nothing can be taken out of it', async () => {
    const bytes = Buffer.from('\ufffe{"utf": 16}\n\n{"no": "entry"}', 'utf16le');
    await writeFile(path, bytes);
    const before = await stat(path);
    const { sink } = memorySink();
    const { report } = await again({ sinks: [sink] });
    expect(report).toMatchObject({ outcome: 'complete', tried: 0, done: 0, left: 3 });
    expect(await readFile(path)).toEqual(bytes);
    const { ino, mtimeMs } = await stat(path);
    expect({ ino, mtimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs });
    expect(await readdir(folder)).toEqual(['dead.ndjson']);
  });

  it('is not touched where a sink gives up before anything arrived', async () => {
    await letters(refused(tagProposal('a')), refused(tagProposal('b')));
    const { ino } = await stat(path);
    const gone = new PipelineError('gone', { code: 'SINK_GONE', category: 'unavailable' });
    const { sink } = memorySink(() => Promise.reject(gone));
    const { report } = await again({ sinks: [sink], pageSize: 1 });
    expect(report).toMatchObject({ outcome: 'failed', tried: 0, left: 2 });
    expect((await stat(path)).ino).toBe(ino);
    expect(await readdir(folder)).toEqual(['dead.ndjson']);
  });

  it('is refused where it is compressed, and stays', async () => {
    await letters(refused(tagProposal('a')));
    const bytes = gzipSync(await readFile(path));
    await writeFile(path, bytes);
    const { sink, seen } = memorySink();
    await expect(again({ sinks: [sink] })).rejects.toMatchObject({
      code: 'DEAD_LETTER_UNREADABLE',
      category: 'usage',
      message: expect.stringContaining('compressed with gzip. Unpack it first') as unknown,
    });
    expect(seen.closed).toEqual([]);
    expect(await readFile(path)).toEqual(bytes);
    expect(await readdir(folder)).toEqual(['dead.ndjson']);
  });

  it('keeps what a run adds to it in the meantime, before and after the end', async () => {
    const other = openDeadLetter({ path, runId: 'other' });
    other.add(refused(tagProposal('a')));
    await other.flush();
    const stop = new AbortController();
    let writes = 0;
    const { sink } = memorySink(async () => {
      other.add(refused(tagProposal('late')));
      await other.flush();
      writes += 1;
      if (writes === 2) stop.abort();
      return [];
    });
    // The second is read in the same pass and delivered; what its write adds is kept in the end.
    await again({ sinks: [sink], pageSize: 1, signal: stop.signal });
    expect(writes).toBe(2);
    other.add(refused(tagProposal('later')));
    await other.close();
    const identities = (await left()).map(({ identity }) => identity);
    expect(identities).toContain('urn:li:tag:later tagProperties');
    expect(identities).toContain('urn:li:tag:late tagProperties');
    expect(identities).not.toContain('urn:li:tag:a tagProperties');
  });

  it('is not replayed twice at a time; what a killed replay left is removed', async () => {
    await letters(refused(tagProposal('a')));
    const { sink } = memorySink();
    await writeFile(`${path}.${process.ppid}.replay`, '');
    await expect(again({ sinks: [sink] })).rejects.toMatchObject({ code: 'REPLAY_UNDER_WAY' });
    await rm(`${path}.${process.ppid}.replay`);
    await writeFile(`${path}.999999999.replay`, 'half');
    await again({ sinks: [sink] });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is tried a few entries at a time where they are large', async () => {
    const large = { description: 'x'.repeat(3 * 1024 * 1024) };
    await letters(...['a', 'b', 'c', 'd'].map((tag) => refused(tagProposal(tag, large))));
    const sizes: number[] = [];
    const { sink } = memorySink((proposals) => {
      sizes.push(proposals.length);
      return Promise.resolve([]);
    });
    expect((await again({ sinks: [sink] })).report).toMatchObject({ done: 4, left: 0 });
    expect(sizes).toEqual([3, 1]);
  });

  it('must be there', async () => {
    await expect(again({ sinks: [] })).rejects.toMatchObject({
      code: 'DEAD_LETTER_UNREADABLE',
      category: 'usage',
    });
  });

  it('has entries that come back as they were', () => {
    const entry: DeadLetterEntry = { ...refused(tagProposal('a')), time: 'then', runId: 'run' };
    expect(JSON.parse(formatEntry(entry))).toEqual(entry);
  });
});
