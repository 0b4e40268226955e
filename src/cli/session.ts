/**
 * What the commands share: the options given, the log, and how things are shown.
 */

import { redactor, secretsOf, type Redactor } from '../core/redact.js';
import type { Logger } from '../stream/contracts.js';
import type { LogFormat, LogLevel } from './log-options.js';
import { createLogger, resolveFormat } from './logger.js';
import { paletteFor, type CommandContext, type Palette } from './terminal.js';

/** The command line's options, as commander gives them. */
export interface CliOptions {
  readonly config?: string;
  readonly from?: string;
  readonly workspace?: string;
  readonly to?: readonly string[];
  readonly dryRun?: boolean;
  readonly report?: string;
  readonly deadLetter?: string;
  readonly state?: string;
  readonly fresh?: boolean;
  readonly full?: boolean;
  readonly anySink?: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export interface Session {
  readonly options: CliOptions;
  readonly context: CommandContext;
  /** For people or for machines. */
  readonly format: 'pretty' | 'json';
  readonly log: Logger;
  readonly redact: Redactor;
  /** For standard error. */
  readonly palette: Palette;
  /** Whole lines on standard error, kept apart from the progress line. */
  readonly writeLines: (lines: string) => void;
  /** Lets something else (the progress line) do what `writeLines` does, until it is told to stop. */
  readonly divert: (write: ((lines: string) => void) | undefined) => void;
}

export async function openSession(options: CliOptions, context: CommandContext): Promise<Session> {
  const format = resolveFormat(options.logFormat, context);
  const redact = redactor(secretsOf(context.env));
  let diverted: ((lines: string) => void) | undefined;
  const writeLines = (lines: string): void => {
    if (diverted === undefined) context.stderr.write(lines);
    else diverted(lines);
  };
  return {
    options,
    context,
    format,
    redact,
    palette: paletteFor(context.stderr, context.env),
    log: await createLogger({
      level: options.logLevel,
      format,
      redact,
      context,
      write: writeLines,
    }),
    writeLines,
    divert: (write) => {
      diverted = write;
    },
  };
}
