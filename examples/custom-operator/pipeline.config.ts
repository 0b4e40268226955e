/**
 * Two operators of one's own among the built-in ones. From the top of the repository:
 *
 *   node dist/pipeline.js --config examples/custom-operator/pipeline.config.ts
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
  type MlflowRecord,
} from 'mlflow-datahub';
import { filter } from 'rxjs';
import { ownersFromTag } from './owners-from-tag.js';

const store = join(import.meta.dirname, '..', 'store', 'mlflow.db');

export default definePipeline({
  source: mlflowSource({ uri: `sqlite:///${store}` }),
  operators: [
    versionGate(),
    // Made in place: any RxJS operator will do. Say what it takes, and the compiler checks the rest.
    filter((record: MlflowRecord) => record.kind !== 'run' || record.run.status !== 'KILLED'),
    buildUrns(),
    mapToProposals(),
    // A function of one's own, in a file beside this one.
    ownersFromTag('team'),
    dedup(),
  ],
  sinks: [fileSink({ path: 'mlflow-proposals.json' })],
});
