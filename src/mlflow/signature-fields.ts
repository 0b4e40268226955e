/**
 * Inputs and outputs of a model, as its signature has them.
 */

export interface SignatureField {
  readonly name: string;
  /** MLflow's name of the type: `long`, `array`, `tensor`. */
  readonly type: string;
  /** As people read it, where that is more: `tensor(float64, [-1, 3])`. */
  readonly native: string;
  readonly isRequired: boolean;
}

/**
 * Those that have a name, each once; a model of tensors may have none.
 *
 * @param text - JSON: `[{"type": "long", "name": "age", "required": true}, …]`
 * @returns undefined where it is no JSON list
 */
export function signatureFields(text: string): readonly SignatureField[] | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields)) return undefined;
  const byName = new Map<string, SignatureField>();
  for (const item of fields as unknown[]) {
    const read = readField(item);
    if (read !== undefined && !byName.has(read.name)) byName.set(read.name, read);
  }
  return [...byName.values()];
}

interface Item {
  readonly name?: unknown;
  readonly type?: unknown;
  /** MLflow 1 and early 2 have `optional` instead. */
  readonly required?: unknown;
  readonly optional?: unknown;
  readonly 'tensor-spec'?: unknown;
}

function readField(item: unknown): SignatureField | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { name, type, required, optional, 'tensor-spec': tensor } = item as Item;
  if (typeof name !== 'string' || name === '' || typeof type !== 'string') return undefined;
  return {
    name,
    type,
    native: tensorType(tensor) ?? type,
    isRequired: required !== false && optional !== true,
  };
}

/**
 * @param spec - `{"dtype": "float64", "shape": [-1, 3]}`
 * @returns undefined where it is no such thing
 *
 * @example
 * tensorType({ dtype: 'float64', shape: [-1, 3] }); // 'tensor(float64, [-1, 3])'
 */
export function tensorType(spec: unknown): string | undefined {
  if (typeof spec !== 'object' || spec === null) return undefined;
  const { dtype, shape } = spec as { readonly dtype?: unknown; readonly shape?: unknown };
  if (typeof dtype !== 'string') return undefined;
  return `tensor(${Array.isArray(shape) ? `${dtype}, [${shape.join(', ')}]` : dtype})`;
}
