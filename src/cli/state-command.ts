/**
 * `mlflow-datahub state show` and `mlflow-datahub state reset`
 */

import { existsSync } from 'node:fs';
import { loadConfig } from '../config/load-config.js';
import { PipelineError } from '../core/errors.js';
import { inspectState, resetState } from '../state/inspect.js';
import type { StateFacts, SweepFacts } from '../state/options.js';
import { bytes, count, counted, duration, moment } from './format.js';
import type { Session } from './session.js';
import { stateFiles, stateOf } from './state-options.js';
import { EXIT, paletteFor, printable, type Palette } from './terminal.js';

/** Prints what the state file holds; changes nothing. Gives the exit status. */
export async function stateShowCommand(session: Session): Promise<number> {
  const { context, redact } = session;
  const facts = redact(inspectState(await statePath(session, 'show')));
  context.stdout.write(
    isForPeople(session)
      ? describe(facts, paletteFor(context.stdout, context.env))
      : `${JSON.stringify(facts, null, 2)}\n`,
  );
  return EXIT.delivered;
}

/** Deletes the state file with what SQLite keeps beside it, and says so. Gives the exit status. */
export async function stateResetCommand(session: Session): Promise<number> {
  const path = await statePath(session, 'reset');
  const there = stateFiles(path).filter((file) => existsSync(file));
  resetState(path);
  const deleted = there.filter((file) => !existsSync(file));
  const text = isForPeople(session)
    ? `deleted ${deleted.map(printable).join(', ')}\n` +
      'The next run reads and sends everything. What has gone from MLflow by then stays in DataHub:\n' +
      'nobody knows any more that it came from here.\n'
    : `${JSON.stringify({ deleted }, null, 2)}\n`;
  session.context.stdout.write(session.redact(text));
  return EXIT.delivered;
}

/** From `--state`, for which no configuration is needed, else from the configuration. */
async function statePath({ options, context }: Session, command: string): Promise<string> {
  const given = stateOf(options, undefined);
  if (given !== undefined) return given.path;
  const config = await loadConfig({
    cwd: context.cwd,
    packageRoot: context.packageRoot,
    modules: context.modules,
    ...(options.config === undefined ? {} : { path: options.config }),
  });
  const { state } = config.definition;
  if (state !== undefined) return state.path;
  throw new PipelineError(
    `state ${command} needs the file: give --state FILE, ` +
      `since ${config.displayPath} keeps no \`state: { path }\``,
    { code: 'STATE_NEEDED', category: 'usage' },
  );
}

/** What is printed here is the command's result: `auto` looks at where that goes. */
function isForPeople({ options, context }: Session): boolean {
  if (options.logFormat !== 'auto') return options.logFormat === 'pretty';
  return context.stdout.isTTY === true;
}

function describe(facts: StateFacts, palette: Palette): string {
  const { bold, dim } = palette;
  const { entities, sinks } = facts;
  const rows = (all: readonly (readonly [string, string])[]): string[] => {
    const names = Math.max(...all.map(([name]) => name.length));
    const values = Math.max(...all.map(([, value]) => value.length));
    return all.map(([name, value]) => `  ${name.padEnd(names)}  ${value.padStart(values)}`);
  };
  const held = [
    ...Object.entries(entities).map(([type, value]) => [printable(type), count(value)] as const),
    ['marked as removed', count(facts.removed)] as const,
  ];
  const lines = [
    `${dim('state')}  ${bold(printable(facts.path))} (${bytes(facts.bytes)}, version ${facts.schemaVersion})`,
    `${dim('of   ')}  ${facts.pipeline === '' ? 'no pipeline yet' : printable(facts.pipeline)}`,
    '',
    bold('Sweeps, the last first'),
    ...(facts.sweeps.length === 0 ? ['  none yet'] : facts.sweeps.map(sweepLine)),
    '',
    bold('Entities in DataHub'),
    ...rows(held),
    '',
    bold('Sinks'),
    ...(sinks.length === 0 ? ['  none yet'] : []),
    ...sinks.map(
      ({ sink, entities: has, lastFullSweep }) =>
        `  ${printable(sink)}: ${counted(has, 'entity', 'entities')}, ` +
        (lastFullSweep === undefined
          ? 'part of no full sweep yet'
          : `last full sweep ${lastFullSweep}`),
    ),
    '',
    `${counted(facts.openRuns, 'run')} had not ended when read last`,
  ];
  return `${lines.join('\n')}\n`;
}

/** `  12  lookback  2026-11-25 10:00 UTC, 12.4 s, runs since 2026-11-18 10:00 UTC, workspaces default, team-a` */
function sweepLine(facts: SweepFacts): string {
  const { sweep, kind, startedAt, completedAt, since, workspaces } = facts;
  const end =
    completedAt === undefined
      ? 'not complete'
      : `in ${duration(Date.parse(completedAt) - Date.parse(startedAt))}`;
  const reach = since === undefined ? '' : `, runs since ${moment(since)}`;
  const where = workspaces === undefined ? '' : `, workspaces ${workspaces.join(', ') || 'none'}`;
  return `  ${String(sweep).padStart(4)}  ${kind.padEnd(8)}  ${moment(startedAt)}, ${end}${reach}${where}`;
}
