/**
 * `mlflow-datahub graph`
 */

import { operatorLabel } from '../stream/operators.js';
import type { PipelineDefinition } from '../stream/run-pipeline.js';
import type { Session } from './session.js';
import { wire } from './wiring.js';

/** Prints the wired pipeline as a Mermaid diagram; reaches nothing. */
export async function graphCommand(session: Session): Promise<number> {
  const { definition } = await wire(session);
  session.context.stdout.write(session.redact(mermaid(definition)));
  return 0;
}

/** From the components' labels, which hold no credentials. */
export function mermaid(definition: PipelineDefinition): string {
  const { source, operators, sinks, deadLetter, state } = definition;
  const steps = ['source', ...operators.map((_, index) => `operator${index + 1}`)];
  const last = steps.at(-1) ?? 'source';
  return [
    'flowchart LR',
    `  source[(${quoted(source.label)})]`,
    ...operators.map(
      (operator, index) => `  operator${index + 1}[${quoted(operatorLabel(operator, index))}]`,
    ),
    ...sinks.map((sink, index) => `  sink${index + 1}[(${quoted(sink.label)})]`),
    `  rejected[/${quoted(`dead letters ${deadLetter.path}`)}/]`,
    ...(state === undefined ? [] : [`  state[(${quoted(`state ${state.path}`)})]`]),
    ...(steps.length > 1 ? [`  ${steps.join(' --> ')}`] : []),
    ...sinks.map((_, index) => `  ${last} --> sink${index + 1}`),
    `  ${last} -. could not be mapped or delivered .-> rejected`,
    ...(state === undefined
      ? []
      : [
          '  state -. what is known already .-> source',
          ...sinks.map((_, index) => `  sink${index + 1} -. confirmed .-> state`),
        ]),
    '',
  ].join('\n');
}

/** Mermaid has no escapes in its quoted texts but its own numbered ones. */
function quoted(label: string): string {
  const text = label.replace(/[#"<>&`\r\n]/g, (character) => `#${character.charCodeAt(0)};`);
  return `"${text}"`;
}
