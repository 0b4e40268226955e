/**
 * The sink of a dry run.
 */

import { proposalJson } from '../datahub/proposal-json.js';
import type { Sink } from '../stream/contracts.js';
import { LINES, ProposalWriter } from './proposal-writer.js';

/**
 * Takes every proposal, makes its JSON, and writes it nowhere; at the end it logs how many there
 * were and how large. What has no JSON is refused, as the file sink would.
 *
 * @example
 * definePipeline({ source, operators, sinks: [discardSink()] });
 */
export function discardSink(): Sink {
  return {
    label: 'nowhere',
    open: ({ startedAt, runId, signal, log }) => {
      let bytes = 0;
      const output = {
        write: (chunk: Uint8Array): Promise<void> => {
          bytes += chunk.length;
          return Promise.resolve();
        },
      };
      const toJson = proposalJson({ lastObserved: startedAt, runId });
      const writer = new ProposalWriter({ output, framing: LINES, toJson, signal });
      return Promise.resolve({
        write: (proposals) => writer.write(proposals),
        close: () => {
          log.info({ proposals: writer.written, bytes }, 'nothing was written');
          return Promise.resolve();
        },
      });
    },
    check: () => Promise.resolve('nothing is written'),
  };
}
