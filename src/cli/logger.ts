/**
 * The log, on standard error: JSON lines for machines, pretty lines for people.
 */

import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { Redactor } from '../core/redact.js';
import type { LogFormat, LogLevel } from './log-options.js';
import { printable, usesColor, type CommandContext } from './terminal.js';

/** What `auto` means here: pretty on a terminal, else JSON. */
export function resolveFormat(format: LogFormat, context: CommandContext): 'pretty' | 'json' {
  if (format !== 'auto') return format;
  return context.stderr.isTTY === true ? 'pretty' : 'json';
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'pretty' | 'json';
  readonly redact: Redactor;
  readonly context: CommandContext;
  /** Where whole lines go. */
  readonly write: (lines: string) => void;
}

/** Everything that is logged passes the redactor before it becomes text. */
export async function createLogger(options: LoggerOptions): Promise<Logger> {
  const { level, format, redact, context, write } = options;
  const stream = format === 'json' ? { write } : await prettyStream(context, write);
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // The redactor has made plain data of errors already.
      serializers: { err: (error: unknown) => error },
      hooks: {
        logMethod(args, method) {
          method.apply(this, redact(args));
        },
      },
    },
    stream,
  );
}

async function prettyStream(
  context: CommandContext,
  write: (lines: string) => void,
): Promise<{ write(line: string): void }> {
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({
    colorize: usesColor(context.stderr, context.env),
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
    messageFormat: (log, messageKey) => {
      const message = log[messageKey];
      return typeof message === 'string' ? printable(message) : '';
    },
  });
  return {
    write: (line) => {
      write(prettify(line));
    },
  };
}
