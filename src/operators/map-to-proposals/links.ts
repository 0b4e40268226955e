/**
 * Links back to MLflow's web pages.
 */

import type { ServerFacts } from '../../mlflow/types.js';

/** Makes the links of one server; each of them is undefined where it has no web pages. */
export class Links {
  readonly #base: string | undefined;

  constructor(server: ServerFacts, baseExternalUrl: string | undefined) {
    this.#base = (baseExternalUrl ?? server.webUrl)?.replace(/\/+$/, '');
  }

  experiment(experimentId: string): Link {
    return this.#link('experiments', experimentId);
  }

  run(experimentId: string, runId: string): Link {
    return this.#link('experiments', experimentId, 'runs', runId);
  }

  model(name: string): Link {
    return this.#link('models', name);
  }

  version(name: string, version: string): Link {
    return this.#link('models', name, 'versions', version);
  }

  #link(...path: readonly string[]): Link {
    if (this.#base === undefined) return {};
    return { externalUrl: `${this.#base}/#/${path.map(encodeURIComponent).join('/')}` };
  }
}

/** To be spread into an aspect. */
export interface Link {
  readonly externalUrl?: string;
}
