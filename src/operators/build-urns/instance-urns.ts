/**
 * URNs of what is told by a digest with the platform instance in it: experiments and users.
 */

import { LRUCache } from 'lru-cache';
import {
  dataPlatformInstanceUrn,
  experimentUrn,
  MLFLOW_PLATFORM,
  MLFLOW_PLATFORM_URN,
  userUrn,
} from '../../datahub/urn.js';
import type { PlatformUrns } from '../identified-record.js';

/** Of each kind. */
const REMEMBERED_URNS = 1_000;

/** Of a platform instance in a workspace. */
export class InstanceUrns {
  readonly platform: PlatformUrns;
  /** Thousands of runs are in one experiment and by one user, and a digest takes its time. */
  readonly #experiments: LRUCache<string, string>;
  readonly #users: LRUCache<string, string>;

  /**
   * @param name - absent where there is but one MLflow
   * @param workspace - absent for `default`
   */
  constructor(
    readonly name: string | undefined,
    workspace: string | undefined,
  ) {
    const remembered = (make: (key: string) => string): LRUCache<string, string> =>
      new LRUCache({ max: REMEMBERED_URNS, memoMethod: (key) => make(key) });
    this.#experiments = remembered((experiment) => experimentUrn(experiment, name, workspace));
    this.#users = remembered((user) => userUrn(user, name));
    this.platform =
      name === undefined
        ? { platform: MLFLOW_PLATFORM_URN }
        : {
            platform: MLFLOW_PLATFORM_URN,
            instance: { name, urn: dataPlatformInstanceUrn(MLFLOW_PLATFORM, name) },
          };
  }

  experiment(name: string): string {
    return this.#experiments.memo(name);
  }

  user(name: string): string {
    return this.#users.memo(name);
  }
}
