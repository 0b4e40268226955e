/**
 * Where the code is that a model was trained by, from the tags of its run.
 */

import type { Aspect } from '../../datahub/proposal.js';
import { tagValue } from '../../mlflow/tag-value.js';
import type { Run } from '../../mlflow/types.js';

/** Tags with the repository, the better one first: Databricks names its own. */
const REPOSITORIES = ['mlflow.databricks.gitRepoUrl', 'mlflow.source.git.repoURL'];
const COMMITS = ['mlflow.databricks.gitRepoCommit', 'mlflow.source.git.commit'];

/** `git@github.com:team/churn.git`, which is no URL. One letter is a drive of Windows. */
const SCP = /^(?:[^@/]+@)?([^:/]{2,}):(?!\/)(.+)$/;

/** What stands between repository and commit in the address of a commit's files, by host. */
const TREES: readonly (readonly [host: RegExp, tree: string])[] = [
  [/(^|\.)github\./, '/tree/'],
  [/(^|\.)gitlab\./, '/-/tree/'],
  [/(^|\.)bitbucket\.org$/, '/src/'],
];

/**
 * The repository's page, at the commit where its host is known; undefined where no page is known.
 *
 * @example
 * sourceCode(run); // of tags mlflow.source.git.repoURL and .commit
 * // { sourceCode: [{ type: 'TRAINING_PIPELINE_SOURCE_CODE', sourceCodeUrl: 'https://github.com/team/churn/tree/1a2b' }] }
 */
export function sourceCode({ tags }: Run): Aspect | undefined {
  const valueOf = (names: readonly string[]): string | undefined => {
    for (const name of names) {
      const value = tagValue(tags, name);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const repository = valueOf(REPOSITORIES);
  const page = repository === undefined ? undefined : pageOf(repository);
  if (page === undefined) return undefined;
  const commit = valueOf(COMMITS);
  const tree = TREES.find(([host]) => host.test(page.hostname))?.[1];
  const at =
    commit === undefined || tree === undefined ? '' : `${tree}${encodeURIComponent(commit)}`;
  return {
    sourceCode: [{ type: 'TRAINING_PIPELINE_SOURCE_CODE', sourceCodeUrl: `${page.href}${at}` }],
  };
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
