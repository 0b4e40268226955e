/**
 * `mlflow-datahub/testing`: for tests of own sources, operators and sinks. Needs no test framework.
 */

export { operatorKit, type OperatorKitOptions } from './operator-kit.js';
export { runContext } from './run-context.js';
export { awkwardProposals, fingerprint, tagProposal } from './sample-proposals.js';
export { sinkKit, type SinkKitOptions } from './sink-kit.js';
export type { SinkFault } from './sink-kit-faults.js';
export type { SinkSetup } from './sink-setup.js';
export { sourceKit, type SourceKitOptions } from './source-kit.js';
export type { SourceSetup } from './source-setup.js';
export type { KitCheck } from './verify.js';
