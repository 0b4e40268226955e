/**
 * `mlflow-datahub run`
 */

import { runPipeline, type RunReport, type RunResult } from '../stream/run-pipeline.js';
import { hintsFor } from './hints.js';
import { ProgressLine } from './progress.js';
import { checkReportPath, writeReport } from './report-file.js';
import type { Session } from './session.js';
import { OVER_LIMIT_ADVICE, URNS_SHOWN } from './state-summary.js';
import { summaryText } from './summary.js';
import { EXIT, widthOf, type StopSignal } from './terminal.js';
import { wire, type Wiring } from './wiring.js';

/** Runs the pipeline and tells about it; gives the exit status. */
export async function runCommand(session: Session): Promise<number> {
  const { options, context } = session;
  if (options.report !== undefined) await checkReportPath(options.report, context.cwd);
  const wiring = await wire(session);
  // No server is waited for, as where MLflow is read: the time is all this process's own.
  if (wiring.definition.source.gives === 'proposal') context.preferSpeed?.();

  const stop = new AbortController();
  const signals: StopSignal[] = [];
  const progress = startProgress(session);
  const forget = context.onSignal((signal) => {
    signals.push(signal);
    if (signals.length > 1) {
      progress?.stop();
      context.exit(EXIT[signal]);
      return;
    }
    progress?.note('stopping; again to end at once');
    session.log.warn({ signal }, 'stopping: what is on its way is delivered, nothing more is read');
    stop.abort(new Error(signal));
  });

  let result: RunResult;
  try {
    result = await runPipeline(wiring.definition, {
      log: session.log,
      env: context.env,
      signal: stop.signal,
      dryRun: options.dryRun ?? false,
      fresh: options.fresh ?? false,
      full: options.full ?? false,
      onProgress: (counts) => progress?.update(counts),
    });
  } finally {
    progress?.stop();
    session.divert(undefined);
    forget();
  }

  const status = statusOf(result, signals[0]);
  const report = session.redact(result.report);
  tell(report, result, status, session, wiring);
  if (options.report !== undefined) {
    const content = { version: context.version, exitStatus: status, ...report };
    await writeReport(options.report, context.cwd, content);
  }
  return status;
}

/** On a terminal, for people, and only where there is one. */
function startProgress(session: Session): ProgressLine | undefined {
  const { context, format, options, palette } = session;
  const { stderr, env } = context;
  if (format !== 'pretty' || stderr.isTTY !== true) return undefined;
  if (env['TERM'] === 'dumb' || options.logLevel === 'silent') return undefined;
  const progress = new ProgressLine(stderr, palette);
  session.divert((lines) => {
    progress.above(lines);
  });
  progress.start();
  return progress;
}

export function statusOf({ report, failure }: RunResult, signal: StopSignal | undefined): number {
  if (failure !== undefined) return EXIT[failure.category];
  if (report.outcome === 'interrupted') return EXIT[signal ?? 'SIGINT'];
  const isDone = report.counts.rejected === 0 && report.state?.stale.overLimit !== true;
  return isDone ? EXIT.delivered : EXIT.someRejected;
}

function tell(
  report: RunReport,
  { failure }: RunResult,
  exitStatus: number,
  session: Session,
  { isExample }: Wiring,
): void {
  const { context, format, log, options, palette } = session;
  // Whoever reads standard output (`| head`) has had enough, and knows.
  if (failure?.code === 'OUTPUT_CLOSED') return;
  if (failure !== undefined) log.debug({ err: failure }, 'why the run failed');
  if (format === 'json') {
    if (failure !== undefined) log.error({ code: failure.code }, failure.message);
    const stale = report.state?.stale;
    if (stale?.overLimit === true) {
      const why = stale.skipped ?? 'more would be removed than the limit allows';
      log.warn({ code: 'STALE_LIMIT' }, `nothing was removed: ${why}. ${OVER_LIMIT_ADVICE}`);
    }
    log.info({ exitStatus, ...asLogged(report) }, 'summary');
    return;
  }
  if (options.logLevel === 'silent') return;
  const hints = hintsFor(report, { program: context.program, isExample });
  session.writeLines(
    summaryText(report, {
      palette,
      width: widthOf(context.stderr),
      hints,
      ...(options.report === undefined ? {} : { reportPath: options.report }),
    }),
  );
}

/** A line of the log holds only the first of a thousand URNs. */
function asLogged(report: RunReport): RunReport {
  const { state } = report;
  if (state === undefined) return report;
  const stale = { ...state.stale, urns: state.stale.urns.slice(0, URNS_SHOWN) };
  return { ...report, state: { ...state, stale } };
}
