// Processor time from a page of runs, as the server sends it, to lines of proposals; beside
// JSON.parse of the same pages and JSON.stringify of the same proposals. Prints both in seconds.
//
//   node bench/page-to-line.js http://127.0.0.1:5000

import { from, lastValueFrom, toArray } from 'rxjs';
import { request } from 'undici';
import { proposalJson, withoutLineBreaks } from '../dist/datahub/proposal-json.js';
import { buildUrns, dedup, mapToProposals, versionGate } from '../dist/index.js';
import { readItem, RUN } from '../dist/mlflow/parse.js';

const ROUNDS = 6;
const [, , uri = ''] = process.argv;

async function search(path, fields) {
  const texts = [];
  let token;
  do {
    const body = JSON.stringify({ ...fields, page_token: token });
    const headers = { 'content-type': 'application/json' };
    const answer = await request(`${uri}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers,
      body,
    });
    const text = await answer.body.text();
    const { runs, experiments, next_page_token } = JSON.parse(text);
    // MLflow 2 has a last page with nothing in it.
    if ((runs ?? experiments) !== undefined) texts.push(text);
    token = next_page_token;
  } while (token);
  return texts;
}

const [list] = await search('experiments/search', { max_results: 1000 });
const names = new Map(JSON.parse(list).experiments.map((each) => [each.experiment_id, each.name]));
const pages = await search('runs/search', { experiment_ids: [...names.keys()], max_results: 500 });

const server = { uri, versionText: '2.22.5', searchesExperiments: true };
const toLine = proposalJson({ lastObserved: 1, runId: 'bench' });

const operators = [versionGate(), buildUrns(), mapToProposals(), dedup()];

async function textOf(page) {
  const records = JSON.parse(page).runs.map((json) => {
    const run = readItem(RUN, json).item;
    const { experimentId } = run;
    const experiment = { experimentId, name: names.get(experimentId) };
    return { kind: 'run', server, run, experiment, versions: [] };
  });
  const proposals = await lastValueFrom(from(records).pipe(...operators, toArray()));
  let text = '';
  for (const proposal of proposals) text += `${toLine(proposal)}\n`;
  return withoutLineBreaks(text);
}

const lines = (await textOf(pages[0])).trimEnd().split('\n');
const proposals = lines.map((line) => JSON.parse(line));

async function cpuSeconds(work) {
  const before = process.cpuUsage();
  for (const page of pages) await work(page);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const ours = [];
const json = [];
for (let round = 0; round < ROUNDS; round += 1) {
  ours.push(await cpuSeconds(textOf));
  json.push(
    await cpuSeconds((page) => {
      JSON.parse(page);
      return proposals.map((proposal) => JSON.stringify(proposal));
    }),
  );
}
const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
process.stdout.write(
  `${JSON.stringify({ ours: median(ours.slice(1)), json: median(json.slice(1)) })}\n`,
);
