export { PipelineError, messageOf } from './core/errors.js';
export type { ErrorCategory, PipelineErrorOptions } from './core/errors.js';
export type * from './mlflow/types.js';
export type * from './mlflow/records.js';
export type * from './datahub/proposal.js';
export type * from './stream/contracts.js';
