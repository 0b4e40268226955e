/**
 * `mlflow-datahub check`
 */

import { messageOf, PipelineError } from '../core/errors.js';
import type { RunContext } from '../stream/contracts.js';
import { narrowedPlan } from '../stream/operators.js';
import { Recorder } from '../stream/recorder.js';
import type { PipelineDefinition } from '../stream/run-pipeline.js';
import { checkState, type ReachedSource } from './check-state.js';
import { count, kindLabel, wrap } from './format.js';
import type { Session } from './session.js';
import { EXIT, paletteFor, printable, widthOf, type Palette } from './terminal.js';
import { wire } from './wiring.js';

interface Finding {
  readonly what: string;
  readonly label: string;
  readonly lines: readonly string[];
  readonly problem?: PipelineError | Error;
}

/** Reaches the source, every sink and the state, changes nothing, and says on standard output what it found. */
export async function checkCommand(session: Session): Promise<number> {
  const { context, redact } = session;
  const { definition, configPath } = await wire(session);
  const abort = new AbortController();
  const forget = context.onSignal((signal) => {
    abort.abort(new Error(signal));
    context.exit(EXIT[signal]);
  });
  const runContext: RunContext = {
    runId: 'check',
    startedAt: Date.now(),
    signal: abort.signal,
    log: session.log,
    recorder: new Recorder(),
    env: context.env,
    reject: () => undefined,
  };
  try {
    // All at once, and all of them: the second thing that is wrong is as good to know as the first.
    let reached: ReachedSource | undefined;
    const findings = await Promise.all([
      checkSource(definition, runContext, (each) => {
        reached = each;
      }),
      ...definition.sinks.map((sink) =>
        finding('sink', sink.label, async () => [await sink.check(runContext)]),
      ),
    ]);
    const { state } = definition;
    if (state !== undefined) {
      const { fresh = false, full = false } = session.options;
      findings.push(
        await finding('state', state.path, () =>
          checkState(definition, state.path, reached, { fresh, full }),
        ),
      );
    }
    const palette = paletteFor(context.stdout, context.env);
    const width = widthOf(context.stdout);
    const text = redact(findings.map((each) => render(each, palette, width)).join('\n'));
    context.stdout.write(`${palette.dim(`configuration  ${configPath}`)}\n\n${text}`);
    return statusOf(findings);
  } finally {
    forget();
  }
}

function checkSource(
  { source, operators }: PipelineDefinition,
  context: RunContext,
  onReached: (reached: ReachedSource) => void,
): Promise<Finding> {
  return finding('source', source.label, async () => {
    const open = await source.open(context);
    try {
      for (const operator of operators) operator.open?.(context);
      const all = narrowedPlan([], open.server);
      const plan = narrowedPlan(operators, open.server);
      onReached({ source: open, plan });
      const counts = Object.entries(await open.count(plan));
      const dropped = [...all.kinds].filter((kind) => !plan.kinds.has(kind));
      return [
        source.gives === 'proposal' ? open.server.versionText : `MLflow ${open.server.versionText}`,
        ...(open.workspaces === undefined ? [] : [`workspaces: ${open.workspaces.join(', ')}`]),
        counts.length === 0
          ? 'it does not say how much there is'
          : counts.map(([kind, value]) => `${count(value)} ${kindLabel(kind, value)}`).join(', '),
        dropped.length === 0
          ? `everything is read${plan.filters === undefined ? '' : ', but for what filters leave out'}`
          : `left out by the operators: ${dropped.map((kind) => kindLabel(kind)).join(', ')}`,
        ...context.recorder.counts().warnings.map(({ message }) => `warning: ${message}`),
      ];
    } finally {
      await open.close();
    }
  });
}

async function finding(
  what: string,
  label: string,
  look: () => Promise<readonly string[]>,
): Promise<Finding> {
  try {
    return { what, label, lines: await look() };
  } catch (error) {
    const problem = error instanceof Error ? error : new Error(messageOf(error));
    return { what, label, lines: [problem.message], problem };
  }
}

function render({ what, label, lines, problem }: Finding, palette: Palette, width: number): string {
  const { bold, green, red } = palette;
  const mark = problem === undefined ? green('✔') : red('✖');
  const body = lines
    .flatMap((line) => wrap(printable(line), width - 4))
    .map((line) => `    ${line}`);
  return `${mark} ${what}  ${bold(printable(label))}\n${body.join('\n')}\n`;
}

function statusOf(findings: readonly Finding[]): number {
  const problems = findings.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  if (problems.length === 0) return EXIT.delivered;
  const allUsage = problems.every(
    (each) => each instanceof PipelineError && each.category === 'usage',
  );
  return allUsage ? EXIT.usage : EXIT.unavailable;
}
