/**
 * From the configuration and the command line to the pipeline that is run.
 */

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig } from '../config/load-config.js';
import { PipelineError } from '../core/errors.js';
import { sinkFromUri, sourceFromUri } from '../config/uri.js';
import { operatorsBehind } from '../stream/operators.js';
import type { PipelineDefinition } from '../stream/run-pipeline.js';
import type { Session } from './session.js';

export interface Wiring {
  readonly definition: PipelineDefinition;
  /** The configuration's name, for messages. */
  readonly configPath: string;
  /** Nobody said what to read: it is the bundled example. */
  readonly isExample: boolean;
}

/**
 * `--from`, `--to` and `--dead-letter` replace what the configuration says; operators stay. But
 * those that take records of MLflow have no place where `--from` is a file of proposals.
 */
export async function wire({ options, context, log }: Session): Promise<Wiring> {
  const config = await loadConfig({
    cwd: context.cwd,
    packageRoot: context.packageRoot,
    modules: context.modules,
    ...(options.config === undefined ? {} : { path: options.config }),
  });
  const { from, to, deadLetter } = options;
  const source = from === undefined ? config.definition.source : await sourceFromUri(from);
  const sinks =
    to === undefined
      ? config.definition.sinks
      : await Promise.all(to.map((uri) => sinkFromUri(uri)));
  log.debug({ config: config.path, source: source.label }, 'the pipeline is wired');
  const definition = {
    ...config.definition,
    source,
    operators: operatorsBehind(source, config.definition.operators),
    sinks,
    ...(deadLetter === undefined ? {} : { deadLetter: { path: deadLetter } }),
  };
  refuseSharedTargets(definition, options.report, context.cwd);
  return {
    definition,
    configPath: config.displayPath,
    isExample:
      config.isDefault && from === undefined && (context.env['MLFLOW_TRACKING_URI'] ?? '') === '',
  };
}

/** Of two that write one file, the one that ends last would be all that is left. */
function refuseSharedTargets(
  { sinks, deadLetter }: PipelineDefinition,
  report: string | undefined,
  cwd: string,
): void {
  const targets = new Map<string, string>();
  const claim = (path: string, what: string): void => {
    const place = path === '-' ? path : realPath(resolve(cwd, path));
    const other = targets.get(place);
    if (other !== undefined) {
      throw new PipelineError(`${other} and ${what} write the same: give each its own target`, {
        code: 'SAME_TARGET',
        category: 'usage',
      });
    }
    targets.set(place, what);
  };
  for (const { path, label } of sinks) if (path !== undefined) claim(path, label);
  claim(deadLetter.path, `the dead-letter file ${deadLetter.path}`);
  if (report !== undefined) claim(report, `the report ${report}`);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // it is not there yet
  }
}
