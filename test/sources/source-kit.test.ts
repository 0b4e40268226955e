import { fileStoreSource, restSource, sqliteSource } from '../../src/index.js';
import { FileStoreFolder, runId } from '../support/file-store.js';
import { databaseOf, MLFLOW_VERSIONS } from '../support/mlflow-database.js';
import { sampleContent, startMlflowServer } from '../support/mlflow-server.js';
import { describeSource } from '../support/source-kit.js';

const SMALL = { experimentsPageSize: 2, runsPageSize: 3, modelsPageSize: 2, versionsPageSize: 2 };

for (const flavour of ['1.28.0', '2.22.5', '3.17.2'] as const) {
  describeSource(`MLflow ${flavour} over REST`, {
    open: async () => {
      const content = sampleContent({ experiments: 5, runsPerExperiment: 7, models: 5 });
      const running = content.runs[4];
      if (running !== undefined) running.info.status = 'RUNNING';
      const server = await startMlflowServer({ flavour, content });
      return { source: restSource({ uri: server.uri, ...SMALL }), dispose: () => server.close() };
    },
    remembers: true,
  });
}

for (const version of MLFLOW_VERSIONS) {
  describeSource(`the SQLite database of MLflow ${version}`, {
    open: () => ({ source: sqliteSource({ path: databaseOf(version), ...SMALL }) }),
    remembers: true,
  });
}

describeSource("MLflow's folder of files", {
  open: () => ({ source: fileStoreSource({ path: filledFolder().path, ...SMALL }) }),
  remembers: true,
});

function filledFolder(): FileStoreFolder {
  const folder = new FileStoreFolder().experiment('0').experiment('1').experiment('2');
  for (let number = 1; number <= 20; number += 1) {
    const meta = [`start_time: ${1_700_000_000_000 + (number % 7)}`];
    if (number === 5) meta.push('status: 1', 'end_time: null');
    folder.run(String(number % 3), runId(number), meta, { 'params/depth': String(number) });
  }
  for (const name of ['churn', 'fraud']) {
    folder.model(name);
    for (let version = 1; version <= 4; version += 1) {
      folder.version(name, version, [`run_id: '${runId(version % 3)}'`]);
    }
  }
  return folder;
}
