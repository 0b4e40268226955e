/**
 * A sink of one's own beside a built-in one. From the top of the repository, with something that
 * listens there:
 *
 *   WEBHOOK_URL=http://localhost:9000/metadata node dist/pipeline.js --config examples/custom-sink/pipeline.config.ts
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
import { webhookSink } from './webhook-sink.js';

const store = join(import.meta.dirname, '..', 'store', 'mlflow.db');
const { WEBHOOK_URL: url = 'http://localhost:9000/metadata' } = process.env;

export default definePipeline({
  source: mlflowSource({ uri: `sqlite:///${store}` }),
  operators: [versionGate(), buildUrns(), mapToProposals(), dedup()],
  // Every proposal goes to both; the slower one sets the pace.
  sinks: [fileSink({ path: 'mlflow-proposals.json' }), webhookSink({ url })],
});
