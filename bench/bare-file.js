// The yardstick for moving proposals: the whole file parsed and written again, without looking at it.
//
//   node bench/bare-file.js proposals.json copy.json

import { readFileSync, writeFileSync } from 'node:fs';

const [, , from = '', to = ''] = process.argv;
const proposals = JSON.parse(readFileSync(from, 'utf8'));
writeFileSync(to, `[\n${proposals.map((each) => JSON.stringify(each)).join(',\n')}\n]\n`);
