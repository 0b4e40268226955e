/**
 * `restSource`: an MLflow server as a source.
 */

import { parseOptions } from '../core/options.js';
import { parseAddress } from '../mlflow/address.js';
import type { Source } from '../stream/contracts.js';
import { restOptionsSchema, type RestOptions } from './rest/options.js';
import { openRestStore } from './rest/rest-store.js';
import { namedWorkspace, warnOfHeader } from './rest/named-workspace.js';
import { labelOf } from './workspace-option.js';
import { readWorkspaces } from './workspaces.js';

/**
 * Reads an MLflow server over REST. Requests grow with pages, not with entities.
 *
 * @param component - what messages about the options call it
 * @throws PipelineError `INVALID_OPTIONS`, `INVALID_URI` (usage) here; when it is opened, what
 *   `openRestStore` and `readWorkspaces` do
 *
 * @example
 * restSource({ uri: 'http://localhost:5000', runsPageSize: 500 });
 */
export function restSource(options: RestOptions = {}, component = 'restSource'): Source {
  const { uri, registryUri, ...settings } = parseOptions(component, restOptionsSchema, options);
  const named = namedWorkspace(settings, {});
  if (registryUri !== undefined) parseAddress(registryUri, 'registryUri');
  return {
    label: labelOf(
      uri === undefined ? 'MLFLOW_TRACKING_URI' : parseAddress(uri, 'uri').shown,
      named,
    ),
    open: async (context) => {
      const workspace = namedWorkspace(settings, context.env);
      warnOfHeader(settings, context);
      const store = await openRestStore(options, context, workspace);
      return readWorkspaces(store, workspace, context);
    },
  };
}
