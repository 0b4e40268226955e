/**
 * The text of a recipe as values that know their places.
 */

import type * as Yaml from 'yaml';
import { PipelineError } from '../../core/errors.js';

type Path = readonly (string | number)[];

/** A recipe's YAML, before anything in it is understood. */
export interface RecipeFile {
  readonly content: unknown;
  /** `recipe.yml:3:5: source.config.env`, for messages. */
  readonly placeOf: (path: Path) => string;
}

/**
 * Parses YAML as Python's does, which is of version 1.1.
 *
 * @param name - of the file, for messages
 * @throws PipelineError `RECIPE_SYNTAX` (usage), with line and column
 */
export async function parseRecipe(text: string, name: string): Promise<RecipeFile> {
  const { parseDocument, LineCounter, isNode, visit } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    lineCounter: lines,
    prettyErrors: false,
    // With `silent`, further documents would be passed over.
    logLevel: 'error',
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    throw syntaxError(`${at(problem.pos[0])}: ${withoutValues(problem)}`, problem);
  }
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      throw syntaxError(`${at(alias.range?.[0] ?? 0)}: no anchor has this name before it`);
    },
  });
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw syntaxError(`${name}: its aliases make too much of it`, error);
  }
  return {
    content,
    placeOf: (path) => {
      const shown = pathText(path);
      // What an alias or a merge brought is not at its path: the nearest block around it is.
      for (let depth = path.length; depth >= 0; depth -= 1) {
        const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
        if (isNode(node) && node.range != null) {
          return `${at(node.range[0])}${shown === '' ? '' : `: ${shown}`}`;
        }
      }
      return `${name}${shown === '' ? '' : `: ${shown}`}`;
    },
  };
}

/** The library's own sentence repeats pieces of the text in some cases, and they may be secrets. */
function withoutValues({ code, message }: Yaml.YAMLError): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands here twice: leave one of them out';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here: leave one of them out';
  return `no YAML: ${message.replace(/: ?"?.*$/s, '').replace(/`[^`]*`|"[^"]*"/g, '…')}`;
}

/** `transformers[0].config.tag_urns` */
export function pathText(path: Path): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`))
    .join('');
}

function syntaxError(message: string, cause?: unknown): PipelineError {
  return new PipelineError(message, { code: 'RECIPE_SYNTAX', category: 'usage', cause });
}
