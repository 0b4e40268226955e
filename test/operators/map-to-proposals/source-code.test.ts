import { describe, expect, it } from 'vitest';
import { sourceCode } from '../../../src/operators/map-to-proposals/source-code.js';
import { run, versionRecord } from '../records.js';
import { aspectsOf, pairs } from './mapped.js';

const REPO = 'mlflow.source.git.repoURL';
const COMMIT = 'mlflow.source.git.commit';

const pageOf = (tags: Readonly<Record<string, string>>): unknown => {
  const aspect = sourceCode(run({ tags: pairs(tags) }));
  const [first] = (aspect?.['sourceCode'] ?? []) as readonly { sourceCodeUrl: string }[];
  return first?.sourceCodeUrl;
};

describe('the source code of a model', () => {
  it.each([
    ['https://github.com/team/churn', 'https://github.com/team/churn/tree/1a2b'],
    ['https://github.com/team/churn.git/', 'https://github.com/team/churn/tree/1a2b'],
    ['git@github.com:team/churn.git', 'https://github.com/team/churn/tree/1a2b'],
    [
      'ssh://git@github.acme.com:2222/team/churn.git',
      'https://github.acme.com/team/churn/tree/1a2b',
    ],
    ['https://ada:t0ken@gitlab.com/a/b/churn.git', 'https://gitlab.com/a/b/churn/-/tree/1a2b'],
    ['https://bitbucket.org/team/churn', 'https://bitbucket.org/team/churn/src/1a2b'],
    ['http://git.acme.com:8080/churn.git', 'http://git.acme.com:8080/churn'],
  ])('kept in %s is at %s', (repository, page) => {
    expect(pageOf({ [REPO]: repository, [COMMIT]: '1a2b' })).toBe(page);
  });

  it.each(['/home/ada/churn', 'file:///srv/git/churn', 'C:\\code', ' ', 'churn'])(
    'kept in %j has no page',
    (repository) => {
      expect(pageOf({ [REPO]: repository, [COMMIT]: '1a2b' })).toBeUndefined();
    },
  );

  it('is that of Databricks where it names one, and the repository where no commit is known', () => {
    const tags = { [REPO]: 'https://github.com/a/old', [COMMIT]: '1' };
    const own = { 'mlflow.databricks.gitRepoUrl': 'https://github.com/a/new' };
    expect(pageOf({ ...tags, ...own, 'mlflow.databricks.gitRepoCommit': '2' })).toBe(
      'https://github.com/a/new/tree/2',
    );
    expect(pageOf(own)).toBe('https://github.com/a/new');
    expect(pageOf({ [COMMIT]: '1' })).toBeUndefined();
  });

  it.each([
    [{ notebookID: '12', notebookRevisionID: '99' }, '#notebook/12/revision/99'],
    [{ notebookID: '12', jobID: '5' }, '#notebook/12'],
    [{ jobID: '5', jobRunID: '7' }, '#job/5/run/7'],
    [{ jobID: '5' }, '#job/5'],
  ])('on Databricks is at %j', (parts, page) => {
    const tags = Object.entries({ workspaceURL: 'acme.cloud.databricks.com', ...parts }).map(
      ([name, value]) => [`mlflow.databricks.${name}`, value] as const,
    );
    expect(pageOf(Object.fromEntries(tags))).toBe(`https://acme.cloud.databricks.com/${page}`);
  });

  it('on Databricks is told by its workspace, behind a repository', () => {
    const notebook = { 'mlflow.databricks.notebookID': '12' };
    const at = (url: string) => ({ ...notebook, 'mlflow.databricks.webappURL': url });
    expect(pageOf(notebook)).toBeUndefined();
    expect(pageOf(at('https://:x'))).toBeUndefined();
    expect(pageOf({ 'mlflow.databricks.workspaceURL': 'acme.com' })).toBeUndefined();
    expect(pageOf(at('https://ada:s3cret@eu.acme.com/?o=1'))).toBe(
      'https://eu.acme.com/#notebook/12',
    );
    const tags = pairs({ ...at('https://acme.com'), [REPO]: 'https://github.com/team/churn' });
    expect(aspectsOf('mlModel', versionRecord({}, run({ tags })))['sourceCode']).toMatchObject({
      sourceCode: [
        { sourceCodeUrl: 'https://github.com/team/churn' },
        { sourceCodeUrl: 'https://acme.com/#notebook/12' },
      ],
    });
  });

  it('stands at the mlModel of the run that has it', () => {
    const tags = pairs({ [REPO]: 'https://github.com/team/churn' });
    expect(aspectsOf('mlModel', versionRecord({}, run({ tags })))['sourceCode']).toEqual({
      sourceCode: [
        {
          type: 'TRAINING_PIPELINE_SOURCE_CODE',
          sourceCodeUrl: 'https://github.com/team/churn',
        },
      ],
    });
    expect(aspectsOf('mlModel', versionRecord({}, run()))).not.toHaveProperty('sourceCode');
    expect(aspectsOf('mlModel', versionRecord())).not.toHaveProperty('sourceCode');
  });
});
