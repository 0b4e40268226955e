/**
 * Copies of objects with one field more, or one less.
 */

/**
 * What `{ ...thing, [field]: value }` gives, for a fourth of its time where the field is new: V8 11
 * takes 2 µs and more to add to an object that it has copied, and half a million records are copied by
 * several operators each.
 *
 * @example
 * withField({ name: 'churn' }, 'owner', 'ada'); // { owner: 'ada', name: 'churn' }
 */
export function withField<T extends object, F extends string, V>(
  thing: T,
  field: F,
  value: V,
): T & Readonly<Record<F, V>> {
  const copy: object = field in thing ? { ...thing, [field]: value } : { [field]: value, ...thing };
  return copy as T & Readonly<Record<F, V>>;
}

/**
 * @example
 * withoutField({ name: 'churn', owner: 'ada' }, 'owner'); // { name: 'churn' }
 */
export function withoutField<T extends object, F extends keyof T>(thing: T, field: F): Omit<T, F> {
  const copy = { ...thing };
  Reflect.deleteProperty(copy, field);
  return copy;
}
