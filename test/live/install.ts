/**
 * Installs the releases into `.live/` at the top of the repository, once.
 *
 * Needs Node and a Python from 3.10 to 3.11 (or uv, which can fetch one), and PyPI.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from './processes.js';
import { mlflow, RELEASES, UV, type Release } from './releases.js';

const ROOT = fileURLToPath(new URL('../../.live/', import.meta.url));
const COMPLETE = '.complete';
const INSTALL_MS = 15 * 60_000;

/** The folder of a release's programs: `python`, `mlflow`, `datahub`. */
export function binOf(release: Release): string {
  return join(folderOf(release), 'bin');
}

/**
 * For every Python that is run: compiled modules are kept, whatever the machine's own setting says.
 * MLflow takes ten seconds to import without them. Apart from the sources, so that none is left in
 * the repository.
 */
export const PYTHON_ENVIRONMENT = {
  PYTHONDONTWRITEBYTECODE: '',
  PYTHONPYCACHEPREFIX: join(ROOT, 'pycache'),
} as const;

/** Installs what is not there yet. Safe to call from several processes at a time. */
export async function installAll(): Promise<void> {
  await withLock(async () => {
    let uv: string | undefined;
    let python: string | undefined;
    for (const release of RELEASES) {
      if (existsSync(join(folderOf(release), COMPLETE))) continue;
      uv ??= await findUv();
      python ??= await findPython();
      await install(release, uv, python);
    }
  });
}

/**
 * Python packages in a folder of their own, for PYTHONPATH beside any release: the folder of a release
 * is left as it is.
 */
export async function installBeside(
  name: string,
  requirements: readonly string[],
): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(requirements)).digest('hex');
  const folder = join(ROOT, `${name}-${digest.slice(0, 8)}`);
  await withLock(async () => {
    if (existsSync(join(folder, COMPLETE))) return;
    await rm(folder, { recursive: true, force: true });
    const python = join(binOf(mlflow('3.17.2')), 'python');
    await run(
      await findUv(),
      ['pip', 'install', '--quiet', '--python', python, '--target', folder].concat(requirements),
      { env: uvEnvironment(), timeoutMs: INSTALL_MS },
    );
    await writeFile(join(folder, COMPLETE), `${requirements.join('\n')}\n`);
  });
  return folder;
}

/** Of its pins, so that a changed pin is another folder and a half-done one is never taken. */
function folderOf(release: Release): string {
  const { name, requirements, python } = release;
  const digest = createHash('sha256')
    .update(JSON.stringify([requirements, python]))
    .digest('hex');
  return join(ROOT, 'venvs', `${name}-${digest.slice(0, 8)}`);
}

async function install(release: Release, uv: string, python: string | undefined): Promise<void> {
  const folder = folderOf(release);
  await removeOlder(release);
  console.log(`installing ${release.name} …`);
  const env = uvEnvironment();
  try {
    await run(uv, ['venv', '--quiet', '--python', python ?? release.python, folder], { env });
    await run(
      uv,
      ['pip', 'install', '--quiet', '--python', join(folder, 'bin', 'python')].concat(
        release.requirements,
      ),
      { env, timeoutMs: INSTALL_MS },
    );
  } catch (error) {
    throw new Error(
      `${release.name} can't be installed; the live tests need Python ${release.python} and PyPI`,
      { cause: error },
    );
  }
  await writeFile(join(folder, COMPLETE), `${release.requirements.join('\n')}\n`);
}

async function removeOlder(release: Release): Promise<void> {
  const parent = join(ROOT, 'venvs');
  await mkdir(parent, { recursive: true });
  const older = new RegExp(`^${release.name.replaceAll('.', '\\.')}-[0-9a-f]{8}$`);
  for (const name of await readdir(parent)) {
    if (older.test(name)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

/** pip's settings and the system's certificates count for uv, too. */
function uvEnvironment(): Record<string, string> {
  const { PIP_INDEX_URL, UV_DEFAULT_INDEX } = process.env;
  return {
    UV_NATIVE_TLS: 'true',
    UV_HTTP_TIMEOUT: '180',
    ...(PIP_INDEX_URL === undefined || UV_DEFAULT_INDEX !== undefined
      ? {}
      : { UV_DEFAULT_INDEX: PIP_INDEX_URL }),
  };
}

/** Our own, made with any Python that can make one; else the one on the PATH. */
async function findUv(): Promise<string> {
  const folder = join(ROOT, `tools-${UV.replaceAll('=', '')}`);
  const own = join(folder, 'bin', 'uv');
  if (existsSync(join(folder, COMPLETE))) return own;
  await mkdir(ROOT, { recursive: true });
  const reasons: string[] = [];
  for (const python of await pythonCandidates()) {
    await rm(folder, { recursive: true, force: true });
    try {
      await run(python, ['-m', 'venv', folder]);
      await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', UV]);
      await writeFile(join(folder, COMPLETE), `${UV}\n`);
      return own;
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  await rm(folder, { recursive: true, force: true });
  if (await works('uv', ['--version'])) return 'uv';
  throw new Error(
    `the live tests need uv: install python3 with its venv module, or uv itself\n${reasons.join('\n')}`,
  );
}

/** An interpreter that every release runs on; undefined where uv has to find or fetch one. */
async function findPython(): Promise<string | undefined> {
  const fits = 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 11))';
  for (const python of await pythonCandidates()) {
    if (await works(python, ['-c', fits])) return python;
  }
  return undefined;
}

async function pythonCandidates(): Promise<readonly string[]> {
  return ['python3.11', 'python3.10', ...(await pyenvPythons()), 'python3', 'python'];
}

/** pyenv's commands on the PATH fail unless the version is selected, so its folder is looked into. */
async function pyenvPythons(): Promise<readonly string[]> {
  try {
    const root = (await run('pyenv', ['root'])).stdout.trim();
    const versions = await readdir(join(root, 'versions'));
    return versions
      .filter((version) => /^3\.1[01]\./.test(version))
      .sort()
      .reverse()
      .map((version) => join(root, 'versions', version, 'bin', 'python'));
  } catch {
    return [];
  }
}

async function works(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}

/** One installer at a time; the lock of a process that is gone is no lock. */
async function withLock(work: () => Promise<void>): Promise<void> {
  await mkdir(ROOT, { recursive: true });
  const lock = join(ROOT, 'install.lock');
  const deadline = Date.now() + INSTALL_MS * 2;
  for (;;) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (Number.isInteger(holder) && holder > 0 && !isAlive(holder)) {
      await rm(lock, { force: true });
    } else if (Date.now() > deadline) {
      throw new Error(`another process holds ${lock}; remove it if there is none`);
    } else {
      await sleep(500);
    }
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
