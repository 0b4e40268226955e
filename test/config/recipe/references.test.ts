import { describe, expect, it } from 'vitest';
import { Reference } from '../../../src/config/recipe/option.js';
import { expand, parseReferences } from '../../../src/config/recipe/references.js';

const ENV = { A: 'one', B: '', C: 'x y' };

/** What `datahub.configuration.config_loader.EnvResolver` of acryl-datahub 1.7.0.17 gave. */
const EXPANDED: readonly (readonly [string, string])[] = [
  ['${A}', 'one'],
  ['${A:-d}', 'one'],
  ['${B:-d}', 'd'],
  ['${B-d}', 'd'],
  ['${N:-d}', 'd'],
  ['${N-d}', 'd'],
  ['${N:-}', ''],
  ['${N:-http://h:1/p}', 'http://h:1/p'],
  ['x${B}y', 'xy'],
  ['a${A}b$A', 'aonebone'],
  ['a\\$b${A}', 'a$bone'],
  ['${A}$', 'one$'],
  ['$A', 'one'],
  ['$A/x', 'one/x'],
  ['$A-$B', 'one-'],
  ['$N', '$N'],
  ['a$A', 'a$A'],
  ['$', '$'],
  ['$5abc', '$5abc'],
  ['pa$$wd', 'pa$$wd'],
];

describe('references of a recipe', () => {
  it.each(EXPANDED)('%s is %j', (text, expanded) => {
    expect(expand(parseReferences(text), ENV)).toBe(expanded);
  });

  it('to a variable that is not set are refused', () => {
    expect(() => expand(parseReferences('x ${N}'), ENV)).toThrow('the variable N is not set');
  });

  it.each(['${A:+b}', '${A:=b}', '${#A}', '${A:0:1}'])('%s is not understood', (text) => {
    expect(() => parseReferences(text)).toThrow('not understood');
  });

  it('keep their parts', () => {
    expect(parseReferences('http://${H:-h}:5000')).toEqual(
      new Reference(['http://', { name: 'H', fallback: 'h', orEmpty: true }, ':5000']),
    );
  });
});
