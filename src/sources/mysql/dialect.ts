/**
 * MySQL and MariaDB: columns have types, and the order and sameness of texts are those of the
 * columns' collation, as in the indexes: mostly without regard to case.
 */

import type { Cell, Dialect } from '../sql/query.js';

export const mysqlDialect: Dialect = {
  select: (columns, from) => {
    const list = columns.map((column) => (typeof column === 'string' ? column : column.real));
    return `SELECT ${list.join(', ')} FROM ${from}`;
  },
  columnsOf: (tables) =>
    `SELECT c.table_name, c.column_name FROM information_schema.columns AS c
     WHERE c.table_schema = DATABASE()
     AND c.table_name IN (${tables.map((table) => `'${table}'`).join(', ')})`,

  asText: (expression) => `CAST(${expression} AS CHAR)`,
  textParameter: (placeholder) => placeholder,
  integerParameter: (placeholder) => `CAST(${placeholder} AS SIGNED)`,
  isInteger: () => 'true',

  // Many texts come before the empty one, for it counts as if blanks followed: those that begin with a
  // character below the blank. So the first page has no bound.
  beginning: null,
  isBehind: (column, placeholder) => `(${placeholder} IS NULL OR ${column} > ${placeholder})`,
  isNowhere: () => 'false',
  // Written out: a comparison of pairs does not use the index.
  pairIsBehind: (text, integer, [name, number]) =>
    `(${name} IS NULL OR ${text} > ${name}
      OR (${text} = ${name} AND ${integer} > CAST(${number} AS SIGNED)))`,
  pairIsBetween: (text, integer, [first, firstNumber], [last, lastNumber]) =>
    `${text} BETWEEN ${first} AND ${last}
     AND (${text} > ${first} OR ${integer} >= CAST(${firstNumber} AS SIGNED))
     AND (${text} < ${last} OR ${integer} <= CAST(${lastNumber} AS SIGNED))`,
  keyColumn: (column) => column,
  keyOf: String,
  hexOf: (cell) => Buffer.from(String(cell)).toString('hex'),
  keyOfHex: (hex) => Buffer.from(hex, 'hex').toString(),

  list: (values) => values,
  isAmong: (column, placeholder) => `${column} IN (${placeholder})`,
  ofOwners: (table, column, condition = '') => ({
    owner: `c.${column}`,
    from: `${table} AS c WHERE c.${column} IN (?1) ${condition}`,
  }),
  places: (owners) => {
    const places = new Map<Cell | undefined, number>();
    for (const [place, owner] of owners.entries()) {
      places.set(asCompared(owner), place);
      places.set(owner, place);
    }
    return (owner) => places.get(owner) ?? places.get(asCompared(owner)) ?? -1;
  },

  // A foreign key by owner has an index of its own here.
  tagsInRange: (table, workspace, range) =>
    `(SELECT t.* FROM ${table} AS t WHERE ${workspace} AND ${range}) AS t`,

  ownerName: (owners, isOwner) => `(SELECT o.name FROM ${owners} AS o WHERE ${isOwner})`,

  realOf: (cell) => cell,
};

/** MySQL's collations tell ids apart neither by case nor by blanks at their end. */
function asCompared(id: Cell | undefined): string {
  return String(id).toLowerCase().trimEnd();
}
