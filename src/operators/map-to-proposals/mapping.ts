/**
 * What the mapping of every entity is given.
 */

import type { ServerFacts } from '../../mlflow/types.js';
import type { Links } from './links.js';
import type { EarlierPoints } from './metric-history.js';
import type { ModelHistories } from './model-description.js';

export type DatasetLineage = 'name' | 'source';

export interface Mapping {
  links(server: ServerFacts): Links;
  /** `message` is the same for all of a code; `example` says where. */
  warn(code: string, message: string, example: string): void;
  /** Something is left out on purpose; counted by `reason`. */
  skipped(reason: string): void;
  /** What tells where a dataset is hosted: its name, or what it was made from. */
  readonly datasetLineage: DatasetLineage;
  /** Whether hosted datasets get aspects of their own. */
  readonly materializeDatasetInputs: boolean;
  /** Whether aliases of versions are tags as well. */
  readonly aliasTags: boolean;
  /** Whether logged models are models of their own, which versions made from them name. */
  readonly loggedModels: boolean;
  /** Whether inputs of models become mlFeatures. */
  readonly modelFeatures: boolean;
  readonly histories: ModelHistories;
  /** Absent where the last values of metrics are all that is shown. */
  readonly earlierPoints?: EarlierPoints;
  /**
   * Whether it is for this dataset to describe a hosted one: for the first that does, in the order in
   * which they are read.
   *
   * @param workspace - undefined for `default`
   */
  mayDescribe(hostedUrn: string, name: string, workspace: string | undefined): boolean;
  /** DataHub's platform of a dataset's source type; undefined where there is none. */
  platformOf(sourceType: string): string | undefined;
}
