/**
 * `mlflow-datahub replay FILE`
 */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { PipelineError } from '../core/errors.js';
import type { Sink } from '../stream/contracts.js';
import { newRunId } from '../stream/run-pipeline.js';
import { replay, type ReplayReport, type ReplayResult } from '../stream/replay.js';
import { count, counted, wrap } from './format.js';
import type { Session } from './session.js';
import { EXIT, printable, widthOf, type StopSignal } from './terminal.js';
import { wire } from './wiring.js';

/**
 * Sends a dead-letter file again, to `--to` or the configuration's sinks; gives the exit status. What
 * is left for other sinks is no failure of this replay.
 */
export async function replayCommand(session: Session, file: string): Promise<number> {
  const { context, log, options } = session;
  const { definition } = await wire(session, { stateless: true });
  const path = resolve(context.cwd, file);
  refuseAsTarget(path, definition.sinks, context.cwd);
  const stop = new AbortController();
  const signals: StopSignal[] = [];
  const forget = context.onSignal((signal) => {
    signals.push(signal);
    if (signals.length > 1) {
      context.exit(EXIT[signal]);
      return;
    }
    log.warn({ signal }, 'stopping: what was not tried stays in the file');
    stop.abort(new Error(signal));
  });
  let result: ReplayResult;
  try {
    result = await replay({
      path,
      operators: definition.operators,
      sinks: definition.sinks,
      anySink: options.anySink ?? false,
      runId: newRunId(Date.now()),
      log,
      env: context.env,
      signal: stop.signal,
    });
  } finally {
    forget();
  }
  const status = statusOf(result, signals[0]);
  tell(session, file, result, status);
  return status;
}

/**
 * Of a file that is there only what is replayed would be left: either that of the last run, or, where
 * it is the dead-letter file, what nobody has got yet.
 */
function refuseAsTarget(path: string, sinks: readonly Sink[], cwd: string): void {
  for (const sink of sinks) {
    if (sink.path === undefined) continue;
    const target = resolve(cwd, sink.path);
    if (target === path) {
      throw new PipelineError(`${sink.label} is the dead-letter file that is replayed`, {
        code: 'SAME_TARGET',
        category: 'usage',
      });
    }
    if (statSync(target, { throwIfNoEntry: false })?.isFile() !== true) continue;
    throw new PipelineError(
      `${sink.label} is there, and would be replaced by what is replayed alone: name a new file, as ` +
        'in --to replayed.json',
      { code: 'TARGET_EXISTS', category: 'usage' },
    );
  }
}

function statusOf({ report, failure }: ReplayResult, signal: StopSignal | undefined): number {
  if (failure !== undefined) return EXIT[failure.category];
  if (report.outcome === 'interrupted') return EXIT[signal ?? 'SIGINT'];
  return report.left > forOthers(report) ? EXIT.someRejected : EXIT.delivered;
}

function forOthers({ otherSinks }: ReplayReport): number {
  return otherSinks.reduce((total, each) => total + each.count, 0);
}

/** What was left for other sinks, for which, and how it is sent; nothing where nothing was. */
function othersText(report: ReplayReport): string | undefined {
  const total = forOthers(report);
  if (total === 0) return undefined;
  const labels = report.otherSinks.map((each) => `${each.sink} (${count(each.count)})`).join(', ');
  return (
    `${counted(total, 'proposal')} left for sinks that are not part of this replay: ${labels}. ` +
    'Replay the file to those, or add --any-sink to send these to the sinks given, for example ' +
    'where a sink has a new address'
  );
}

/** What operators left out, and what can be done about it; nothing where nothing was. */
function leftOutText({ leftOut }: ReplayReport): string | undefined {
  if (leftOut === 0) return undefined;
  return (
    `${counted(leftOut, 'record')} left out by the operators, such as filter, and still in the file: ` +
    'change their options, or delete the lines'
  );
}

function tell(session: Session, file: string, result: ReplayResult, exitStatus: number): void {
  const { format, log, options, redact } = session;
  const { failure } = result;
  const report = redact(result.report);
  if (failure !== undefined) log.debug({ err: failure }, 'why the replay failed');
  if (format === 'json') {
    if (failure !== undefined) log.error({ code: failure.code }, failure.message);
    const others = othersText(report);
    if (others !== undefined) log.warn({ code: 'OTHER_SINKS' }, others);
    const leftOut = leftOutText(report);
    if (leftOut !== undefined) log.warn({ code: 'LEFT_OUT' }, leftOut);
    log.info({ exitStatus, ...report }, 'summary');
    return;
  }
  if (options.logLevel === 'silent') return;
  session.writeLines(summary(session, file, report, redact(failure?.message)));
}

function summary(
  { palette, context }: Session,
  file: string,
  report: ReplayReport,
  problem: string | undefined,
): string {
  const { tried, done, left, counts } = report;
  const { bold, dim, green, red, yellow } = palette;
  const width = widthOf(context.stderr) - 4;
  const remain = `${counted(left, 'line')} left in ${printable(file)}`;
  const others = othersText(report);
  const leftOut = leftOutText(report);
  const delivered = `${count(done)} of ${counted(tried, 'entry', 'entries')} delivered`;
  const headline =
    problem !== undefined
      ? wrap(printable(problem), width).map((line, index) =>
          red(bold(index === 0 ? `✖ ${line}` : line)),
        )
      : left > forOthers(report)
        ? [yellow(bold(`▲ ${delivered}, ${remain}.`))]
        : left === 0
          ? [green(bold(`✔ ${delivered}, nothing is left.`))]
          : tried === 0
            ? [yellow(bold(`▲ nothing was sent: ${remain}, all for other sinks.`))]
            : [green(bold(`✔ ${delivered}, ${remain}, all for other sinks.`))];
  const lines = [
    ...headline,
    ...(problem === undefined
      ? []
      : [`${count(done)} of ${count(tried)} tried were delivered, ${remain}.`]),
    ...Object.entries(counts.delivered).map(
      ([sink, number]) => `${dim('to')}  ${printable(sink)}: ${counted(number, 'proposal')}`,
    ),
    ...(leftOut === undefined ? [] : wrap(printable(`${leftOut}.`), width)),
    ...(others === undefined ? [] : wrap(printable(`${others}.`), width)),
    ...counts.warnings.flatMap(({ code, message, count: times }) =>
      wrap(`${code} (${times}): ${printable(message)}`, width),
    ),
  ];
  return `\n${lines.map((line) => `  ${line}`).join('\n')}\n\n`;
}
