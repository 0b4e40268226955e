/**
 * How the readers ask a database, whichever it is.
 *
 * A reading is a generator: it yields what it asks and is given the rows. So the same code is run
 * without any waiting by SQLite, inside one short transaction, and over a network by the others.
 */

/** A value as JSON has it. What JSON has no way to write comes as a list that holds its text. */
export type Cell = string | number | boolean | null | readonly [string];
export type Row = readonly Cell[];
/** Bytes stand for the text that they encode; a list is made by `Dialect.list`. */
export type Parameter = string | number | Uint8Array | readonly string[] | null;

/** One statement. Its parameters are written `?1`, `?2`, …, as often as they are needed. */
export interface Ask {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

/** Asks as often as it needs, in one short transaction, and waits for nothing else. */
export type Reading<T> = Generator<Ask, T, readonly Row[]>;

/** All rows of a query made by `Dialect.select`: `const rows = yield* ask(sql)`. */
export function* ask(sql: string, parameters: readonly Parameter[] = []): Reading<readonly Row[]> {
  return yield { sql, parameters };
}

/** A column of a `select` that holds a floating-point number, with all its digits. */
export interface Real {
  readonly real: string;
}

/** A database that can only be read, in short reads. */
export interface SqlDatabase {
  readonly dialect: Dialect;

  /**
   * Does a reading in a transaction of its own, which is over when this returns. It is begun anew
   * where the connection is lost.
   *
   * @throws PipelineError
   */
  read<T>(reading: () => Reading<T>): Promise<T>;

  close(): Promise<void>;
}

/** What databases write or keep differently. Expressions are SQL. */
export interface Dialect {
  /**
   * A query.
   *
   * @param columns - expressions
   * @param from - what follows FROM
   */
  readonly select: (columns: readonly (string | Real)[], from: string) => string;
  /** A query of the columns of tables: rows of table and column. */
  readonly columnsOf: (tables: readonly string[]) => string;

  /** Any value as text. */
  readonly asText: (expression: string) => string;
  readonly textParameter: (placeholder: string) => string;
  readonly integerParameter: (placeholder: string) => string;
  /** What a database that keeps anything in any column has to be asked for. */
  readonly isInteger: (column: string) => string;

  /** For `isBehind` and `pairIsBehind`: what every key comes behind. */
  readonly beginning: Parameter;
  /** A condition: the text in a column comes behind a parameter, in the order of its index. */
  readonly isBehind: (column: string, placeholder: string) => string;
  /** A condition: it does not even come behind `beginning`. */
  readonly isNowhere: (column: string) => string;
  /** A condition: a text and a whole number come, as a pair, behind two parameters. */
  readonly pairIsBehind: (text: string, integer: string, placeholders: Placeholders) => string;
  /** A condition: a pair comes between two others, or is one of them. */
  readonly pairIsBetween: (
    text: string,
    integer: string,
    first: Placeholders,
    last: Placeholders,
  ) => string;
  /** Selects a text so that `keyOf` makes a parameter of it. */
  readonly keyColumn: (column: string) => string;
  readonly keyOf: (cell: Cell | undefined) => Parameter;
  /** The UTF-8 bytes of what was selected as key, in hexadecimal digits, and back. */
  readonly hexOf: (cell: Cell | undefined) => string;
  readonly keyOfHex: (hex: string) => Parameter;

  /** A parameter for `isAmong` and `ofOwners`. */
  readonly list: (values: readonly string[]) => Parameter;
  readonly isAmong: (column: string, placeholder: string, kind: 'text' | 'integer') => string;
  /**
   * Rows of a table, called `c`, by the owners in the list that is the parameter ?1; what follows
   * FROM. `owner` is the expression that tells which; `places` makes the owner's place in the list
   * of what was selected by it.
   */
  readonly ofOwners: (
    table: string,
    column: string,
    condition?: string,
  ) => { readonly owner: string; readonly from: string };
  readonly places: (owners: readonly Cell[]) => (owner: Cell | undefined) => number;

  /**
   * Rows of a table of tags whose owners lie between two keys, as what follows FROM.
   *
   * @param table - with the columns `key` and `value`; called `t` in the conditions
   * @param workspace - a condition on the columns that the table's index has before the tag's key
   * @param range - a condition on the owner's columns
   */
  readonly tagsInRange: (table: string, workspace: string, range: string) => string;
  /**
   * An expression: the name of the owner of a row, as the owner spells it. Where names are the same
   * whatever their case, the row may spell it otherwise.
   *
   * @param owners - table, called `o` in `isOwner`; the row is `t`
   */
  readonly ownerName: (owners: string, isOwner: string) => string;

  /** The number in a cell that a `Real` was selected for; anything else as it is. */
  readonly realOf: (cell: Cell | undefined) => Cell | undefined;
}

export type Placeholders = readonly [text: string, integer: string];
