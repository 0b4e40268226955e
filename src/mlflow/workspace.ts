/**
 * Workspaces of MLflow 3: parts of a server that share nothing but its users. Names of experiments
 * and models are unique within one only; ids of experiments and runs are unique over all of them.
 */

/** The one that everything is in where nobody has made others. */
export const DEFAULT_WORKSPACE = 'default';

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LONGEST_NAME = 63;

/**
 * Whether MLflow would take it for the name of a workspace: two characters at least, and neither a
 * blank nor any of `@` `/` `'` among them, which ids, record keys and SQL rely on.
 *
 * @example
 * isWorkspaceName('team-a'); // true
 * isWorkspaceName('Team A'); // false
 */
export function isWorkspaceName(text: string): boolean {
  return text.length >= 2 && text.length <= LONGEST_NAME && NAME.test(text);
}

/**
 * What something is and which, as it is said to people: names are the same in many workspaces.
 *
 * @param workspace - absent for `default`
 *
 * @example
 * inWorkspace('registered model churn', 'team-a'); // 'workspace team-a: registered model churn'
 * inWorkspace('registered model churn'); // 'registered model churn'
 */
export function inWorkspace(identity: string, workspace: string | undefined): string {
  return workspace === undefined ? identity : `workspace ${workspace}: ${identity}`;
}
