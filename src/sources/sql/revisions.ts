/**
 * Which MLflow wrote a database, told by the revision of its schema.
 *
 * Alembic keeps the revision in the table `alembic_version`; MLflow carries a migration for each in
 * `mlflow/store/db_migrations/versions`. Versions without a migration share their predecessor's.
 */

/** The last revision of each MLflow that brought any, oldest first: read in released packages. */
const RELEASES: readonly (readonly [version: string, ...revisions: string[]])[] = [
  ['1.28.0', '0c779009ac13', 'cc1f77228345'],
  ['1.29.0', '97727af70f4d'],
  ['2.3.0', '3500859a5d39'],
  ['2.4.0', '7f2a7d5fae7d'],
  ['2.8.0', '2d6e25af4d3e', 'acf3f17fdcc7'],
  ['2.14.0', '867495a8f9d4', '5b0e9adcef9c'],
  ['2.15.0', '4465047574b1'],
  ['2.17.0', 'f5a4f2784254'],
  ['2.18.0', '0584bdc529eb'],
  ['3.0.0', '400f98739977', '6953534de441'],
  ['3.2.0', 'bda7b8c39065', 'cbc13b556ace', '770bee3ae1dd'],
  ['3.3.0', 'a1b2c3d4e5f6', 'de4033877273', '1a0cddfcaa16'],
  ['3.4.0', '534353b11cbc', '71994744cf8e'],
  ['3.5.0', '3da73c924c2f', 'bf29a5ff90ea'],
  ['3.8.0', '1bd49d398cd23'],
  ['3.9.0', 'b7c8d9e0f1a2', '5d2d30f0abce', 'c9d4e5f6a7b8', '2c33131f4dae', 'd3e4f5a6b7c8'],
  ['3.10.0', 'd0e1f2a3b4c5', 'c8d9e0f1a2b3', '1b5f0d9ad7c1'],
  ['3.11.0', 'e1f2a3b4c5d6', '76601a5f987d', 'c3d6457b6d8a'],
  ['3.12.0', 'a5b4c3d2e1f0', 'ae8bbe7743c9', '7d34483879f0'],
  ['3.13.0', 'da6fb0208061'],
  ['3.14.0', '89d3d66ed43f', 'b7e4c1a90f23'],
  ['3.15.0', 'a8b9c0d1e2f3', 'c1d2e3f4a5b6', 'c3d9e7f1a2b4', '6f8d9c3b2a1e'],
  ['3.16.0', '1971f2d9a75b', '17e22815139b', 'b7e2c1a4d9f3'],
  ['3.17.0', '75868b020152', 'dc11669786a5'],
];

/** Revisions of MLflow up to 1.27, whose databases 1.28 has to upgrade before it opens them. */
const OLDER: ReadonlySet<string> = new Set([
  '451aebb31d03',
  '90e64c465722',
  '181f10493468',
  'df50e92ffc5e',
  '7ac759974ad8',
  '89d4b8295536',
  '2b4d017a5e9b',
  'cfd24bdc0731',
  '0a8213491aaa',
  '728d730b5ebd',
  '27a6a02d2cf1',
  '84291f40a231',
  'a8c4a736bde6',
  '39d1c3be5f05',
  'c48cb773bb87',
  'bd07f7e963c5',
]);

/** Of the newest MLflow that this package knows. */
export const NEWEST_KNOWN = RELEASES.at(-1)?.[0] ?? '';

export type Age = 'older' | 'known' | 'unknown';

export interface Release {
  readonly age: Age;
  /** `2.18.0 or later, before 3.0.0`. */
  readonly versionText: string;
}

/** What is known about the MLflow that has this revision. */
export function releaseOf(revision: string): Release {
  if (OLDER.has(revision)) return { age: 'older', versionText: 'older than 1.28.0' };
  const index = RELEASES.findIndex(([, ...revisions]) => revisions.includes(revision));
  const since = RELEASES[index]?.[0];
  if (since === undefined) {
    return { age: 'unknown', versionText: `unknown, with the database schema ${revision}` };
  }
  const before = RELEASES[index + 1]?.[0];
  const text = before === undefined ? `${since} or later` : `${since} or later, before ${before}`;
  return { age: 'known', versionText: text };
}
