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

  -- seen: the last sweep that gave it. removed: 1 is removed, 2 is about to be.
  -- sent: {"<sink>": ["<aspect>", "<digest>", ...]}
  CREATE TABLE entities(
    urn TEXT PRIMARY KEY, origin TEXT, seen INTEGER NOT NULL, removed INTEGER NOT NULL,
    sent TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX going_entities ON entities(urn) WHERE removed = 2;

  -- found: the last sweep that met it; mapped: that sent it through the operators.
  -- content: what decides whether something else has to be read again. input: all that its mapping
  -- depended on; absent where that is not known, or not all of it was delivered.
  CREATE TABLE records(
    key TEXT PRIMARY KEY, found INTEGER NOT NULL, mapped INTEGER NOT NULL, start REAL,
    open INTEGER NOT NULL, content TEXT, run_id TEXT, input TEXT) WITHOUT ROWID;
  CREATE INDEX open_runs ON records(key) WHERE open = 1;

  -- generation: the full sweep that began it.
  CREATE TABLE dataset_uses(
    generation INTEGER NOT NULL, name TEXT NOT NULL, source_type TEXT NOT NULL,
    start_time REAL NOT NULL, run_id TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (generation, name, source_type)) WITHOUT ROWID;
  `,
];
