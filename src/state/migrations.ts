/**
 * The tables of a state file, as steps from one version of them to the next.
 */

/** Marks a SQLite file as ours ("mldh"). */
export const APPLICATION_ID = 0x6d6c6468;

/** The first makes an empty file into version 1. Never edited once released: add a step instead. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  -- A sweep is one reading of the source, in as many runs of the pipeline as it takes.
  -- rejected: records that could not be read or mapped.
  CREATE TABLE sweeps(
    sweep INTEGER PRIMARY KEY, kind TEXT NOT NULL, since REAL, send_all INTEGER NOT NULL,
    kinds TEXT NOT NULL, sinks TEXT NOT NULL, rejected INTEGER NOT NULL,
    started REAL NOT NULL, completed REAL);

  -- Where the sweep that is not complete goes on.
  CREATE TABLE positions(lane TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  -- content: of the experiment, as the sweep met it last. runs: which of its runs have to be read.
  CREATE TABLE met_experiments(
    experiment_id TEXT PRIMARY KEY, content TEXT NOT NULL, runs TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE sinks(
    id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, position TEXT,
    last_sweep INTEGER, last_full_sweep INTEGER);
  CREATE TABLE aspects(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

  -- Rows of the two large tables stand in the order in which they were delivered, and are found by a
  -- number made of their key. So a page of the source touches few pages of the file.

  -- seen: the last sweep that gave it. removed: 1 is removed, 2 is about to be.
  -- origin: the key of the record that it stands for. sent: {"<sink>": ["<aspect>", "<digest>", ...]}
  CREATE TABLE entities(
    id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, urn TEXT NOT NULL, origin TEXT,
    origin_bucket INTEGER, seen INTEGER NOT NULL, removed INTEGER NOT NULL, sent TEXT NOT NULL);
  CREATE INDEX entities_by_bucket ON entities(bucket);
  CREATE INDEX going_entities ON entities(id) WHERE removed = 2;

  -- found: the last sweep that met it; mapped: that sent it through the operators.
  -- content: what decides whether something else has to be read again. input: all that its mapping
  -- depended on; absent where that is not known, or not all of it was delivered.
  CREATE TABLE records(
    id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, key TEXT NOT NULL, found INTEGER NOT NULL,
    mapped INTEGER NOT NULL, start REAL, open INTEGER NOT NULL, content TEXT, run_id TEXT,
    input TEXT);
  CREATE UNIQUE INDEX records_by_bucket ON records(bucket);
  CREATE INDEX open_runs ON records(key) WHERE open = 1;
  CREATE INDEX versions ON records(key) WHERE key >= 'version ' AND key < 'version!';

  -- generation: the full sweep that began it.
  CREATE TABLE dataset_uses(
    generation INTEGER NOT NULL, name TEXT NOT NULL, source_type TEXT NOT NULL,
    start_time REAL NOT NULL, run_id TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (generation, name, source_type)) WITHOUT ROWID;
  `,
  `
  -- Workspaces of MLflow 3. Keys hold the name of theirs, unless it is default.
  ALTER TABLE sweeps ADD COLUMN workspaces TEXT NOT NULL DEFAULT '["default"]';
  CREATE INDEX workspace_versions ON records(key) WHERE key >= 'version@' AND key < 'versionA';

  -- workspace: empty for default.
  CREATE TABLE workspace_dataset_uses(
    generation INTEGER NOT NULL, workspace TEXT NOT NULL, name TEXT NOT NULL,
    source_type TEXT NOT NULL, start_time REAL NOT NULL, run_id TEXT NOT NULL,
    digest TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (generation, workspace, name, source_type)) WITHOUT ROWID;
  INSERT INTO workspace_dataset_uses
    SELECT generation, '', name, source_type, start_time, run_id, digest, content FROM dataset_uses;
  DROP TABLE dataset_uses;
  ALTER TABLE workspace_dataset_uses RENAME TO dataset_uses;
  `,
  `
  -- What was left out, as JSON.
  ALTER TABLE sweeps ADD COLUMN filters TEXT NOT NULL DEFAULT '[]';
  `,
];
