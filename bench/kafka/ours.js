// The proposals of a file to Kafka, by the runner and the sink as the command uses them.
//
//   node bench/kafka/ours.js HOST:PORT REGISTRY PROPOSALS.ndjson COMPRESSION

import { createReadStream } from 'node:fs';
import { kafkaSink } from '../../dist/sinks/kafka/index.js';
import { runPipeline } from '../../dist/stream/run-pipeline.js';

const [, , broker, registry, file, compression] = process.argv;
const PAGE = 500;
const CHUNK = 256 * 1024;

async function* read() {
  let rest = '';
  let records = [];
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: CHUNK })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const { entityType, entityUrn, changeType, aspectName, aspect } = JSON.parse(line);
      records.push({ entityType, entityUrn, changeType, aspectName, aspect: aspect.json });
      if (records.length < PAGE) continue;
      yield { records, rejected: [] };
      records = [];
    }
  }
  yield { records, rejected: [] };
}

const server = { uri: 'file:', versionText: 'none', searchesExperiments: true };
const source = {
  label: 'lines',
  open: async () => ({ server, read, count: async () => ({}), close: async () => {} }),
};
const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };
const { report, failure } = await runPipeline(
  {
    source,
    operators: [],
    sinks: [kafkaSink({ brokers: [broker], registry: { url: registry }, compression })],
    maxInFlightPages: 4,
    deadLetter: { path: `${file}.dead-letter.ndjson` },
  },
  { log: quiet, env: {} },
);
if (failure !== undefined) throw failure;
if (report.counts.rejected > 0) throw new Error(`${report.counts.rejected} were rejected`);
