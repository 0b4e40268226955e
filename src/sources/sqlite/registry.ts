/**
 * Registered models and their versions.
 */

import { MODEL_VERSION, REGISTERED_MODEL } from '../../mlflow/parse.js';
import type { ModelVersion, RegisteredModel } from '../../mlflow/types.js';
import {
  bytesOf,
  ends,
  Lists,
  type PageReader,
  parsePage,
  type TagJson,
  tagJson,
  tagsInRange,
} from './pages.js';
import { type Cell, type Parameter, select } from './read-only-database.js';
import type { StoreSchema } from './schema.js';

/** Prompts live in the registry's tables; MLflow's searches hide them. */
const isPrompt = (schema: StoreSchema, table: string, owner: string): string =>
  `EXISTS (SELECT 1 FROM ${table} AS p WHERE ${workspace(schema, 'p')}
   p.key = 'mlflow.prompt.is_prompt' AND p.name = ${owner}.name AND p.value = 'true')`;

/** What follows WHERE for the models that are read. `m` is the table. */
export function visibleModels(schema: StoreSchema): string {
  return `${workspace(schema, 'm')} NOT ${isPrompt(schema, 'registered_model_tags', 'm')}`;
}

/** What follows WHERE for the versions that are read. `v` is the table. */
export function visibleVersions(schema: StoreSchema): string {
  return `${workspace(schema, 'v')} v.current_stage <> 'Deleted_Internal'
    AND NOT ${isPrompt(schema, 'model_version_tags', 'v')}
    AND NOT ${isPrompt(schema, 'registered_model_tags', 'v')}`;
}

function workspace(schema: StoreSchema, table: string): string {
  return schema.registryWorkspaces ? `${table}.workspace = 'default' AND` : '';
}

/** Registered models but prompts, by name. */
export function registeredModelReader(
  schema: StoreSchema,
  pageSize: number,
): PageReader<RegisteredModel> {
  const columns = ['name', 'creation_time', 'last_updated_time', 'description', 'latest'];
  const latest = `(SELECT v.version FROM model_versions AS v
    WHERE ${workspace(schema, 'v')} v.name = m.name AND v.current_stage <> 'Deleted_Internal'
    AND typeof(v.version) = 'integer' ORDER BY v.version DESC LIMIT 1) AS latest`;
  const all = `SELECT m.*, ${latest} FROM registered_models AS m WHERE ${visibleModels(schema)}`;
  const models = select(
    [...columns, 'hex(name)'],
    `(${all} AND m.name > CAST(? AS TEXT) AND m.name < x'' ORDER BY m.name LIMIT ${pageSize})`,
  );
  const withoutName = select(
    columns,
    `(${all} AND (m.name IS NULL OR m.name = '' OR m.name >= x''))`,
  );
  const range = 't.name BETWEEN CAST(?1 AS TEXT) AND CAST(?2 AS TEXT)';
  const tags = select(
    ['t.name', 't.key', 't.value'],
    tagsInRange('registered_model_tags', schema.registryWorkspaces, range),
  );
  const aliases = select(
    ['t.name', 't.alias', 't.version'],
    `registered_model_aliases AS t WHERE ${workspace(schema, 't')} ${range}`,
  );
  return (query, after) => {
    const rows = query(models, after ?? ['']);
    const tagsOf = new Lists<TagJson>();
    const aliasesOf = new Lists<unknown>();
    const last = rows.length < pageSize ? undefined : rows.at(-1);
    const bounds = ends(rows)?.map((row) => bytesOf(row[5]));
    if (bounds !== undefined) {
      for (const [name, key, value] of query(tags, bounds)) {
        tagsOf.add(String(name), tagJson(key, value));
      }
      for (const [name, alias, version] of schema.aliases ? query(aliases, bounds) : []) {
        aliasesOf.add(String(name), { alias, version });
      }
    }
    const rest = last === undefined ? query(withoutName) : [];
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
    return last === undefined ? { page } : { page, next: [bytesOf(last[5])] };
  };
}

/** Versions of all models but prompts, by name and number. Aliases stand with the model. */
export function modelVersionReader(
  schema: StoreSchema,
  pageSize: number,
): PageReader<ModelVersion> {
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
    [...columns, 'hex(v.name)'],
    `(SELECT * FROM model_versions AS v WHERE ${visibleVersions(schema)}
      AND (v.name, v.version) > (CAST(?1 AS TEXT), ?2)
      AND v.name < x'' AND typeof(v.version) = 'integer'
      ORDER BY v.name, v.version LIMIT ${pageSize}) AS v`,
  );
  const withoutKey = select(
    columns,
    `model_versions AS v WHERE ${visibleVersions(schema)} AND (v.name IS NULL OR v.name = ''
     OR v.name >= x'' OR typeof(v.version) <> 'integer')`,
  );
  const tags = select(
    ['t.name', 't.version', 't.key', 't.value'],
    tagsInRange(
      'model_version_tags',
      schema.registryWorkspaces,
      `(t.name, t.version) >= (CAST(?1 AS TEXT), ?2)
       AND (t.name, t.version) <= (CAST(?3 AS TEXT), ?4)`,
    ),
  );
  return (query, after) => {
    const rows = query(versions, after ?? [EMPTY, MAX_VERSION]);
    const tagsOf = new Lists<TagJson>();
    const bounds = ends(rows)?.flatMap((row): Parameter[] => [bytesOf(row[12]), Number(row[1])]);
    if (bounds !== undefined) {
      for (const [name, version, key, value] of query(tags, bounds)) {
        tagsOf.add(idOf(name, version), tagJson(key, value));
      }
    }
    const complete = rows.length < pageSize;
    const page = parsePage(
      MODEL_VERSION,
      [...rows, ...(complete ? query(withoutKey) : [])].map((row) => ({
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

const EMPTY = new Uint8Array();
/** Greater than any: after the versions of a model without a name. */
const MAX_VERSION = Number.MAX_VALUE;

function idOf(name: Cell | undefined, version: Cell | undefined): string {
  return `${String(version)}/${String(name)}`;
}
