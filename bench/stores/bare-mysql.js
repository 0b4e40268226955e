// The yardstick for reading a MySQL or MariaDB store: every row that a sweep needs, in short reads by
// key, as its driver gives rows.
//
//   node bench/stores/bare-mysql.js mysql://user:password@127.0.0.1:3306/mlflow

import mysql from 'mysql2/promise';

const PAGE = 500;
const client = await mysql.createConnection({
  uri: process.argv[2]?.replace(/^mysql\+\w+/, 'mysql'),
  rowsAsArray: true,
});

async function rows(sql, ...values) {
  return (await client.query({ sql, values }))[0];
}

await rows('SELECT experiment_id, name, artifact_location, lifecycle_stage FROM experiments');
await rows('SELECT t.experiment_id, t.key, t.value FROM experiment_tags AS t');
await rows('SELECT name, description, creation_time, last_updated_time FROM registered_models');
await rows(
  'SELECT name, version, run_id, current_stage, description, source, status FROM model_versions',
);
await rows('SELECT t.name, t.version, t.key, t.value FROM model_version_tags AS t');
for (let after = ''; ;) {
  const page = await rows(
    `SELECT run_uuid, experiment_id, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri
     FROM runs WHERE run_uuid > ? ORDER BY run_uuid LIMIT ${PAGE}`,
    after,
  );
  const ids = page.map(([id]) => id);
  if (ids.length > 0) {
    await rows('SELECT c.run_uuid, c.key, c.value FROM params AS c WHERE c.run_uuid IN (?)', ids);
    await rows('SELECT c.run_uuid, c.key, c.value FROM tags AS c WHERE c.run_uuid IN (?)', ids);
    await rows(
      `SELECT c.run_uuid, c.key, c.value, c.timestamp, c.step, c.is_nan
       FROM latest_metrics AS c WHERE c.run_uuid IN (?)`,
      ids,
    );
    await rows(
      `SELECT destination_id, source_id, input_uuid FROM inputs
       WHERE destination_type = 'RUN' AND destination_id IN (?)`,
      ids,
    );
  }
  if (page.length < PAGE) break;
  after = ids.at(-1);
}
await client.end();
