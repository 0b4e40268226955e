/**
 * Says of what a record names where in DataHub it is.
 *
 * A record of a run names an experiment, models and datasets as well, and their URNs are made there
 * and elsewhere. So whatever is said of a thing is said by its name alone, and wherever it is named.
 */

import { withField } from '../../core/with-field.js';
import type { MlflowRecord } from '../../mlflow/records.js';
import type { Placement, Run } from '../../mlflow/types.js';
import type { Operator, RunContext } from '../../stream/contracts.js';
import { perRecord, workspaceOf } from '../per-record.js';

/** What can be placed: versions are where their model is, runs and logged models where their experiment is. */
export type PlacedKind = 'experiment' | 'registeredModel' | 'dataset';

/** All that is known of a thing wherever it is named. */
export interface NamedThing {
  readonly kind: PlacedKind;
  readonly name: string;
  /** Of MLflow 3; absent for `default`. */
  readonly workspace?: string;
}

export interface PlacementRule {
  readonly label: string;
  readonly field: keyof Placement;
  /** Undefined where it is for others to say. Has to give the same each time. */
  readonly valueOf: (
    kind: PlacedKind,
    name: string,
    workspace: string | undefined,
  ) => string | undefined;
  /** As in `OperatorHooks`; absent where a function of the user's own decides. */
  readonly signature?: string;
  /** At the start of a run. */
  readonly forget?: () => void;
}

export function placeRecords(rule: PlacementRule): Operator<MlflowRecord, MlflowRecord> {
  const { label, signature, forget } = rule;
  let context: RunContext | undefined;
  const operator: Operator<MlflowRecord, MlflowRecord> = perRecord(
    (record) => [placed(record, rule)],
    () => context,
  );
  return Object.assign(operator, {
    label,
    ...(signature === undefined ? {} : { signature }),
    takes: 'record' as const,
    open: (run: RunContext) => {
      context = run;
      forget?.();
    },
  });
}

/** With what is said of all that it names. */
function placed(record: MlflowRecord, { field, valueOf }: PlacementRule): MlflowRecord {
  const workspace = workspaceOf(record);
  const at = <T extends { readonly name: string }>(kind: PlacedKind, thing: T): T => {
    if (kind === 'dataset' && field === 'env') return thing; // in PROD always
    const value = valueOf(kind, thing.name, workspace);
    return value === undefined ? thing : withField(thing, field, value);
  };
  const placedRun = (run: Run): Run => {
    if (run.datasetInputs.length === 0 || field === 'env') return run;
    const datasetInputs = run.datasetInputs.map((input) => ({
      ...input,
      dataset: at('dataset', input.dataset),
    }));
    return { ...run, datasetInputs };
  };
  switch (record.kind) {
    case 'experiment':
      return { ...record, experiment: at('experiment', record.experiment) };
    case 'registeredModel':
      return { ...record, model: at('registeredModel', record.model) };
    case 'modelVersion':
      return { ...record, version: at('registeredModel', record.version) };
    case 'loggedModel':
      return { ...record, experiment: at('experiment', record.experiment) };
    case 'dataset':
      return at('dataset', record);
    case 'run': {
      const { prompts } = record;
      const run = {
        ...record,
        run: placedRun(record.run),
        experiment: at('experiment', record.experiment),
        versions: record.versions.map((version) => at('registeredModel', version)),
      };
      if (prompts === undefined) return run;
      return { ...run, prompts: prompts.map((prompt) => at('registeredModel', prompt)) };
    }
    case 'server':
      break;
  }
  return record; // or of a kind of the user's own
}
