/**
 * Proposals on standard output, one a line.
 */

import { stdout } from 'node:process';
import type { Writable } from 'node:stream';
import { z } from 'zod';
import { PipelineError } from '../core/errors.js';
import { parseOptions } from '../core/options.js';
import { proposalJson } from '../datahub/proposal-json.js';
import type { OpenSink, RunContext, Sink } from '../stream/contracts.js';
import { onErrorOption } from './on-error.js';
import { LINES, ProposalWriter } from './proposal-writer.js';
import { StreamOutput } from './stream-output.js';

const NAME = 'standard output';

export const stdoutSinkSchema = z.strictObject({
  stream: z
    .custom<Writable>(isWritable, { error: 'must be a stream that can be written to' })
    .optional()
    .meta({ title: 'stream' })
    .describe("Written to instead of the process's standard output. It is not ended"),
  onError: onErrorOption,
});

export type StdoutSinkOptions = z.input<typeof stdoutSinkSchema>;

/**
 * Writes each proposal as a line of JSON on standard output, for `jq` and the like. A reader that
 * is slow slows the run; a reader that goes away (`| head`) ends it.
 *
 * Errors: `OUTPUT_CLOSED` where the reader went away; `NOT_RESUMABLE` (usage) in a run with state;
 * otherwise `SINK_FAILED`.
 *
 * @example
 * definePipeline({ source, operators, sinks: [stdoutSink()] });
 */
export function stdoutSink(options: StdoutSinkOptions = {}): Sink {
  const { stream = stdout, onError } = parseOptions('stdoutSink', stdoutSinkSchema, options);
  return {
    label: NAME,
    path: '-',
    onError,
    open: (context, memory) =>
      memory === undefined
        ? Promise.resolve(open(stream, context))
        : Promise.reject(notResumable()),
    check: () =>
      stream.writable
        ? Promise.resolve(`${NAME} is open`)
        : Promise.reject(
            new PipelineError(`${NAME} is closed`, {
              code: 'OUTPUT_CLOSED',
              category: 'unavailable',
            }),
          ),
  };
}

/** By what it can do: one of another realm, or of a library's own class, is as good. */
function isWritable(value: unknown): boolean {
  return typeof (value as Partial<Writable> | null | undefined)?.write === 'function';
}

function notResumable(): PipelineError {
  return new PipelineError(
    `${NAME} can't be gone on with after a run that broke off: with state, write to a file`,
    { code: 'NOT_RESUMABLE', category: 'usage' },
  );
}

function open(stream: Writable, context: RunContext): OpenSink {
  const { signal, runId, startedAt } = context;
  const output = new StreamOutput(stream, NAME, signal);
  const toJson = proposalJson({ lastObserved: startedAt, runId });
  const writer = new ProposalWriter({ output, framing: LINES, toJson, signal });
  return {
    write: (proposals) => writer.write(proposals),
    close: () => {
      output.release();
      return Promise.resolve();
    },
  };
}
