/**
 * Which servers to read from.
 */

import { PipelineError } from '../../core/errors.js';
import { clientSettings, type ClientSettings, type Env } from '../../mlflow/client/settings.js';
import type { RestSettings } from './options.js';

/**
 * The servers that options or variables name. Registry is absent where it is the tracking server.
 *
 * @throws PipelineError `NO_TRACKING_URI`, `INVALID_URI`, `INVALID_OPTIONS` (usage)
 */
export function namedServers(
  settings: RestSettings,
  env: Env,
): { tracking: ClientSettings; registry?: ClientSettings } {
  const uri = settings.uri ?? env['MLFLOW_TRACKING_URI'];
  if (uri === undefined || uri === '') {
    throw new PipelineError(
      'no MLflow server is named: set uri or the variable MLFLOW_TRACKING_URI to its ' +
        'address, such as http://host:5000',
      { code: 'NO_TRACKING_URI', category: 'usage' },
    );
  }
  const trackingName = settings.uri === undefined ? 'MLFLOW_TRACKING_URI' : 'uri';
  const tracking = clientSettings(uri, trackingName, settings, env);
  const other = settings.registryUri ?? env['MLFLOW_REGISTRY_URI'];
  if (other === undefined || other === '') return { tracking };
  const registryName = settings.registryUri === undefined ? 'MLFLOW_REGISTRY_URI' : 'registryUri';
  const registry = clientSettings(other, registryName, settings, env);
  if (registry.address.shown === tracking.address.shown) return { tracking };
  // Credentials in the tracking URI hold for its host, and for no other.
  const shared =
    registry.authorization === undefined &&
    registry.address.origin === tracking.address.origin &&
    tracking.authorization !== undefined
      ? {
          authorization: tracking.authorization,
          secrets: [...registry.secrets, ...tracking.secrets],
        }
      : {};
  return { tracking, registry: { ...registry, ...shared } };
}
