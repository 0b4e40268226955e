/**
 * What the parts of the bench found, kept in bench/results.json, and the report, the chart and the
 * table of the README that are made of it.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { chartOf } from './chart.js';
import { CONNECTIONS, CONTENT, WORKERS } from './mlflow.js';
import { tableOf, type Row } from './row.js';

/** What one part found; all that is compared with each other was measured in turn. */
export interface Part {
  readonly rows: readonly Row[];
  /** Sentences. */
  readonly notes?: readonly string[];
  /** A section of its own, as Markdown. */
  readonly section?: string;
}

interface Kept extends Part {
  /** `2026-11-26`. */
  readonly day: string;
  /** `Node v20.20.2, 2 cores`. */
  readonly machine: string;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const KEPT = here('results.json');

/** One part, to be shown at once. */
export function markdownOf({ rows, notes = [], section = '' }: Part): string {
  const table = rows.length === 0 ? '' : tableOf(rows);
  return [table, listed(notes), section].filter((text) => text !== '').join('\n\n');
}

/** Keeps what a part found in place of what it found before, and writes all reports again. */
export async function keep(name: string, part: Part, order: readonly string[]): Promise<void> {
  const all = JSON.parse(await readFile(KEPT, 'utf8')) as Record<string, Kept>;
  const day = new Date().toISOString().slice(0, 10);
  all[name] = { day, machine: `Node ${process.version}, ${cpus().length} cores`, ...part };
  const parts = order.flatMap((each) => (all[each] === undefined ? [] : [[each, all[each]]]));
  await writeFile(KEPT, `${JSON.stringify(Object.fromEntries(parts), undefined, 2)}\n`);
  await report(parts as [string, Kept][]);
}

async function report(parts: readonly (readonly [string, Kept])[]): Promise<void> {
  const rows = parts.flatMap(([, part]) => part.rows);
  const notes = parts.flatMap(([, part]) => part.notes ?? []);
  const days = parts.map(([name, { day, machine }]) => `${name}: ${day}, ${machine}.`);
  const sections = parts.flatMap(([, { section }]) => section ?? []);
  const text = [heading(), tableOf(rows), listed(notes), ...sections, measured(days)];
  await writeFile(here('results.md'), `${text.join('\n\n')}\n`);
  await writeFile(here('results.svg'), chartOf(rows));
  await replaceInReadme(tableOf(rows));
}

function heading(): string {
  return `# Figures of \`npm run bench\`

Whole processes, wall time and peak memory; medians of rounds in turn after one to warm up, the connector and what takes
minutes once. ${CONTENT.experiments} experiments, ${CONTENT.runs} runs, ${CONTENT.models} models, ${CONTENT.versions} versions; ${CONNECTIONS} connections, ${WORKERS} workers; server and client
on one machine. The bare client of Kafka is kafkajs, sending the same bytes ready-made in batches of 500; that of DataHub is
undici, posting the same requests ready-made over four connections; those of databases read the same rows in the same short
reads; that of MLflow's folder reads the same files, and parses no YAML; that of files of proposals parses the whole and
writes it again.

![Seconds for each piece of work](results.svg)`;
}

function measured(days: readonly string[]): string {
  return `## When\n\n${listed(days)}`;
}

function listed(sentences: readonly string[]): string {
  return sentences.map((each) => `- ${each}`).join('\n');
}

async function replaceInReadme(table: string): Promise<void> {
  const [start, end] = ['<!-- bench:start -->', '<!-- bench:end -->'];
  const readme = await readFile(here('../README.md'), 'utf8');
  const [before, rest = ''] = readme.split(start);
  const after = rest.split(end)[1] ?? '';
  await writeFile(here('../README.md'), `${before ?? ''}${start}\n${table}\n${end}${after}`);
}
