/**
 * What to try after a run.
 */

import type { RunReport } from '../stream/run-pipeline.js';
import type { Hint } from './summary.js';

export interface HintOptions {
  /** How the user calls this command. */
  readonly program: string;
  /** The bundled example was read. */
  readonly isExample: boolean;
}

/**
 * Only after a run of the bundled example that went well: whoever configured something knows. With
 * a state, the file has another name each time.
 */
export function hintsFor(report: RunReport, { program, isExample }: HintOptions): Hint[] {
  if (!isExample || report.outcome !== 'complete' || report.state !== undefined) return [];
  const hints: Hint[] = [];
  const file = report.sinks
    .map((label) => /^file (.+\.json)$/.exec(label)?.[1])
    .find((path) => path !== undefined);
  if (file !== undefined) {
    const quoted = /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
    hints.push(
      { what: 'Look at what came out:', command: `jq -r '.[].entityUrn' ${quoted} | sort -u` },
      {
        what: "Let DataHub's own tool check it:",
        command: `datahub check metadata-file ${quoted}`,
      },
      { what: 'Hand it to your DataHub:', command: `datahub ingest mcps ${quoted}` },
    );
  }
  hints.push(
    {
      what: 'This was the bundled example. Read your own MLflow, server or database:',
      command: `${program} --from http://localhost:5000`,
    },
    {
      what: 'Reach it and say what it is, without writing:',
      command: `${program} check --from sqlite:///mlflow.db`,
    },
  );
  return hints;
}
