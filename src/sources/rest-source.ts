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
 * @param component - what messages about the options call it
 * @throws PipelineError `INVALID_OPTIONS` (usage) here; when it is opened, what `openRestStore` does
 *
 * @example
 * restSource({ uri: 'http://localhost:5000', runsPageSize: 500 });
 */
export function restSource(options: RestOptions = {}, component = 'restSource'): Source {
  const settings = parseOptions(component, restOptionsSchema, options);
  return {
    label: `mlflow ${redact(settings.uri ?? 'MLFLOW_TRACKING_URI')}`,
    open: async (context) => readMlflow(await openRestStore(options, context), context),
  };
}
