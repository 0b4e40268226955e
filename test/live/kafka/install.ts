/**
 * Puts Kafka and Apicurio Registry into `.live/`, from Maven Central.
 */

import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findJava } from './java.js';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
/** The folder of everything that live tests install; git ignores it. */
export const liveFolder = join(here, '..', '..', '..', '.live');

const REGISTRY = 'io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all';

export interface KafkaPrograms {
  readonly java: string;
  /** Kafka's class path. */
  readonly kafka: string;
  /** The registry's `quarkus-run.jar`. */
  readonly registry: string;
}

/** Installs what is missing; what is there is used as it is. */
export async function installKafka(): Promise<KafkaPrograms> {
  const java = await findJava(join(liveFolder, 'java'));
  const kafka = await once(join(liveFolder, 'kafka-4.1.0'), (folder) =>
    maven(
      ['-f', join(here, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`],
      'Kafka',
    ),
  );
  const registry = await once(join(liveFolder, 'apicurio-3.3.3'), async (folder) => {
    await maven(
      ['dependency:copy', `-Dartifact=${REGISTRY}`, `-DoutputDirectory=${folder}`],
      'Apicurio Registry',
    );
    const [archive] = readdirSync(folder);
    if (archive === undefined) throw new Error('Maven copied no archive of the registry');
    await run('tar', ['-xzf', join(folder, archive), '-C', folder]);
    await unlink(join(folder, archive));
  });
  const jar = join(registry, 'quarkus-run.jar');
  if (!existsSync(jar)) throw new Error(`${jar} is missing: delete ${registry} and run again`);
  return { java, kafka: join(kafka, '*'), registry: jar };
}

/** Makes a folder whole or not at all, so that a broken-off installation is not taken for one. */
async function once(folder: string, install: (folder: string) => Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  try {
    await install(fresh);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

async function maven(goal: readonly string[], what: string): Promise<void> {
  try {
    await run('mvn', ['-q', '-B', ...goal], { maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    throw new Error(
      `${what} could not be copied from Maven Central: is Maven installed, and the registry ` +
        `reachable? ${String(error)}`,
    );
  }
}
