// The yardstick: fetches the pages that a sweep over an MLflow server needs, with the same page
// sizes, order and number of connections, and does nothing with them but find the next token.
//
//   node bench/stores/bare-client.js http://127.0.0.1:5000 2

import { URLSearchParams } from 'node:url';
import { Pool } from 'undici';

const [, , uri = '', connections = '2'] = process.argv;
const width = Number(connections);
const pool = new Pool(uri, { connections: width });

async function fetchJson(method, path, body) {
  const response = await pool.request({
    method,
    path: `/api/2.0/mlflow/${path}`,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
  return response.body.json();
}

async function pages(search, each = () => {}) {
  let token;
  do {
    const page = await search(token);
    each(page);
    token = page.next_page_token;
  } while (token !== undefined && token !== '');
}

const query = (fields) => new URLSearchParams(fields).toString();
const withToken = (fields, token) =>
  token === undefined ? fields : { ...fields, page_token: token };

const experimentIds = [];
await pages(
  (token) =>
    fetchJson(
      'POST',
      'experiments/search',
      withToken({ max_results: 1000, order_by: ['experiment_id ASC'] }, token),
    ),
  (page) => experimentIds.push(...page.experiments.map(({ experiment_id }) => experiment_id)),
);
await pages((token) =>
  fetchJson(
    'GET',
    `registered-models/search?${query(withToken({ max_results: 1000, order_by: 'name ASC' }, token))}`,
  ),
);
await pages((token) =>
  fetchJson('GET', `model-versions/search?${query(withToken({ max_results: 1000 }, token))}`),
);

const size = Math.ceil(experimentIds.length / width);
const chains = Array.from({ length: width }, (_, n) =>
  experimentIds.slice(n * size, (n + 1) * size),
).filter((ids) => ids.length > 0);
await Promise.all(
  chains.map((ids) =>
    pages((token) =>
      fetchJson(
        'POST',
        'runs/search',
        withToken(
          {
            experiment_ids: ids,
            max_results: 500,
            order_by: ['attributes.start_time ASC', 'attributes.run_id ASC'],
          },
          token,
        ),
      ),
    ),
  ),
);
await pool.close();
