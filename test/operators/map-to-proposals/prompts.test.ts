import { describe, expect, it } from 'vitest';
import { mlModelGroupUrn, mlModelUrn, runUrn } from '../../../src/datahub/urn.js';
import { reviveRecord } from '../../../src/mlflow/revive-record.js';
import { redact } from '../../../src/operators/redact.js';
import { setEnv } from '../../../src/operators/set-env.js';
import { outputOf } from '../operator-cases.js';
import { modelRecord, runRecord, server, versionRecord } from '../records.js';
import { aspectsOf, map, pairs } from './mapped.js';

const PROMPT = { 'mlflow.prompt.is_prompt': 'true' };
const USER = 'a'.repeat(32);

const prompt = modelRecord({ name: 'ask', tags: pairs(PROMPT) });

const promptVersion = (tags: Readonly<Record<string, string>> = {}) =>
  versionRecord({
    name: 'ask',
    version: '2',
    currentStage: 'Whatever',
    tags: pairs({ ...PROMPT, 'mlflow.prompt.text': 'Say {{word}}.', team: 'core', ...tags }),
    aliases: ['live'],
  });

const using = { ...runRecord(), prompts: [{ name: 'ask', version: '2' }] };

describe('a prompt', () => {
  it('is a group of its own kind, on its own page', () => {
    expect(aspectsOf('mlModelGroup', prompt)).toMatchObject({
      mlModelGroupProperties: { name: 'ask', externalUrl: 'http://host:5000/#/prompts/ask' },
      subTypes: { typeNames: ['Prompt'] },
    });
  });

  it('has versions with their text, their aliases and no stage', () => {
    const { warnings, proposals } = map(promptVersion());
    const aspects = aspectsOf('mlModel', promptVersion());
    expect(warnings).toEqual([]);
    expect(proposals.filter(({ entityType }) => entityType === 'tag')).toEqual([]);
    expect(aspects).toMatchObject({
      mlModelProperties: {
        externalUrl: 'http://host:5000/#/prompts/ask?promptVersion=2',
        customProperties: { 'mlflow.prompt.text': 'Say {{word}}.', team: 'core' },
        tags: ['team:core'],
        groups: [mlModelGroupUrn('ask')],
      },
      versionProperties: { aliases: [{ versionTag: 'live' }] },
      globalTags: { tags: [] },
      subTypes: { typeNames: ['Prompt Version'] },
    });
    expect(aspects['mlModelProperties']).not.toHaveProperty('downstreamJobs');
    expect(aspectsOf('mlModel', promptVersion(), { aliasTags: true })['globalTags']).toEqual({
      tags: [{ tag: 'urn:li:tag:mlflow_alias_live' }],
    });
  });

  it('names its workspace behind its version', () => {
    const inTeam = { ...promptVersion(), server: { ...server, workspace: 'team-a' } };
    expect(aspectsOf('mlModel', inTeam)['mlModelProperties']).toMatchObject({
      externalUrl: 'http://host:5000/#/prompts/ask?promptVersion=2&workspace=team-a',
    });
  });

  it('knows the runs that used it, by its own tag and by theirs', () => {
    const named = promptVersion({ 'mlflow.prompt.run_ids': USER });
    expect(aspectsOf('mlModel', named)['mlModelProperties']).toMatchObject({
      trainingJobs: [],
      downstreamJobs: [runUrn(USER)],
    });
    expect(aspectsOf('dataProcessInstance', using)['dataProcessInstanceInput']).toEqual({
      inputs: [],
      inputEdges: [{ destinationUrn: mlModelUrn('ask_2') }],
    });
  });

  it('is where it is said to be, also to runs', () => {
    const inDev = (record: typeof using) =>
      outputOf(setEnv({ env: 'DEV', models: 'ask' }), record)[0] ?? record;
    const { dataProcessInstanceInput } = aspectsOf('dataProcessInstance', [inDev(using)]);
    expect(dataProcessInstanceInput).toMatchObject({
      inputEdges: [{ destinationUrn: mlModelUrn('ask_2', 'DEV') }],
    });
  });

  it('is not named by a run whose tag is redacted, and stays a prompt', () => {
    const quiet = redact({ drop: { tags: '.*linked.*' }, hash: { tags: '.*' } });
    const [run, version] = outputOf(quiet, using, promptVersion());
    expect(run).not.toHaveProperty('prompts');
    expect(outputOf(redact({ drop: { tags: 'team' } }), using)[0]).toHaveProperty('prompts');
    expect(version === undefined ? {} : aspectsOf('mlModel', version)).toMatchObject({
      subTypes: { typeNames: ['Prompt Version'] },
    });
  });

  it('is taken up again from a dead letter, without its place', () => {
    const placed = { ...using, prompts: [{ name: 'ask', version: '2', env: 'DEV' }] };
    expect(reviveRecord(JSON.parse(JSON.stringify(placed)))).toEqual(using);
  });
});
