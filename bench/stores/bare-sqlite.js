// The yardstick for reading a database: every row that a sweep needs, in the same short reads by key,
// given over as JSON as the pipeline reads them, and parsed.
//
//   node bench/stores/bare-sqlite.js mlflow.db

import { Buffer } from 'node:buffer';
import Libsql from 'libsql';

const PAGE = 500;
const database = new Libsql(`file:${process.argv[2]}?mode=ro`);
const statements = new Map();

function rows(columns, from, ...parameters) {
  const sql = `SELECT CAST(json_group_array(json_array(${columns})) AS BLOB) FROM ${from}`;
  if (!statements.has(sql)) statements.set(sql, database.prepare(sql).raw());
  const [row] = statements.get(sql).all(parameters);
  return JSON.parse(Buffer.from(row[0]).toString('utf8'));
}

function pages(columns, table, key, each = () => {}) {
  for (let after = ''; ;) {
    const page = rows(
      columns,
      `(SELECT * FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${PAGE})`,
      after,
    );
    if (page.length > 0) each(page.map(([id]) => id));
    if (page.length < PAGE) return;
    after = page.at(-1)[0];
  }
}

rows('experiment_id, name, artifact_location, lifecycle_stage', 'experiments');
rows('experiment_id, key, value', 'experiment_tags');
rows('name, description, creation_time, last_updated_time', 'registered_models');
rows('name, version, run_id, current_stage, description, source, status', 'model_versions');
rows('name, version, key, value', 'model_version_tags');
pages(
  'run_uuid, experiment_id, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri',
  'runs',
  'run_uuid',
  (ids) => {
    const list = JSON.stringify(ids);
    const of = (table) => `json_each(?) AS j CROSS JOIN ${table} AS c ON c.run_uuid = j.value`;
    rows('j.key, c.key, c.value', of('params'), list);
    rows('j.key, c.key, c.value', of('tags'), list);
    rows('j.key, c.key, c.value, c.timestamp, c.step, c.is_nan', of('latest_metrics'), list);
    rows(
      'j.key, c.source_id, c.input_uuid',
      "json_each(?) AS j CROSS JOIN inputs AS c ON c.destination_type = 'RUN' AND c.destination_id = j.value",
      list,
    );
  },
);
