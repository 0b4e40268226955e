/**
 * What the command writes on, and how things look there.
 */

/** Standard output or standard error, as far as the command needs them. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** The process that the command runs in, so that tests can stand in for it. */
export interface CommandContext {
  /** The arguments after the command itself. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** How the user calls this command, for hints: `node dist/pipeline.js`. */
  readonly program: string;
  readonly version: string;
  /** Where the package's own configuration is. */
  readonly packageRoot: string;
  /** What configurations can import, by name; loaded when one is. */
  readonly modules: () => Promise<Readonly<Record<string, object>>>;
  /** Calls back at SIGINT and SIGTERM; gives a function that ends it. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** Tells V8 that time is worth more than memory: some 50 MB more for half the time. */
  readonly preferSpeed?: () => void;
  /** Ends the process at once. */
  readonly exit: (status: number) => void;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Exit statuses, as the README lists them. */
export const EXIT = {
  delivered: 0,
  someRejected: 1,
  usage: 2,
  unavailable: 3,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

type Paint = (text: string) => string;

export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Colours for a stream: none where NO_COLOR is set, where it is no terminal, or a dumb one. */
export function paletteFor(stream: OutputStream, env: CommandContext['env']): Palette {
  const enabled = usesColor(stream, env);
  const paint =
    (style: keyof typeof CODES) =>
    (text: string): string => {
      const [on, off] = CODES[style];
      return enabled && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
    };
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  };
}

/** See https://no-color.org; FORCE_COLOR is Node's own counterpart. */
export function usesColor(stream: OutputStream, env: CommandContext['env']): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Columns of the terminal; those of most where it has none, or says 0 as one without a window does. */
export function columnsOf({ columns = 0 }: OutputStream): number {
  return columns > 0 ? columns : 80;
}

/** Columns to lay text out in: those of the terminal, within what reads well. */
export function widthOf(stream: OutputStream): number {
  return Math.min(Math.max(columnsOf(stream), 60), 100);
}

/** Text without what could move the cursor or colour the rest: names come from servers. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
