/**
 * Written from recipe.yml by `mlflow-datahub migrate`.
 */

import {
  buildUrns,
  dedup,
  definePipeline,
  fileSink,
  mapToProposals,
  mlflowSource,
  versionGate,
} from 'mlflow-datahub';

export default definePipeline({
  source: mlflowSource({ uri: 'http://localhost:5000' }),
  operators: [versionGate(), buildUrns(), mapToProposals(), dedup()],
  sinks: [fileSink({ path: './out.json' })],
});
