/**
 * What `onError: 'dead-letter'` of a sink means.
 */

import { messageOf, PipelineError } from '../core/errors.js';
import type { Proposal } from '../datahub/proposal.js';
import type { OpenSink, Refusal, RunContext, Sink } from './contracts.js';

/** The sink as its `onError` wants it. */
export function withOnError(sink: Sink): Sink {
  return sink.onError === 'dead-letter' ? deadLetterOnError(sink) : sink;
}

/**
 * The same sink, but that its giving up does not end the run: what it was writing and all that
 * comes after is refused, and so goes to the dead-letter file, from where `replay` can send it. A
 * sink that can't even be opened has given up at once. It is not tried again in the same run: each
 * page would wait for it as long as the first did.
 *
 * Of what it was writing, some may have arrived: sent again, it arrives twice.
 */
export function deadLetterOnError(sink: Sink): Sink {
  return {
    label: sink.label,
    check: (context) => sink.check(context),
    open: async (context, memory) => {
      try {
        return tolerant(await sink.open(context, memory), sink.label, context);
      } catch (error) {
        if (context.signal.aborted || isUsage(error)) throw error;
        const gaveUp = giveUp(error, sink.label, context);
        return {
          write: (proposals) => Promise.resolve(gaveUp(proposals, 0)),
          close: () => Promise.resolve(),
        };
      }
    },
  };
}

/** Refuses what was tried that many times. */
type GaveUp = (proposals: readonly Proposal[], attempts: number) => readonly Refusal[];

function tolerant(open: OpenSink, label: string, context: RunContext): OpenSink {
  let gaveUp: GaveUp | undefined;
  return {
    write: async (proposals) => {
      if (gaveUp !== undefined) return gaveUp(proposals, 0);
      try {
        return await open.write(proposals);
      } catch (error) {
        // A run that is over has its own reason, and nothing of it is the sink's fault.
        if (context.signal.aborted) throw error;
        gaveUp ??= giveUp(error, label, context);
        return gaveUp(proposals, 1);
      }
    },
    position: () => open.position?.(),
    close: async (outcome) => {
      // What it confirmed and can't complete is lost to the run, whatever `onError` is.
      if (gaveUp === undefined) return open.close(outcome);
      try {
        await open.close('failed');
      } catch (error) {
        context.log.debug({ sink: label, err: error }, 'the sink that gave up could not be closed');
      }
    },
  };
}

function giveUp(error: unknown, label: string, { log, recorder }: RunContext): GaveUp {
  const code = error instanceof PipelineError ? error.code : 'UNEXPECTED';
  const message = messageOf(error);
  log.error({ sink: label, code }, `${message}; what is for it goes to the dead-letter file`);
  recorder.warn(
    'SINK_GAVE_UP',
    'a sink gave up; what was for it is in the dead-letter file',
    label,
  );
  return (proposals, attempts) =>
    proposals.map((proposal) => ({ proposal, code, message, attempts }));
}

/** Wrong options are to be put right, not to be written into a file. */
function isUsage(error: unknown): boolean {
  return error instanceof PipelineError && error.category === 'usage';
}
