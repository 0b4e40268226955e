/**
 * `definePipeline`, which a configuration exports the result of.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import type { Proposal } from '../datahub/proposal.js';
import { stateOptionsSchema, type StateOptions } from '../state/options.js';
import type { AnyOperator, Operator, Sink, Source } from '../stream/contracts.js';
import type { PipelineDefinition } from '../stream/run-pipeline.js';

/** Where rejected things go unless the configuration says otherwise; in the current folder. */
export const DEFAULT_DEAD_LETTER_PATH = 'mlflow-proposals.dead-letter.ndjson';

const sourceSchema = component<Source<unknown>>('open', 'a source, such as mlflowSource()');
const sinkSchema = component<Sink>('open', "a sink, such as fileSink({ path: 'out.json' })").refine(
  hasKnownOnError,
  { error: 'has an "onError" that is neither "fail" nor "dead-letter"' },
);

const operatorSchema = z.custom<AnyOperator>(
  // An operator takes the stream. A function that takes nothing is a factory somebody forgot to call.
  (value) => typeof value === 'function' && value.length > 0,
  {
    error: ({ input }) =>
      `must be an RxJS operator, such as versionGate()${
        typeof input === 'function' ? '; this one looks like a factory that was not called' : ''
      }`,
  },
);

/** What stands between the braces of `definePipeline({ ... })`. */
export const pipelineOptionsSchema = z.strictObject({
  source: sourceSchema.meta({ title: 'source' }).describe('Where records are read from'),
  operators: z
    .array(operatorSchema)
    .meta({ title: 'list of operators' })
    .describe('RxJS operators, in order: what comes out of the source goes in, proposals come out'),
  sinks: z
    .array(sinkSchema)
    .min(1)
    .meta({ title: 'list of sinks' })
    .describe('Where every proposal is delivered to'),
  maxInFlightPages: z
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe(
      'Pages on their way at a time: the source is asked for no further one before a page is confirmed by every sink',
    ),
  deadLetter: z
    .strictObject({
      path: z
        .string()
        .min(1)
        .default(DEFAULT_DEAD_LETTER_PATH)
        .describe('File (NDJSON) for what could not be mapped or delivered, made when needed'),
    })
    .default({ path: DEFAULT_DEAD_LETTER_PATH })
    .describe('What happens to things that could not be mapped or delivered'),
  state: stateOptionsSchema
    .optional()
    .describe(
      'What runs remember of each other. Without it (the default) every run reads and sends everything, and removes nothing',
    ),
});

/**
 * What `definePipeline` takes. The tuple of operators is given by its overloads, one for each length,
 * as in RxJS' own `pipe`: so operators made in place have their types inferred.
 */
export interface PipelineOptions<In, Operators extends readonly unknown[]> {
  /** Where records are read from: `mlflowSource()`. */
  readonly source: Source<In>;
  /** From what the source gives to proposals, each taking what the one before it gives. */
  readonly operators: Operators;
  /** Every proposal goes to each of them. At least one. */
  readonly sinks: readonly Sink[];
  /** Pages on their way at a time. @defaultValue 4 */
  readonly maxInFlightPages?: number;
  /** @defaultValue `{ path: 'mlflow-proposals.dead-letter.ndjson' }` */
  readonly deadLetter?: { readonly path?: string };
  /**
   * The file that runs remember in: what breaks off is gone on with, only what changed is sent, what
   * is gone from MLflow is removed. Off unless given.
   *
   * @example
   * state: { path: 'mlflow.state', lookbackDays: 7 }
   */
  readonly state?: StateOptions | undefined;
}

type Op<In, Out> = Operator<In, Out>;

/**
 * Wires a source, operators and sinks. Operators are ordinary RxJS operator functions; the compiler
 * checks that they fit each other, from what the source gives to proposals. (Behind the tenth, all
 * have to be on proposals; RxJS' `pipe` puts several of another kind together.)
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage) when a key is unknown or a value is wrong
 *
 * @example
 * export default definePipeline({
 *   source: mlflowSource({ uri: 'http://localhost:5000' }),
 *   operators: [versionGate(), buildUrns(), mapToProposals(), dedup()],
 *   sinks: [fileSink({ path: 'mlflow-proposals.json' })],
 * });
 */
export function definePipeline(options: PipelineOptions<Proposal, readonly []>): PipelineDefinition;
export function definePipeline<A>(
  options: PipelineOptions<A, readonly [Op<A, Proposal>]>,
): PipelineDefinition;
export function definePipeline<A, B>(
  options: PipelineOptions<A, readonly [Op<A, B>, Op<B, Proposal>]>,
): PipelineDefinition;
export function definePipeline<A, B, C>(
  options: PipelineOptions<A, readonly [Op<A, B>, Op<B, C>, Op<C, Proposal>]>,
): PipelineDefinition;
export function definePipeline<A, B, C, D>(
  options: PipelineOptions<A, readonly [Op<A, B>, Op<B, C>, Op<C, D>, Op<D, Proposal>]>,
): PipelineDefinition;
export function definePipeline<A, B, C, D, E>(
  options: PipelineOptions<A, readonly [Op<A, B>, Op<B, C>, Op<C, D>, Op<D, E>, Op<E, Proposal>]>,
): PipelineDefinition;
export function definePipeline<A, B, C, D, E, F>(
  options: PipelineOptions<
    A,
    readonly [Op<A, B>, Op<B, C>, Op<C, D>, Op<D, E>, Op<E, F>, Op<F, Proposal>]
  >,
): PipelineDefinition;
export function definePipeline<A, B, C, D, E, F, G>(
  options: PipelineOptions<
    A,
    readonly [Op<A, B>, Op<B, C>, Op<C, D>, Op<D, E>, Op<E, F>, Op<F, G>, Op<G, Proposal>]
  >,
): PipelineDefinition;
export function definePipeline<A, B, C, D, E, F, G, H>(
  options: PipelineOptions<
    A,
    readonly [Op<A, B>, Op<B, C>, Op<C, D>, Op<D, E>, Op<E, F>, Op<F, G>, Op<G, H>, Op<H, Proposal>]
  >,
): PipelineDefinition;
export function definePipeline<A, B, C, D, E, F, G, H, I>(
  options: PipelineOptions<
    A,
    readonly [
      Op<A, B>,
      Op<B, C>,
      Op<C, D>,
      Op<D, E>,
      Op<E, F>,
      Op<F, G>,
      Op<G, H>,
      Op<H, I>,
      Op<I, Proposal>,
    ]
  >,
): PipelineDefinition;
export function definePipeline<A, B, C, D, E, F, G, H, I, J>(
  options: PipelineOptions<
    A,
    readonly [
      Op<A, B>,
      Op<B, C>,
      Op<C, D>,
      Op<D, E>,
      Op<E, F>,
      Op<F, G>,
      Op<G, H>,
      Op<H, I>,
      Op<I, J>,
      Op<J, Proposal>,
      ...Op<Proposal, Proposal>[],
    ]
  >,
): PipelineDefinition;
export function definePipeline(options: object): PipelineDefinition {
  return checkPipeline(options);
}

/** The same at run time only, for what a configuration that nobody compiled has exported. */
export function checkPipeline(options: unknown): PipelineDefinition {
  const { state, ...others } = parseOptions('definePipeline', pipelineOptionsSchema, options);
  return state === undefined ? others : { ...others, state };
}

/** Asked also of what is no sink at all. */
function hasKnownOnError(value: unknown): boolean {
  const { onError } = (value ?? {}) as Partial<Sink>;
  return onError === undefined || ['fail', 'dead-letter'].includes(onError);
}

/** Whoever has the method is one: a class, a literal, or what a factory of ours gives. */
function component<T>(method: string, wanted: string): z.ZodType<T> {
  return z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      typeof (value as Record<string, unknown>)[method] === 'function' &&
      typeof (value as Record<string, unknown>)['label'] === 'string',
    {
      error: ({ input }) =>
        `must be ${wanted}${typeof input === 'function' ? '; this one was not called' : ''}`,
    },
  );
}
