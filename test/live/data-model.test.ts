/**
 * What is known here of DataHub's model is what its own classes say.
 */

import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  KNOWN_ENTITY_TYPES,
  requiredFields,
  takesAspect,
} from '../../src/datahub/entity-aspects.js';
import { binOf } from './install.js';
import { run } from './processes.js';
import { PEER } from './releases.js';

const SCRIPT = `
import json
import datahub.metadata.schema_classes as model

print(json.dumps({
    "entities": {key.ASPECT_INFO["keyForEntity"]: key.ASPECT_INFO["entityAspects"] for key in model.KEY_ASPECTS.values()},
    "required": {aspect.ASPECT_NAME: [field.name for field in aspect.RECORD_SCHEMA.fields if not field.has_default] for aspect in model.ASPECT_CLASSES},
}))
`;

interface Model {
  readonly entities: Readonly<Record<string, readonly string[]>>;
  readonly required: Readonly<Record<string, readonly string[]>>;
}

it('knows the aspects of each entity, and the fields that they can’t be without', async () => {
  const { stdout } = await run(join(binOf(PEER), 'python'), ['-c', SCRIPT]);
  const { entities, required } = JSON.parse(stdout) as Model;
  const aspects = Object.keys(required);
  expect(KNOWN_ENTITY_TYPES.length).toBeGreaterThan(5);
  for (const type of KNOWN_ENTITY_TYPES) {
    const taken = aspects.filter((name) => takesAspect(type, name) === true);
    expect(new Set(taken), type).toEqual(new Set([...(entities[type] ?? []), `${type}Key`]));
  }
  // Those of which nothing is required, or which are not known here, have none.
  const known = aspects.filter((name) => requiredFields(name).length > 0);
  expect(known.length).toBeGreaterThan(20);
  for (const name of known) {
    expect(new Set(requiredFields(name)), name).toEqual(new Set(required[name]));
  }
});
