/**
 * SQLite: any column may hold anything, and rows come as one JSON text.
 */

import type { Cell, Dialect } from '../sql/query.js';

/** Texts come before BLOBs, whose least one is this. */
const BEHIND_TEXTS = `x''`;

export const sqliteDialect: Dialect = {
  /**
   * A query whose rows come as one JSON text, cast to bytes. That is faster than rows one by one,
   * and safe: libsql ends a text at its first NUL, and a text that is not UTF-8 crashes the process.
   * Here the one arrives whole, and what is not UTF-8 arrives as U+FFFD.
   */
  select: (columns, from) => {
    const cells = columns.map((column) =>
      typeof column === 'string'
        ? // JSON has no BLOBs, and SQLite fails on one.
          `iif(typeof(${column}) = 'blob', json_array(hex(${column})), ${column})`
        : `CASE typeof(${column.real})
         WHEN 'real' THEN printf('%!.17g', ${column.real})
         WHEN 'integer' THEN ${column.real}
         WHEN 'null' THEN NULL
         ELSE json_array(hex(${column.real})) END`,
    );
    return `SELECT CAST(json_group_array(json_array(${cells.join(', ')})) AS BLOB) FROM ${from}`;
  },
  columnsOf: (tables) =>
    sqliteDialect.select(
      ['m.name', 't.name'],
      `sqlite_master AS m JOIN pragma_table_info(m.name) AS t WHERE m.type IN ('table', 'view')
       AND m.name IN (${tables.map((table) => `'${table}'`).join(', ')})`,
    ),

  asText: (expression) => `CAST(${expression} AS TEXT)`,
  textParameter: (placeholder) => `CAST(${placeholder} AS TEXT)`,
  integerParameter: (placeholder) => `CAST(${placeholder} AS INTEGER)`,
  isInteger: (column) => `typeof(${column}) = 'integer'`,

  beginning: '',
  isBehind: (column, placeholder) =>
    `${column} > CAST(${placeholder} AS TEXT) AND ${column} < ${BEHIND_TEXTS}`,
  isNowhere: (column) => `(${column} IS NULL OR ${column} = '' OR ${column} >= ${BEHIND_TEXTS})`,
  pairIsBehind: (text, integer, placeholders) =>
    `(${text}, ${integer}) > ${pair(placeholders)} AND ${text} < ${BEHIND_TEXTS}`,
  pairIsBetween: (text, integer, first, last) =>
    `(${text}, ${integer}) >= ${pair(first)} AND (${text}, ${integer}) <= ${pair(last)}`,
  // In hexadecimal digits: libsql ends a text at its first NUL.
  keyColumn: (column) => `hex(${column})`,
  keyOf: bytesOf,
  hexOf: String,
  keyOfHex: bytesOf,

  list: JSON.stringify,
  isAmong: (column, placeholder, kind) =>
    kind === 'text'
      ? `${column} IN (SELECT value FROM json_each(${placeholder}))`
      : `${column} IN (SELECT CAST(value AS INTEGER) FROM json_each(${placeholder}))`,
  ofOwners: (table, column, condition = '') => ({
    owner: 'j.key',
    from: `json_each(?1) AS j CROSS JOIN ${table} AS c ON c.${column} = j.value ${condition}`,
  }),
  places: () => Number,

  /**
   * The primary key of these tables begins with the tag's key, and there is no index by owner. A
   * query by owner alone would scan the table for each page; this one goes from one tag key to the
   * next and looks up the range of owners under each.
   */
  tagsInRange: (table, workspace, range) =>
    `(WITH RECURSIVE tag_keys(key) AS (
      SELECT min(t.key) FROM ${table} AS t WHERE ${workspace}
      UNION ALL
      SELECT (SELECT min(t.key) FROM ${table} AS t WHERE ${workspace} AND t.key > tag_keys.key)
      FROM tag_keys WHERE tag_keys.key IS NOT NULL)
    SELECT t.* FROM tag_keys CROSS JOIN ${table} AS t
    ON ${workspace} AND t.key = tag_keys.key AND ${range}) AS t`,

  ownerName: () => 't.name',

  realOf: (cell) => {
    if (typeof cell !== 'string') return cell;
    return cell === 'Inf' ? Infinity : cell === '-Inf' ? -Infinity : Number(cell);
  },
};

function pair([text, integer]: readonly [string, string]): string {
  return `(CAST(${text} AS TEXT), CAST(${integer} AS INTEGER))`;
}

/** Bytes of a text that came as `hex(…)`. */
export function bytesOf(hex: Cell | undefined): Uint8Array {
  return Buffer.from(String(hex), 'hex');
}
