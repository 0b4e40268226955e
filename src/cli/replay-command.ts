/**
 * `mlflow-datahub replay FILE`
 */

import { resolve } from 'node:path';
import { PipelineError } from '../core/errors.js';
import type { Sink } from '../stream/contracts.js';
import { newRunId } from '../stream/run-pipeline.js';
import { replay, type ReplayReport, type ReplayResult } from '../stream/replay.js';
import { count, counted, wrap } from './format.js';
import type { Session } from './session.js';
import { EXIT, printable, widthOf, type StopSignal } from './terminal.js';
import { wire } from './wiring.js';

/** Sends a dead-letter file again, to `--to` or the configuration's sinks; gives the exit status. */
export async function replayCommand(session: Session, file: string): Promise<number> {
  const { context, log } = session;
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

/** What is left of the file would take the place of what was written to it, or the reverse. */
function refuseAsTarget(path: string, sinks: readonly Sink[], cwd: string): void {
  const same = sinks.find((sink) => sink.path !== undefined && resolve(cwd, sink.path) === path);
  if (same === undefined) return;
  throw new PipelineError(`${same.label} is the dead-letter file that is replayed`, {
    code: 'SAME_TARGET',
    category: 'usage',
  });
}

function statusOf({ report, failure }: ReplayResult, signal: StopSignal | undefined): number {
  if (failure !== undefined) return EXIT[failure.category];
  if (report.outcome === 'interrupted') return EXIT[signal ?? 'SIGINT'];
  return report.left > 0 ? EXIT.someRejected : EXIT.delivered;
}

function tell(session: Session, file: string, result: ReplayResult, exitStatus: number): void {
  const { format, log, options, redact } = session;
  const { failure } = result;
  const report = redact(result.report);
  if (failure !== undefined) log.debug({ err: failure }, 'why the replay failed');
  if (format === 'json') {
    if (failure !== undefined) log.error({ code: failure.code }, failure.message);
    log.info({ exitStatus, ...report }, 'summary');
    return;
  }
  if (options.logLevel === 'silent') return;
  session.writeLines(summary(session, file, report, redact(failure?.message)));
}

function summary(
  { palette, context }: Session,
  file: string,
  { tried, done, left, counts }: ReplayReport,
  problem: string | undefined,
): string {
  const { bold, dim, green, red, yellow } = palette;
  const width = widthOf(context.stderr) - 4;
  const remain = `${counted(left, 'line')} left in ${printable(file)}`;
  const headline =
    problem !== undefined
      ? wrap(printable(problem), width).map((line, index) =>
          red(bold(index === 0 ? `✖ ${line}` : line)),
        )
      : left > 0
        ? [
            yellow(
              bold(
                `▲ ${count(done)} of ${counted(tried, 'entry', 'entries')} delivered, ${remain}.`,
              ),
            ),
          ]
        : [
            green(
              bold(
                `✔ ${count(done)} of ${counted(tried, 'entry', 'entries')} delivered, nothing is left.`,
              ),
            ),
          ];
  const lines = [
    ...headline,
    ...(problem === undefined
      ? []
      : [`${count(done)} of ${count(tried)} tried were delivered, ${remain}.`]),
    ...Object.entries(counts.delivered).map(
      ([sink, number]) => `${dim('to')}  ${printable(sink)}: ${counted(number, 'proposal')}`,
    ),
    ...counts.warnings.flatMap(({ code, message, count: times }) =>
      wrap(`${code} (${times}): ${printable(message)}`, width),
    ),
  ];
  return `\n${lines.map((line) => `  ${line}`).join('\n')}\n\n`;
}
