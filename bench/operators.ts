/**
 * What all operators and all metadata together cost, beside the mapping alone: from SQLite to a file.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from './commands.js';
import { withDatabase } from './large-stores.js';
import { compare, type Command, type Figures } from './measure.js';

const PLAIN = 'versionGate(), buildUrns(), mapToProposals(), dedup()';

/** Each of them does something to most of what goes through it. */
const ALL = `versionGate(),
    filter({ runs: { statuses: { deny: ['KILLED'] } }, models: { names: { deny: ['.*-tmp'] } } }),
    redact({ drop: { params: '.*secret.*' }, hash: { users: '.*' } }),
    mapUser(),
    setPlatformInstance({ platformInstance: 'eu', experiments: '.*1', models: '.*1' }),
    setEnv({ env: 'DEV', models: '.*2' }),
    buildUrns(),
    mapToProposals({
      aliasTags: true, datasetLineage: 'source', loggedModels: true,
      materializeDatasetInputs: true, modelFeatures: true,
    }),
    addTags({ tags: ['gold'] }),
    addTerms({ terms: ['t'] }),
    addOwners({ owners: ['ada'] }),
    addDomain({ domain: 'd' }),
    addProperties({ properties: { cluster: 'eu' } }),
    renameBy({ from: 'x(.*)', to: '$1' }),
    patch(),
    dedup(),
    validate()`;

/** A section of it, as Markdown. */
export async function benchOperators(runs: number, rounds: number): Promise<string> {
  return withDatabase(runs, async (folder, database) => {
    const from = `sqlite:///${database}`;
    console.log(`${runs} runs through operators: ${rounds + 1} rounds …`);
    const found = await compare(
      [await configured('plain', PLAIN, folder, from), await configured('all', ALL, folder, from)],
      rounds,
    );
    const [plain, all] = [found.get('plain'), found.get('all')];
    if (plain === undefined || all === undefined) throw new Error('nothing was measured');
    const cell = ({ wallSeconds, cpuSeconds, peakMegabytes }: Figures): string =>
      `${wallSeconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of processor time, ${peakMegabytes.toFixed(0)} MB`;
    const times = (all.wallSeconds / plain.wallSeconds).toFixed(2);
    return [
      '## With all operators',
      '',
      `From SQLite to a file, medians of ${rounds} rounds after one to warm up; all metadata and each operator once.`,
      '',
      '| runs | mapping alone | all operators | times the mapping alone |',
      '|---|---|---|---|',
      `| ${runs.toLocaleString('en')} | ${cell(plain)} | ${cell(all)} | ${times} |`,
    ].join('\n');
  });
}

async function configured(
  name: string,
  operators: string,
  folder: string,
  from: string,
): Promise<Command> {
  const path = join(folder, `${name}.config.js`);
  const text = `import {
  addDomain, addOwners, addProperties, addTags, addTerms, buildUrns, dedup, definePipeline, fileSink, filter,
  mapToProposals, mapUser, mlflowSource, patch, redact, renameBy, setEnv, setPlatformInstance, validate, versionGate,
} from 'mlflow-datahub';
export default definePipeline({
  source: mlflowSource({ uri: 'replaced' }),
  operators: [
    ${operators},
  ],
  sinks: [fileSink({ path: 'replaced.json' })],
});
`;
  await writeFile(path, text);
  return pipeline(name, folder, from, '--config', path);
}
