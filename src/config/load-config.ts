/**
 * Finds and loads the file that describes a pipeline.
 */

import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { didYouMean } from '../core/did-you-mean.js';
import { messageOf, PipelineError } from '../core/errors.js';
import type { PipelineDefinition } from '../stream/run-pipeline.js';
import { checkPipeline } from './define-pipeline.js';
import { importPrepared } from './prepared-config.js';
import type { Env } from './recipe/references.js';

/** Looked for in the current folder, in this order. */
export const CONFIG_NAMES = ['pipeline.config.ts', 'pipeline.config.js', 'pipeline.config.mjs'];

export interface LoadConfigOptions {
  /** The file to load instead of looking for one. */
  readonly path?: string;
  readonly cwd: string;
  /** Where the package's own configuration is. */
  readonly packageRoot: string;
  /**
   * What a configuration can import wherever it lies, by name: this package itself, and RxJS. It
   * needs nothing installed beside it, and gets the very modules that the command runs with. Called
   * only where the configuration is not the package's own, which Node itself can load.
   */
  readonly modules: () => Promise<Readonly<Record<string, object>>>;
  /** Where a recipe's references are looked up. */
  readonly env?: Env;
}

export interface LoadedConfig {
  readonly definition: PipelineDefinition;
  /** Absolute. */
  readonly path: string;
  /** For messages: relative to the current folder where it lies in it. */
  readonly displayPath: string;
  /** It is the package's own: nobody configured anything. */
  readonly isDefault: boolean;
}

/**
 * Loads the configuration, TypeScript or JavaScript, or a recipe of DataHub's own connector.
 *
 * @throws PipelineError (usage) `CONFIG_NOT_FOUND`, `CONFIG_SYNTAX`, `CONFIG_FAILED`,
 *   `NOT_A_PIPELINE`, `RECIPE_SYNTAX`, `BAD_RECIPE`, or `INVALID_OPTIONS` from a component; each names the file, and the line
 *   where it is known
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const { path, isDefault } = findConfig(options);
  const displayPath = display(path, options.cwd);
  const exports =
    (isDefault ? await importPrepared(path) : undefined) ??
    (isRecipe(path)
      ? await recipeAt(path, displayPath, options)
      : await evaluate(path, displayPath, await options.modules()));
  return {
    definition: await definitionOf(exports, displayPath),
    path,
    displayPath,
    isDefault,
  };
}

function findConfig({ path, cwd, packageRoot }: LoadConfigOptions): {
  path: string;
  isDefault: boolean;
} {
  if (path !== undefined) {
    const chosen = resolve(cwd, path);
    if (isFile(chosen)) return { path: chosen, isDefault: false };
    const why = existsSync(chosen) ? 'is not a file' : 'does not exist';
    throw usage('CONFIG_NOT_FOUND', `the configuration ${display(chosen, cwd)} ${why}`);
  }
  for (const name of CONFIG_NAMES) {
    const candidate = join(cwd, name);
    if (isFile(candidate)) return { path: candidate, isDefault: cwd === packageRoot };
  }
  const own = join(packageRoot, 'pipeline.config.ts');
  if (isFile(own)) return { path: own, isDefault: true };
  throw usage('CONFIG_NOT_FOUND', `there is no ${CONFIG_NAMES.join(', ')} in ${cwd}`);
}

/** Loaded late: most have none. */
async function recipeAt(
  path: string,
  displayPath: string,
  { modules, env = {} }: LoadConfigOptions,
): Promise<unknown> {
  const { pipelineOfRecipe } = await import('./recipe/index.js');
  const { 'mlflow-datahub': factories = {} } = await modules();
  return { default: await pipelineOfRecipe(path, displayPath, { env, factories }) };
}

function isRecipe(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

async function evaluate(
  path: string,
  displayPath: string,
  modules: Readonly<Record<string, object>>,
): Promise<unknown> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(path, {
    // No cache on disk: its place may be a folder that others can write to, and it saves little.
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: Object.fromEntries(
      Object.entries(modules).map(([name, module]) => [name, helpful(name, module)]),
    ),
  });
  try {
    return await jiti.import(path);
  } catch (error) {
    throw explain(error, path, displayPath, modules);
  }
}

/**
 * A module that says so when a name is imported that it does not have. The configuration is
 * transpiled without a look at types, and `undefined is not a function` helps nobody.
 */
function helpful(name: string, module: object): object {
  // A copy: a namespace's own properties can't be overridden by a proxy.
  const exports: Record<string, unknown> = { ...module };
  return new Proxy(exports, {
    get(target, key) {
      if (typeof key === 'symbol') return undefined;
      if (Object.hasOwn(target, key)) return target[key];
      // Asked for by whoever imports a module, in this form or that.
      if (['then', 'default', '__esModule', 'toJSON'].includes(key)) return undefined;
      const meant = didYouMean(key, Object.keys(target));
      const hint = meant === undefined ? '' : `, did you mean "${meant}"?`;
      throw usage('CONFIG_FAILED', `"${name}" exports no "${key}"${hint}`);
    },
  });
}

const MISSING = Symbol('missing');

async function definitionOf(exports: unknown, displayPath: string): Promise<PipelineDefinition> {
  const exported = defaultExportOf(exports);
  if (exported === MISSING) {
    throw usage(
      'NOT_A_PIPELINE',
      `${displayPath} has no default export: it must say \`export default definePipeline({ ... })\``,
    );
  }
  let value: unknown;
  try {
    value = await exported;
  } catch (error) {
    throw named(displayPath, error);
  }
  if (typeof value !== 'object' || value === null || !('source' in value || 'sinks' in value)) {
    throw usage(
      'NOT_A_PIPELINE',
      `what ${displayPath} exports is no pipeline: it must say ` +
        '`export default definePipeline({ source, operators, sinks })`',
    );
  }
  try {
    return checkPipeline(value);
  } catch (error) {
    throw named(displayPath, error);
  }
}

function defaultExportOf(exports: unknown): unknown {
  return typeof exports === 'object' && exports !== null && 'default' in exports
    ? exports.default
    : MISSING;
}

/** Puts the place in front of whatever happened while the file was loaded. */
function explain(
  error: unknown,
  path: string,
  displayPath: string,
  modules: Readonly<Record<string, object>>,
): PipelineError {
  const message = messageOf(error);
  const syntax = /^ParseError: (?<what>[^\n]*)\n (?<file>.*?):(?<line>\d+):(?<column>\d+)/s.exec(
    message,
  )?.groups;
  if (syntax !== undefined) {
    const { what = '', file = '', line = '', column = '' } = syntax;
    const where = `${file === path ? displayPath : file}:${line}:${column}`;
    return usage('CONFIG_SYNTAX', `${where}: syntax error: ${what.trim()}`, error);
  }
  const place = placeOf(error, path, displayPath);
  const unknown = /^([\w$]+) is not defined$/.exec(message)?.[1];
  return unknown === undefined
    ? named(place, error)
    : usage('CONFIG_FAILED', `${place}: ${message}${whereFrom(unknown, modules)}`, error);
}

/** For a name that was not imported, or mistyped where it is used. */
function whereFrom(name: string, modules: Readonly<Record<string, object>>): string {
  const home = Object.entries(modules).find(([, module]) => Object.hasOwn(module, name))?.[0];
  if (home !== undefined) return `: import it from "${home}"`;
  const meant = didYouMean(name, Object.values(modules).flatMap(Object.keys));
  return meant === undefined ? '' : `, did you mean "${meant}"?`;
}

function named(place: string, error: unknown): PipelineError {
  // What follows in Node's own message is a list of who required whom.
  const [message = ''] = messageOf(error).split('\nRequire stack:');
  const text = `${place}: ${message}`;
  if (error instanceof PipelineError) {
    return new PipelineError(text, { code: error.code, category: error.category, cause: error });
  }
  return usage('CONFIG_FAILED', text, error);
}

/** The line of the configuration that the error came from, if its stack tells. */
function placeOf(error: unknown, path: string, displayPath: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const frame of stack.split('\n')) {
    const at = frame.indexOf(`${path}:`);
    if (at < 0) continue;
    const line = /^\d+/.exec(frame.slice(at + path.length + 1))?.[0];
    if (line !== undefined) return `${displayPath}:${line}`;
  }
  return displayPath;
}

function display(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function usage(code: string, message: string, cause?: unknown): PipelineError {
  return new PipelineError(message, { code, category: 'usage', cause });
}
