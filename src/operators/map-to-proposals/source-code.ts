/**
 * Where the code is that a model was trained by, from the tags of its run.
 */

import type { Aspect } from '../../datahub/proposal.js';
import { tagValue } from '../../mlflow/tag-value.js';
import type { KeyValue, Run } from '../../mlflow/types.js';

/** Tags with the repository, the better one first: Databricks names its own. */
const REPOSITORIES = ['mlflow.databricks.gitRepoUrl', 'mlflow.source.git.repoURL'];
const WORKSPACES = ['mlflow.databricks.workspaceURL', 'mlflow.databricks.webappURL'];
const COMMITS = ['mlflow.databricks.gitRepoCommit', 'mlflow.source.git.commit'];
const NOTEBOOK = 'mlflow.databricks.notebookID';
const REVISION = 'mlflow.databricks.notebookRevisionID';
const JOB = 'mlflow.databricks.jobID';
const JOB_RUN = 'mlflow.databricks.jobRunID';

/** All that the address of a page is made of. */
export const SOURCE_CODE_TAGS: readonly string[] = [
  ...REPOSITORIES,
  ...WORKSPACES,
  ...COMMITS,
  NOTEBOOK,
  REVISION,
  JOB,
  JOB_RUN,
];

/** `git@github.com:team/churn.git`, which is no URL. One letter is a drive of Windows. */
const SCP = /^(?:[^@/]+@)?([^:/]{2,}):(?!\/)(.+)$/;

/** What stands between repository and commit in the address of a commit's files, by host. */
const TREES: readonly (readonly [host: RegExp, tree: string])[] = [
  [/(^|\.)github\./, '/tree/'],
  [/(^|\.)gitlab\./, '/-/tree/'],
  [/(^|\.)bitbucket\.org$/, '/src/'],
];

/**
 * The repository's page, at the commit where its host is known, and the notebook or job on Databricks;
 * undefined where no page is known.
 *
 * @example
 * sourceCode(run); // of tags mlflow.source.git.repoURL and .commit
 * // { sourceCode: [{ type: 'TRAINING_PIPELINE_SOURCE_CODE', sourceCodeUrl: 'https://github.com/team/churn/tree/1a2b' }] }
 */
export function sourceCode({ tags }: Run): Aspect | undefined {
  const urls = [repositoryPage(tags), databricksPage(tags)].filter((url) => url !== undefined);
  if (urls.length === 0) return undefined;
  return {
    sourceCode: urls.map((sourceCodeUrl) => ({
      type: 'TRAINING_PIPELINE_SOURCE_CODE',
      sourceCodeUrl,
    })),
  };
}

function repositoryPage(tags: readonly KeyValue[]): string | undefined {
  const repository = firstOf(tags, REPOSITORIES);
  const page = repository === undefined ? undefined : pageOf(repository);
  if (page === undefined) return undefined;
  const commit = firstOf(tags, COMMITS);
  const tree = TREES.find(([host]) => host.test(page.hostname))?.[1];
  const at =
    commit === undefined || tree === undefined ? '' : `${tree}${encodeURIComponent(commit)}`;
  return `${page.href}${at}`;
}

/** As MLflow's own pages link it: a notebook at its revision, or a run of a job. */
function databricksPage(tags: readonly KeyValue[]): string | undefined {
  const workspace = firstOf(tags, WORKSPACES);
  if (workspace === undefined) return undefined;
  const address = /^https?:/i.test(workspace) ? workspace : `https://${workspace}`;
  if (!URL.canParse(address)) return undefined;
  const part = (name: string, before: string): string | undefined => {
    const value = tagValue(tags, name);
    return value === undefined ? undefined : `${before}${encodeURIComponent(value)}`;
  };
  const notebook = part(NOTEBOOK, '#notebook/');
  const job = part(JOB, '#job/');
  const page =
    notebook === undefined
      ? job && `${job}${part(JOB_RUN, '/run/') ?? ''}`
      : `${notebook}${part(REVISION, '/revision/') ?? ''}`;
  return page === undefined ? undefined : `${new URL(address).origin}/${page}`;
}

function firstOf(tags: readonly KeyValue[], names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = tagValue(tags, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Without credentials, which people leave in addresses, and without a slash at its end. */
function pageOf(
  repository: string,
): { readonly href: string; readonly hostname: string } | undefined {
  const [, host, path] = SCP.exec(repository) ?? [];
  const text = host === undefined ? repository : `https://${host}/${path ?? ''}`;
  if (!URL.canParse(text)) return undefined;
  const { protocol, host: address, hostname, pathname } = new URL(text);
  // Behind ssh and git there is a page mostly, by the host's name alone.
  const origin = /^https?:$/.test(protocol) ? `${protocol}//${address}` : `https://${hostname}`;
  if (!/^(https?|ssh|git|git\+ssh):$/.test(protocol) || hostname === '') return undefined;
  return { href: `${origin}${pathname.replace(/\/*(\.git)?\/*$/, '')}`, hostname };
}
