/**
 * Lays out a written configuration as Prettier does with this project's settings, so that whoever
 * keeps it under Prettier sees no change.
 */

/** Columns. */
const WIDTH = 100;

/** What is written: texts, lists in brackets or braces, `name: value`, and `name(argument)`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly mayMove: boolean }
  | {
      readonly kind: 'list';
      readonly brackets: '[]' | '{}';
      readonly items: readonly Piece[];
    }
  | { readonly kind: 'entry'; readonly key: string; readonly value: Piece }
  | { readonly kind: 'call'; readonly name: string; readonly argument?: Piece };

/** @param mayMove - whether it goes into a line of its own where it is too long behind its key */
export function textPiece(text: string, mayMove = false): Piece {
  return { kind: 'text', text, mayMove };
}

/**
 * @param piece - what is written
 * @param indent - of the line that it begins in
 * @param column - where it begins
 * @param behind - characters that follow it in its last line
 */
export function layOut(piece: Piece, indent: number, column: number, behind: number): string {
  const flat = inOneLine(piece);
  if (flat !== undefined && column + flat.length + behind <= WIDTH) return flat;
  const start = `\n${' '.repeat(indent)}`;
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'list': {
      const { items, brackets } = piece;
      const lines = items.map((item) => `${start}  ${layOut(item, indent + 2, indent + 2, 1)},`);
      return `${brackets[0] ?? ''}${lines.join('')}${start}${brackets[1] ?? ''}`;
    }
    case 'entry': {
      const { key, value } = piece;
      if (value.kind === 'text' && value.mayMove) return `${key}:${start}  ${value.text}`;
      return `${key}: ${layOut(value, indent, column + key.length + 2, behind)}`;
    }
    case 'call': {
      const { name, argument } = piece;
      if (argument === undefined) return `${name}()`;
      if (argument.kind === 'call') {
        return `${name}(${start}  ${layOut(argument, indent + 2, indent + 2, 1)},${start})`;
      }
      return `${name}(${layOut(argument, indent, column + name.length + 1, behind + 1)})`;
    }
  }
}

/** Undefined where it has to take several. */
function inOneLine(piece: Piece): string | undefined {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'list': {
      const { items, brackets } = piece;
      if (items.length === 0) return brackets;
      const texts = items.map(inOneLine);
      if (texts.includes(undefined) || isTable(piece)) return undefined;
      return brackets === '[]' ? `[${texts.join(', ')}]` : `{ ${texts.join(', ')} }`;
    }
    case 'entry': {
      const value = inOneLine(piece.value);
      return value === undefined ? undefined : `${piece.key}: ${value}`;
    }
    case 'call': {
      const { name, argument } = piece;
      const given = argument === undefined ? '' : inOneLine(argument);
      return given === undefined ? undefined : `${name}(${given})`;
    }
  }
}

/** Several objects with several keys each stand below each other. */
function isTable({ brackets, items }: Extract<Piece, { readonly kind: 'list' }>): boolean {
  return (
    brackets === '[]' &&
    items.length > 1 &&
    items.every((item) => item.kind === 'list' && item.items.length > 1)
  );
}
