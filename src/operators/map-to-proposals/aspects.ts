/**
 * Pieces that the aspects of several entities are made of.
 */

import type { Aspect, JsonValue, Proposal } from '../../datahub/proposal.js';
import { pythonFloat } from '../../datahub/python-float.js';
import type { RecordKey } from '../../mlflow/record-key.js';
import type { KeyValue, Run } from '../../mlflow/types.js';
import type { PlatformUrns } from '../identified-record.js';

/** The actor of what DataHub's own connector attributes to itself. */
export const DATAHUB_ACTOR = 'urn:li:corpuser:datahub';

/** What DataHub's model has where nobody said who and when. */
export const UNKNOWN_STAMP: Aspect = Object.freeze({ time: 0, actor: 'urn:li:corpuser:unknown' });

const NOT_REMOVED: Aspect = Object.freeze({ removed: false });

/** @param origin - the record that the entity stands for, with the aspect that says what it is */
export function upsert(
  entityType: string,
  entityUrn: string,
  aspectName: string,
  aspect: Aspect,
  origin?: RecordKey,
): Proposal {
  const changeType = 'UPSERT';
  return origin === undefined
    ? { entityType, entityUrn, changeType, aspectName, aspect }
    : { entityType, entityUrn, changeType, aspectName, aspect, origin };
}

/** Every entity gets it: what was removed from DataHub comes back with it. */
export function status(entityType: string, entityUrn: string): Proposal {
  return upsert(entityType, entityUrn, 'status', NOT_REMOVED);
}

/** `{"platform": "urn:li:dataPlatform:mlflow", "instance"?: "urn:li:dataPlatformInstance:(…)"}` */
export function platformInstance({ platform, instance }: PlatformUrns): Aspect {
  return instance === undefined ? { platform } : { platform, instance: instance.urn };
}

/**
 * `{"path": [{"id": urn, "urn": urn}, …]}`: the platform instance first where there is one, then the
 * workspace, which has no URN.
 *
 * @param workspace - undefined for `default`
 * @param parents - URNs
 */
export function browsePaths(
  { instance }: PlatformUrns,
  workspace: string | undefined,
  ...parents: readonly string[]
): Aspect {
  const withUrn = (urn: string): Aspect => ({ id: urn, urn });
  return {
    path: [
      ...(instance === undefined ? [] : [withUrn(instance.urn)]),
      ...(workspace === undefined ? [] : [{ id: workspace }]),
      ...parents.map(withUrn),
    ],
  };
}

export function subTypes(typeName: string): Aspect {
  return Object.freeze({ typeNames: Object.freeze([typeName]) });
}

/** Without a prototype, since `__proto__` and `constructor` are keys like any other. */
export type Properties = Record<string, string>;

export function emptyProperties(): Properties {
  return Object.create(null) as Properties;
}

/** Pairs as an object, in the order of their keys; of pairs with one key the last one counts. */
export function properties(pairs: readonly KeyValue[], into = emptyProperties()): Properties {
  for (const { key, value } of sortedByKey(pairs)) into[key] = value;
  return into;
}

/** Adds those of the pairs that have a value. */
export function addKnown(
  told: readonly (readonly [name: string, value: string | undefined])[],
  into: Properties,
): void {
  for (const [name, value] of told) if (value !== undefined) into[name] = value;
}

/**
 * Sources sort already, so that this mostly only looks. By UTF-16 units, whatever the locale.
 */
export function sortedByKey<T extends { readonly key: string }>(items: readonly T[]): readonly T[] {
  for (let index = 1; index < items.length; index += 1) {
    const [before, after] = [items[index - 1], items[index]];
    if (before !== undefined && after !== undefined && before.key > after.key) {
      return [...items].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    }
  }
  return items;
}

/** Parameters of a run or a logged model: `[{"name": "lr", "value": "0.1"}, …]` */
export function hyperParams({ params }: Pick<Run, 'params'>): JsonValue {
  return sortedByKey(params).map(({ key, value }) => ({ name: key, value }));
}

/** Last values of a run's metrics, as text in Python's form: `[{"name": "f1", "value": "1.0"}, …]` */
export function trainingMetrics(run: Run): JsonValue {
  return sortedByKey(run.metrics).map(({ key, value }) => ({
    name: key,
    value: pythonFloat(value),
  }));
}
