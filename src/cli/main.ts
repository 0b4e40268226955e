/**
 * The command, from its arguments to its exit status.
 */

import { CommanderError } from 'commander';
import { messageOf, PipelineError } from '../core/errors.js';
import { redact } from '../core/redact.js';
import { wrap } from './format.js';
import { buildProgram, type Invocation } from './program.js';
import type { Session } from './session.js';
import { EXIT, paletteFor, widthOf, type CommandContext } from './terminal.js';

/** Never throws: whatever goes wrong is told on standard error and in the exit status. */
export async function main(context: CommandContext): Promise<number> {
  let session: Session | undefined;
  try {
    const invocation = parse(context);
    if (invocation === undefined) return EXIT.delivered;
    // Loaded late, so that --help and --version are there at once.
    const { openSession } = await import('./session.js');
    session = await openSession(invocation.options, context);
    return await dispatch(invocation, session);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.delivered : EXIT.usage;
    tell(error, context, session);
    return error instanceof PipelineError ? EXIT[error.category] : EXIT.unavailable;
  }
}

function parse(context: CommandContext): Invocation | undefined {
  let invocation: Invocation | undefined;
  buildProgram(context, (wanted) => {
    invocation = wanted;
  }).parse([...context.args], { from: 'user' });
  return invocation;
}

async function dispatch({ command, file, output }: Invocation, session: Session): Promise<number> {
  switch (command) {
    case 'run':
      return (await import('./run-command.js')).runCommand(session);
    case 'check':
      return (await import('./check-command.js')).checkCommand(session);
    case 'graph':
      return (await import('./graph-command.js')).graphCommand(session);
    case 'replay':
      return (await import('./replay-command.js')).replayCommand(session, file ?? '');
    case 'migrate':
      return (await import('./migrate-command.js')).migrateCommand(session, file ?? '', output);
    case 'state show':
      return (await import('./state-command.js')).stateShowCommand(session);
    case 'state reset':
      return (await import('./state-command.js')).stateResetCommand(session);
  }
}

function tell(error: unknown, context: CommandContext, session: Session | undefined): void {
  const message =
    error instanceof PipelineError ? error.message : `unexpected: ${messageOf(error)}`;
  if (session?.format === 'json') {
    session.log.error({ code: codeOf(error) }, message);
    session.log.debug({ err: error }, 'where it went wrong');
    return;
  }
  session?.log.debug({ err: error }, 'where it went wrong');
  const { bold, red } = paletteFor(context.stderr, context.env);
  const text = (session?.redact ?? redact)(message)
    .split('\n')
    .flatMap((line) => indented(line, widthOf(context.stderr) - 2))
    .join('\n  ');
  context.stderr.write(`${red(bold('error:'))} ${text}\n`);
}

/** Wraps a line and keeps its own indent; behind the dash of a list it hangs. */
function indented(line: string, width: number): string[] {
  const [, indent = '', dash = '', text = ''] = /^( *)(- )?(.*)$/s.exec(line) ?? [];
  const hang = ' '.repeat(dash.length);
  return wrap(text, width - indent.length - dash.length - 'error:'.length).map(
    (each, index) => indent + (index === 0 ? dash : hang) + each,
  );
}

function codeOf(error: unknown): string {
  return error instanceof PipelineError ? error.code : 'UNEXPECTED';
}
