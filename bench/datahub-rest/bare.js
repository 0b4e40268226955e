// The yardstick: posts bodies that are ready-made, with undici alone, and reads the answers.
//
//   node bench/datahub-rest/bare.js http://127.0.0.1:8080 REQUESTS 4
//
// REQUESTS is a file of bodies, each behind its length (4 bytes, big-endian).

import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

const [, , url, file, connections] = process.argv;
const bytes = readFileSync(file);
const pool = new Pool(url, { connections: Number(connections) });
let position = 0;

async function worker() {
  while (position < bytes.length) {
    const start = position + 4;
    position = start + bytes.readUInt32BE(position);
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/aspects?action=ingestProposalBatch',
      headers: { 'content-type': 'application/json', 'x-restli-protocol-version': '2.0.0' },
      body: bytes.subarray(start, position),
    });
    await body.text();
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  }
}
await Promise.all(Array.from({ length: Number(connections) }, worker));
await pool.close();
