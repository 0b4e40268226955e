/**
 * PostgreSQL: columns have types, and the order of texts is that of the database, as in its indexes.
 */

import type { Cell, Dialect, Row } from '../sql/query.js';

export const postgresqlDialect: Dialect = {
  /**
   * A query of one row that holds each column as one JSON list, see `rowsOf`: a third of the work,
   * here, of rows one by one.
   */
  select: (columns, from) => {
    const lists = columns.map((column) => {
      const expression = typeof column === 'string' ? column : column.real;
      return `CAST(json_agg(${expression}) AS text)`;
    });
    return `SELECT ${lists.join(', ')} FROM ${from}`;
  },
  columnsOf: (tables) =>
    postgresqlDialect.select(
      ['c.relname', 'a.attname'],
      `pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_catalog.pg_table_is_visible(c.oid)
       AND a.attnum > 0 AND NOT a.attisdropped
       AND c.relname IN (${tables.map((table) => `'${table}'`).join(', ')})`,
    ),

  asText: (expression) => `CAST(${expression} AS text)`,
  textParameter: (placeholder) => `CAST(${placeholder} AS text)`,
  integerParameter: (placeholder) => `CAST(${placeholder} AS bigint)`,
  isInteger: () => 'true',

  beginning: '',
  isBehind: (column, placeholder) => `${column} > CAST(${placeholder} AS text)`,
  isNowhere: (column) => `${column} = ''`,
  pairIsBehind: (text, integer, placeholders) => `(${text}, ${integer}) > ${pair(placeholders)}`,
  pairIsBetween: (text, integer, first, last) =>
    `(${text}, ${integer}) >= ${pair(first)} AND (${text}, ${integer}) <= ${pair(last)}`,
  keyColumn: (column) => column,
  keyOf: String,
  hexOf: (cell) => Buffer.from(String(cell)).toString('hex'),
  keyOfHex: (hex) => Buffer.from(hex, 'hex').toString(),

  list: (values) => values,
  isAmong: (column, placeholder, kind) =>
    `${column} = ANY(CAST(${placeholder} AS ${kind === 'text' ? 'text' : 'bigint'}[]))`,
  ofOwners: (table, column, condition = '') => ({
    owner: 'j.place',
    from: `unnest(CAST(?1 AS text[])) WITH ORDINALITY AS j(value, place)
     JOIN ${table} AS c ON c.${column} = j.value ${condition}`,
  }),
  places: () => (place) => Number(place) - 1,

  /**
   * The primary key of these tables begins with the tag's key, and there is no index by owner: goes
   * from one tag key to the next, and looks up the range of owners under each.
   */
  tagsInRange: (table, workspace, range) =>
    `(WITH RECURSIVE tag_keys(key) AS (
      SELECT min(t.key) FROM ${table} AS t WHERE ${workspace}
      UNION ALL
      SELECT (SELECT min(t.key) FROM ${table} AS t WHERE ${workspace} AND t.key > tag_keys.key)
      FROM tag_keys WHERE tag_keys.key IS NOT NULL)
    SELECT owned.* FROM tag_keys CROSS JOIN LATERAL (SELECT t.* FROM ${table} AS t
      WHERE ${workspace} AND t.key = tag_keys.key AND ${range} OFFSET 0) AS owned) AS t`,

  ownerName: () => 't.name',

  // JSON has no NaN and no infinities: they come as these words.
  realOf: (cell) => (typeof cell === 'string' ? Number(cell) : cell),
};

/** Rows out of the lists that `select` asks for. Without any row there are none. */
export function rowsOf(lists: readonly (string | null)[] | undefined): readonly Row[] {
  const columns = (lists ?? []).map((list) => JSON.parse(list ?? '[]') as Cell[]);
  const rows: Cell[][] = [];
  const height = columns[0]?.length ?? 0;
  for (let at = 0; at < height; at += 1) {
    const row: Cell[] = [];
    for (const column of columns) row.push(column[at] ?? null);
    rows.push(row);
  }
  return rows;
}

function pair([text, integer]: readonly [string, string]): string {
  return `(CAST(${text} AS text), CAST(${integer} AS bigint))`;
}
