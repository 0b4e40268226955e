/**
 * Links back to MLflow's web pages.
 */

import type { ServerFacts } from '../../mlflow/types.js';

/** Makes the links of one server; each of them is undefined where it has no web pages. */
export class Links {
  readonly #base: string | undefined;
  readonly #workspace: string | undefined;

  constructor(server: ServerFacts, baseExternalUrl: string | undefined) {
    const { webUrl, workspace } = server;
    this.#base = (baseExternalUrl ?? webUrl)?.replace(/\/+$/, '');
    this.#workspace = workspace;
  }

  experiment(experimentId: string): Link {
    return this.#link(['experiments', experimentId]);
  }

  run(experimentId: string, runId: string): Link {
    return this.#link(['experiments', experimentId, 'runs', runId]);
  }

  loggedModel(experimentId: string, modelId: string): Link {
    return this.#link(['experiments', experimentId, 'models', modelId]);
  }

  model(name: string): Link {
    return this.#link(['models', name]);
  }

  version(name: string, version: string): Link {
    return this.#link(['models', name, 'versions', version]);
  }

  prompt(name: string): Link {
    return this.#link(['prompts', name]);
  }

  promptVersion(name: string, version: string): Link {
    return this.#link(['prompts', name], `promptVersion=${encodeURIComponent(version)}`);
  }

  #link(path: readonly string[], ...query: string[]): Link {
    if (this.#base === undefined) return {};
    // MLflow's pages are told by what follows the #, and so is the workspace.
    const page = path.map(encodeURIComponent).join('/');
    if (this.#workspace !== undefined) {
      query.push(`workspace=${encodeURIComponent(this.#workspace)}`);
    }
    const asked = query.length === 0 ? '' : `?${query.join('&')}`;
    return { externalUrl: `${this.#base}/#/${page}${asked}` };
  }
}

/** To be spread into an aspect. */
export interface Link {
  readonly externalUrl?: string;
}
