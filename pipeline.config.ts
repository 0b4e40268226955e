/**
 * The pipeline that runs when nothing else is configured, and a model to copy: put a file of this
 * name into a folder of yours, and `mlflow-datahub` run there takes it. It needs no install beside it.
 *
 * Secrets come from the environment; MLflow's own variables (MLFLOW_TRACKING_URI,
 * MLFLOW_TRACKING_TOKEN, ...) are read by the source. All options: docs/configuration.md
 */

import { join } from 'node:path';
import {
  buildUrns,
  dedup,
  definePipeline,
  fileSink,
  mapToProposals,
  mlflowSource,
  versionGate,
} from 'mlflow-datahub';

/** A small store made by a real MLflow, so that there is something to see before you point it at yours. */
const example = `sqlite:///${join(import.meta.dirname, 'examples', 'store', 'mlflow.db')}`;
const { MLFLOW_TRACKING_URI: configured = '' } = process.env;

export default definePipeline({
  // { uri: 'http://host:5000' }, or https://host/prefix, or sqlite:///mlflow.db; without a uri it is
  // MLFLOW_TRACKING_URI that says where.
  source: mlflowSource(configured === '' ? { uri: example } : {}),

  // Ordinary RxJS operators, each taking what the one before it gives. Yours may stand anywhere:
  // before buildUrns they see records of MLflow, after mapToProposals proposals for DataHub.
  operators: [
    versionGate(), // MLflow older than 1.28.0: models and versions only, with a warning
    buildUrns(), // { env: 'DEV' }, { platformInstance: 'eu' }, { modelNameSeparator: '-' }
    mapToProposals(),
    dedup(), // what was sent already in this run is not sent again
  ],

  // Every proposal goes to each of them. A page is done when all of them have confirmed it.
  sinks: [fileSink({ path: 'mlflow-proposals.json' })],
});
