// The yardstick for reading a PostgreSQL store: every row that a sweep needs, in short reads by key,
// as its driver gives rows.
//
//   node bench/stores/bare-postgresql.js postgresql://user:password@127.0.0.1:5432/mlflow

import pg from 'pg';

const PAGE = 500;
const client = new pg.Client(process.argv[2]?.replace(/^postgresql\+\w+/, 'postgresql'));
await client.connect();

async function rows(text, ...values) {
  return (await client.query({ text, values, rowMode: 'array' })).rows;
}

await rows('SELECT experiment_id, name, artifact_location, lifecycle_stage FROM experiments');
await rows('SELECT experiment_id, key, value FROM experiment_tags');
await rows('SELECT name, description, creation_time, last_updated_time FROM registered_models');
await rows(
  'SELECT name, version, run_id, current_stage, description, source, status FROM model_versions',
);
await rows('SELECT name, version, key, value FROM model_version_tags');
for (let after = ''; ;) {
  const page = await rows(
    `SELECT run_uuid, experiment_id, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri
     FROM runs WHERE run_uuid > $1 ORDER BY run_uuid LIMIT ${PAGE}`,
    after,
  );
  const ids = page.map(([id]) => id);
  if (ids.length > 0) {
    await rows('SELECT run_uuid, key, value FROM params WHERE run_uuid = ANY($1)', ids);
    await rows('SELECT run_uuid, key, value FROM tags WHERE run_uuid = ANY($1)', ids);
    await rows(
      'SELECT run_uuid, key, value, timestamp, step, is_nan FROM latest_metrics WHERE run_uuid = ANY($1)',
      ids,
    );
    await rows(
      `SELECT destination_id, source_id, input_uuid FROM inputs
       WHERE destination_type = 'RUN' AND destination_id = ANY($1)`,
      ids,
    );
  }
  if (page.length < PAGE) break;
  after = ids.at(-1);
}
await client.end();
