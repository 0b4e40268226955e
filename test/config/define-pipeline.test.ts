import { filter, map, pipe } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { checkPipeline, definePipeline } from '../../src/config/define-pipeline.js';
import { PipelineError } from '../../src/core/errors.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import {
  addDomain,
  addOwners,
  addProperties,
  addTags,
  addTerms,
  buildUrns,
  mapToProposals,
  mapUser,
  patch,
  redact,
  renameBy,
  validate,
  versionGate,
} from '../../src/index.js';
import type { Operator, Sink, Source } from '../../src/stream/contracts.js';
import type { PipelineDefinition } from '../../src/stream/run-pipeline.js';

const never = (): Promise<never> => Promise.reject(new Error('not meant to be called'));
const source: Source = { label: 'stand-in', open: never };
const replay: Source<Proposal> = { label: 'stand-in', open: never };
const sink: Sink = { label: 'stand-in', open: never, check: never };

const gate: Operator<MlflowRecord, MlflowRecord> = filter(() => true);
const named: Operator<MlflowRecord, { record: MlflowRecord; urn: string }> = map((record) => ({
  record,
  urn: '',
}));
const proposals: Operator<{ record: MlflowRecord; urn: string }, Proposal> = map(() => proposal);
const many = [gate, gate, gate, gate, gate, gate, gate, gate] as const;
const dedup: Operator<Proposal, Proposal> = filter(() => true);
const proposal: Proposal = {
  entityType: 'tag',
  entityUrn: 'urn:li:tag:a',
  changeType: 'UPSERT',
  aspectName: 'tagKey',
  aspect: {},
};

function messageFrom(options: unknown): string {
  try {
    checkPipeline(options);
  } catch (error) {
    if (error instanceof PipelineError && error.category === 'usage') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the types of definePipeline', () => {
  it('take operators that fit each other', () => {
    const defined = definePipeline({
      source,
      operators: [gate, named, proposals, dedup],
      sinks: [sink],
    });
    expectTypeOf(defined).toEqualTypeOf<PipelineDefinition>();
    definePipeline({ source, operators: [pipe(gate, named, proposals)], sinks: [sink] });
    definePipeline({
      source,
      operators: [
        filter((record: MlflowRecord) => record.kind !== 'run'),
        named,
        proposals,
        filter((each: Proposal) => each.entityType !== 'tag'),
      ],
      sinks: [sink],
    });
    definePipeline({ source, operators: [...many, named, proposals], sinks: [sink] });
    const more = [proposals, dedup, dedup, dedup] as const;
    definePipeline({ source, operators: [...many, named, ...more], sinks: [sink] });
    definePipeline({ source: replay, operators: [], sinks: [sink] });
    definePipeline({ source: replay, operators: [dedup], sinks: [sink] });
  });

  it('take what the operators of this package are, with functions made in place', () => {
    definePipeline({
      source,
      operators: [
        versionGate(),
        redact({ drop: { params: '.*token.*' } }),
        mapUser(),
        buildUrns(),
        mapToProposals(),
        addTags({ tags: ['mlflow'] }),
        addTerms(() => []),
        addOwners(({ properties }) => (properties['team'] === undefined ? [] : ['ada'])),
        addDomain(({ name }) => (name === 'churn' ? 'marketing' : undefined)),
        addProperties({ properties: { cluster: 'eu' } }),
        renameBy(({ name }) => name.toUpperCase()),
        patch(),
        validate(),
      ],
      sinks: [sink],
    });
  });

  it('refuse operators that do not', () => {
    // @ts-expect-error - a record is no proposal
    definePipeline({ source, operators: [gate], sinks: [sink] });
    // @ts-expect-error - nothing makes proposals
    definePipeline({ source, operators: [], sinks: [sink] });
    // @ts-expect-error - `proposals` needs what `named` gives
    definePipeline({ source, operators: [gate, proposals], sinks: [sink] });
    // @ts-expect-error - in the wrong order
    definePipeline({ source, operators: [dedup, named, proposals], sinks: [sink] });
    // @ts-expect-error - behind the tenth only those on proposals are taken
    definePipeline({ source, operators: [...many, named, proposals, gate], sinks: [sink] });
    // @ts-expect-error - the source gives proposals, not records
    definePipeline({ source: replay, operators: [gate, named, proposals], sinks: [sink] });
  });
});

describe('definePipeline', () => {
  const valid = { source, operators: [gate, named, proposals], sinks: [sink] };

  it('fills in the defaults and keeps the components as they are', () => {
    const defined = checkPipeline(valid);
    expect(defined.maxInFlightPages).toBe(4);
    expect(defined.deadLetter.path).toBe('mlflow-proposals.dead-letter.ndjson');
    expect(defined.source).toBe(source);
    expect(defined.operators[1]).toBe(named);
    expect(defined.sinks[0]).toBe(sink);
    expect(checkPipeline({ ...valid, deadLetter: {} }).deadLetter.path).toContain('dead-letter');
  });

  it('keeps no state unless told to, and fills in its defaults', () => {
    expect(checkPipeline(valid)).not.toHaveProperty('state');
    expect(checkPipeline({ ...valid, state: undefined })).not.toHaveProperty('state');
    const { state } = checkPipeline({ ...valid, state: { path: 'a.state', lookbackDays: 7 } });
    expect(state).toEqual({
      path: 'a.state',
      lookbackDays: 7,
      fullSweepEveryDays: 1,
      removeStale: true,
      staleLimitPercent: 75,
    });
    const typed = definePipeline({
      source,
      operators: [gate, named, proposals],
      sinks: [sink],
      state: { path: 'a.state' },
    });
    // What was checked is checked again where a configuration exports it.
    expect(checkPipeline(typed).state).toEqual(typed.state);
  });

  it('names a mistyped key, what was meant, and what is allowed', () => {
    expect(messageFrom({ ...valid, maxInflightpages: 3 })).toBe(
      'definePipeline: unknown option "maxInflightpages", did you mean "maxInFlightPages"? ' +
        'Allowed: source, operators, sinks, maxInFlightPages, deadLetter, state',
    );
    expect(messageFrom({ ...valid, deadLetter: { file: 'x' } })).toBe(
      'definePipeline: unknown option "file" in "deadLetter". Allowed: path',
    );
  });

  it.each([
    [{ maxInFlightPages: 0 }, '"maxInFlightPages" must be at least 1, not 0'],
    [{ maxInFlightPages: 2.5 }, '"maxInFlightPages" must be a whole number, not 2.5'],
    [{ maxInFlightPages: '4' }, '"maxInFlightPages" must be a number, not the text given'],
    [{ state: 'a.state' }, '"state" must be an object, not the text given'],
    [{ state: {} }, '"state.path" is required and must be a text'],
    [{ state: { path: '' } }, '"state.path" must be a text that is not empty'],
    [{ state: { path: 'a', lookback: 7 } }, 'unknown option "lookback" in "state", did you mean'],
    [{ state: { path: 'a', lookbackDays: 0 } }, '"state.lookbackDays" must be more than 0, not 0'],
    [{ state: { path: 'a', staleLimitPercent: 101 } }, 'must be at most 100, not 101'],
    [{ sinks: [] }, '"sinks" must be a list with at least one entry, not an empty list'],
    [{ sinks: sink }, '"sinks" must be a list, not an object'],
    [{ sinks: [() => sink] }, '"sinks[0]" must be a sink, such as'],
    [{ sinks: [() => sink] }, 'this one was not called'],
    [{ sinks: [null] }, '"sinks[0]" must be a sink, such as'],
    [
      { sinks: [{ ...sink, onError: 'deadletter' }] },
      '"sinks[0]" has an "onError" that is neither',
    ],
    [{ source: 'http://host' }, '"source" must be a source, such as mlflowSource()'],
    [{ source: undefined }, '"source" must be a source'],
    [{ operators: [gate, () => gate] }, '"operators[1]" must be an RxJS operator'],
    [{ operators: [gate, () => gate] }, 'was not called'],
  ])('refuses %j', (wrong, message) => {
    expect(messageFrom({ ...valid, ...wrong })).toContain(message);
  });

  it('names all that is wrong at once, and refuses what is no object at all', () => {
    const message = messageFrom({ sinks: [], operator: [] });
    expect(message).toContain('did you mean "operators"');
    expect(message).toContain('"sinks" must be');
    expect(messageFrom(undefined)).toContain('definePipeline: the options');
  });
});
