// The yardstick for reading MLflow's folder of files: every file that a sweep needs, as text, as many
// at a time as the pipeline has open, with metrics as numbers. The lines of a meta.yaml are only
// split: what a parser of YAML takes is ours to answer for. With `readFileSync` a warm local disk takes
// less than half the time; but then nothing is on its way while another answer is awaited.
//
//   node bench/stores/bare-files.js mlruns

import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const AT_A_TIME = 16;
const BYTES = 64 * 1024;
const [, , root = ''] = process.argv;
const [open, read, close, readdir] = [fs.open, fs.read, fs.close, fs.readdir].map((each) =>
  promisify(each),
);

/** With a buffer for each that reads, for as long as it does. */
async function textOf(path, buffer) {
  const file = await open(path, 'r');
  const { bytesRead } = await read(file, buffer, 0, BYTES, 0);
  await close(file);
  if (bytesRead === BYTES) throw new Error(`${path} is larger than any that is made for this`);
  return buffer.toString('utf8', 0, bytesRead);
}

async function entriesOf(path) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

async function subfolders(path) {
  return (await entriesOf(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function meta(folder, buffer) {
  const lines = (await textOf(join(folder, 'meta.yaml'), buffer)).trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(': ', 2)));
}

async function files(folder, buffer, valueOf = (text) => text) {
  const found = [];
  for (const { name } of await entriesOf(folder)) {
    found.push({ key: name, value: valueOf(await textOf(join(folder, name), buffer)) });
  }
  return found;
}

/** Each with one file open. */
async function forEach(items, use) {
  const left = items.values();
  const take = async () => {
    const buffer = Buffer.allocUnsafe(BYTES);
    for (const item of left) await use(item, buffer);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, take));
}

const experiments = (await subfolders(root))
  .filter((name) => name !== 'models' && name !== '.trash')
  .map((name) => join(root, name));
await forEach(experiments, async (path, buffer) => {
  await meta(path, buffer);
  await files(join(path, 'tags'), buffer);
});

const models = (await subfolders(join(root, 'models'))).map((name) => join(root, 'models', name));
await forEach(models, async (path, buffer) => {
  await meta(path, buffer);
  await files(join(path, 'tags'), buffer);
  await files(join(path, 'aliases'), buffer);
  for (const name of await subfolders(path)) {
    if (!name.startsWith('version-')) continue;
    await meta(join(path, name), buffer);
    await files(join(path, name, 'tags'), buffer);
  }
});

const numbersOf = (text) => text.trimEnd().split(' ').map(Number);
for (const experiment of experiments) {
  const runs = (await subfolders(experiment)).filter((name) => name !== 'tags');
  await forEach(runs, async (name, buffer) => {
    const path = join(experiment, name);
    await meta(path, buffer);
    await files(join(path, 'params'), buffer);
    await files(join(path, 'metrics'), buffer, numbersOf);
    await files(join(path, 'tags'), buffer);
    await entriesOf(join(path, 'inputs'));
  });
}
