/**
 * `mlflow-datahub/testing`: for tests of own sinks. Needs no test framework.
 */

export { runContext } from './run-context.js';
export { awkwardProposals, fingerprint, tagProposal } from './sample-proposals.js';
export { sinkKit, type SinkKitOptions } from './sink-kit.js';
export type { SinkFault } from './sink-kit-faults.js';
export type { SinkCheck, SinkSetup } from './sink-setup.js';
