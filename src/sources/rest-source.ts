/**
 * `restSource`: an MLflow server as a source.
 */

import { parseOptions } from '../core/options.js';
import { redact } from '../core/redact.js';
import type { Source } from '../stream/contracts.js';
import { readMlflow } from './mlflow-reader.js';
import { restOptionsSchema, type RestOptions } from './rest/options.js';
import { openRestStore } from './rest/rest-store.js';

/**
 * Reads an MLflow server over REST. Requests grow with pages, not with entities.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage) here; when it is opened, what `openRestStore` does
 *
 * @example
 * restSource({ trackingUri: 'http://localhost:5000', runsPageSize: 500 });
 */
export function restSource(options: RestOptions = {}): Source {
  const settings = parseOptions('restSource', restOptionsSchema, options);
  return {
    label: `mlflow ${redact(settings.trackingUri ?? 'MLFLOW_TRACKING_URI')}`,
    open: async (context) => readMlflow(await openRestStore(options, context), context),
  };
}
