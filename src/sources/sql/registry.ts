/**
 * Registered models and their versions.
 */

import { MODEL_VERSION, REGISTERED_MODEL } from '../../mlflow/parse.js';
import { PROMPT_TAG } from '../../mlflow/prompt.js';
import type { ModelVersion, RegisteredModel } from '../../mlflow/types.js';
import { ends, Lists, type PageReader, parsePage, type TagJson, tagJson } from './pages.js';
import { ask, type Cell, type Dialect, type Parameter } from './query.js';
import type { Registered } from '../store.js';
import type { StoreSchema } from './schema.js';
import { registryIsIn } from './workspaces.js';

/** Prompts live in the registry's tables; MLflow's searches hide them. */
const isPrompt = (schema: StoreSchema, table: string, owner: string, and = ''): string =>
  `EXISTS (SELECT 1 FROM ${table} AS p WHERE ${registryIsIn(schema, 'p')} AND
   p.key = '${PROMPT_TAG}' AND p.name = ${owner}.name AND lower(p.value) = 'true' ${and})`;

/** What follows WHERE for the models, or prompts, that are read. `m` is the table. */
export function visibleModels(schema: StoreSchema, what: Registered = 'models'): string {
  const prompts = isPrompt(schema, 'registered_model_tags', 'm');
  return `${registryIsIn(schema, 'm')} AND ${what === 'prompts' ? prompts : `NOT ${prompts}`}`;
}

/**
 * What follows WHERE for the versions that are read. `v` is the table. One prompt among the versions of
 * a model hides them all, as it does in MLflow's search; that for prompts asks each for its own tag.
 */
export function visibleVersions(schema: StoreSchema, what: Registered = 'models'): string {
  const visible = `${registryIsIn(schema, 'v')} AND v.current_stage <> 'Deleted_Internal'`;
  if (what === 'prompts') {
    return `${visible}
      AND ${isPrompt(schema, 'model_version_tags', 'v', 'AND p.version = v.version')}`;
  }
  return `${visible}
    AND NOT ${isPrompt(schema, 'model_version_tags', 'v')}
    AND NOT ${isPrompt(schema, 'registered_model_tags', 'v')}`;
}

/** Registered models, or prompts, by name. */
export function registeredModelReader(
  dialect: Dialect,
  schema: StoreSchema,
  what?: Registered,
): PageReader<RegisteredModel> {
  const { select, beginning, isBehind, isNowhere, isInteger, keyColumn, keyOf, textParameter } =
    dialect;
  const columns = ['m.name', 'm.creation_time', 'm.last_updated_time', 'm.description', 'm.latest'];
  const latest = `(SELECT v.version FROM model_versions AS v
    WHERE ${registryIsIn(schema, 'v')} AND v.name = m.name AND v.current_stage <> 'Deleted_Internal'
    AND ${isInteger('v.version')} ORDER BY v.version DESC LIMIT 1) AS latest`;
  const all = `SELECT m.*, ${latest} FROM registered_models AS m WHERE ${visibleModels(schema, what)}`;
  const models = select(
    [...columns, keyColumn('m.name')],
    `(${all} AND ${isBehind('m.name', '?1')} ORDER BY m.name LIMIT ?2) AS m`,
  );
  const withoutName = select(columns, `(${all} AND ${isNowhere('m.name')}) AS m`);
  const range = `t.name BETWEEN ${textParameter('?1')} AND ${textParameter('?2')}`;
  const name = dialect.ownerName(
    'registered_models',
    `${registryIsIn(schema, 'o')} AND o.name = t.name`,
  );
  const tags = select(
    [name, 't.key', 't.value'],
    dialect.tagsInRange('registered_model_tags', registryIsIn(schema, 't'), range),
  );
  const aliases = select(
    [name, 't.alias', 't.version'],
    `registered_model_aliases AS t WHERE ${registryIsIn(schema, 't')} AND ${range}`,
  );
  return function* (after, pageSize) {
    const rows = yield* ask(models, [...(after ?? [beginning]), pageSize]);
    const tagsOf = new Lists<TagJson>();
    const aliasesOf = new Lists<unknown>();
    const last = rows.length < pageSize ? undefined : rows.at(-1);
    const bounds = ends(rows)?.map((row) => keyOf(row[5]));
    if (bounds !== undefined) {
      for (const [name, key, value] of yield* ask(tags, bounds)) {
        tagsOf.add(String(name), tagJson(key, value));
      }
      for (const [name, alias, version] of schema.aliases ? yield* ask(aliases, bounds) : []) {
        aliasesOf.add(String(name), { alias, version });
      }
    }
    const rest = last === undefined ? yield* ask(withoutName) : [];
    const page = parsePage(
      REGISTERED_MODEL,
      [...rows, ...rest].map(([name, creationTime, lastUpdatedTime, description, version]) => ({
        name,
        creation_timestamp: creationTime,
        last_updated_timestamp: lastUpdatedTime,
        description,
        latest_versions: version === null ? [] : [{ version }],
        tags: tagsOf.of(String(name)),
        aliases: aliasesOf.of(String(name)),
      })),
    );
    return last === undefined ? { page } : { page, next: [keyOf(last[5])] };
  };
}

/** Versions of all models, or prompts, by name and number. Aliases stand with the model. */
export function modelVersionReader(
  dialect: Dialect,
  schema: StoreSchema,
  what?: Registered,
): PageReader<ModelVersion> {
  const { select, keyColumn, keyOf } = dialect;
  const columns = [
    'v.name',
    'v.version',
    'v.creation_time',
    'v.last_updated_time',
    'v.description',
    'v.user_id',
    'v.current_stage',
    'v.source',
    'v.run_id',
    'v.run_link',
    'v.status',
    'v.status_message',
  ];
  const versions = select(
    [...columns, keyColumn('v.name'), dialect.asText('v.version')],
    `(SELECT * FROM model_versions AS v WHERE ${visibleVersions(schema, what)}
      AND ${dialect.pairIsBehind('v.name', 'v.version', ['?1', '?2'])}
      AND ${dialect.isInteger('v.version')}
      ORDER BY v.name, v.version LIMIT ?3) AS v`,
  );
  const withoutKey = select(
    columns,
    `model_versions AS v WHERE ${visibleVersions(schema, what)} AND (${dialect.isNowhere('v.name')}
     OR NOT ${dialect.isInteger('v.version')})`,
  );
  const name = dialect.ownerName(
    'model_versions',
    `${registryIsIn(schema, 'o')} AND o.name = t.name AND o.version = t.version`,
  );
  const tags = select(
    [name, 't.version', 't.key', 't.value'],
    dialect.tagsInRange(
      'model_version_tags',
      registryIsIn(schema, 't'),
      dialect.pairIsBetween('t.name', 't.version', ['?1', '?2'], ['?3', '?4']),
    ),
  );
  return function* (after, pageSize) {
    const rows = yield* ask(versions, [...(after ?? [dialect.beginning, LARGEST]), pageSize]);
    const tagsOf = new Lists<TagJson>();
    const bounds = ends(rows)?.flatMap((row): Parameter[] => [keyOf(row[12]), String(row[13])]);
    if (bounds !== undefined) {
      for (const [name, version, key, value] of yield* ask(tags, bounds)) {
        tagsOf.add(idOf(name, version), tagJson(key, value));
      }
    }
    const complete = rows.length < pageSize;
    const page = parsePage(
      MODEL_VERSION,
      [...rows, ...(complete ? yield* ask(withoutKey) : [])].map((row) => ({
        name: row[0],
        version: row[1],
        creation_timestamp: row[2],
        last_updated_timestamp: row[3],
        description: row[4],
        user_id: row[5],
        current_stage: row[6],
        source: row[7],
        run_id: row[8],
        run_link: row[9],
        status: row[10],
        status_message: row[11],
        tags: tagsOf.of(idOf(row[0], row[1])),
      })),
    );
    return complete || bounds === undefined ? { page } : { page, next: bounds.slice(2) };
  };
}

/** Behind the versions of a model without a name. */
const LARGEST = '9223372036854775807';

function idOf(name: Cell | undefined, version: Cell | undefined): string {
  return `${String(version)}/${String(name)}`;
}
