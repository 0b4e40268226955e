/**
 * What MLflow notes of a model when it is logged: what it is made of, what goes in and what comes out.
 */

/** The tag of a run with the models that were logged in it, as JSON text. */
export const MODEL_HISTORY_TAG = 'mlflow.log-model.history';

export interface ModelDescription {
  /** Where it lies among the run's artifacts: `model`. */
  readonly artifactPath?: string;
  /** Names, sorted: `python_function`, `sklearn`. */
  readonly flavors: readonly string[];
  readonly pythonVersion?: string;
  /** Not noted by MLflow 2.16 and later. */
  readonly mlflowVersion?: string;
  /** JSON texts. Not noted by MLflow 2.16 and later. */
  readonly signature?: {
    readonly inputs?: string;
    readonly outputs?: string;
    readonly params?: string;
  };
}

/**
 * Reads what the tag holds: a list, in the order of logging. What is not understood is left out.
 *
 * @returns undefined where it is no JSON list
 *
 * @example
 * parseModelHistory('[{"artifact_path": "model", "flavors": {"sklearn": {}}}]');
 * // [{ artifactPath: 'model', flavors: ['sklearn'] }]
 */
export function parseModelHistory(text: string): readonly ModelDescription[] | undefined {
  let history: unknown;
  try {
    history = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(history) ? history.map((model: unknown) => describe(model)) : undefined;
}

function describe(model: unknown): ModelDescription {
  const flavors = field(model, 'flavors');
  const signature = field(model, 'signature');
  return {
    ...optional('artifactPath', field(model, 'artifact_path')),
    flavors: isObject(flavors) ? Object.keys(flavors).sort() : [],
    ...optional('pythonVersion', field(field(flavors, 'python_function'), 'python_version')),
    ...optional('mlflowVersion', field(model, 'mlflow_version')),
    ...(isObject(signature)
      ? {
          signature: {
            ...optional('inputs', field(signature, 'inputs')),
            ...optional('outputs', field(signature, 'outputs')),
            ...optional('params', field(signature, 'params')),
          },
        }
      : {}),
  };
}

function optional<K extends string>(key: K, value: unknown): Partial<Record<K, string>> {
  return typeof value === 'string' && value !== ''
    ? ({ [key]: value } as Partial<Record<K, string>>)
    : {};
}

function field(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
