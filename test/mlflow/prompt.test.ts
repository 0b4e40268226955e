import { describe, expect, it } from 'vitest';
import { isPrompt, parseLinkedPrompts, runsOfPrompt } from '../../src/mlflow/prompt.js';

describe('isPrompt', () => {
  it('goes by the tag that MLflow sets', () => {
    expect(isPrompt([{ key: 'mlflow.prompt.is_prompt', value: 'true' }])).toBe(true);
    expect(isPrompt([{ key: 'mlflow.prompt.is_prompt', value: 'false' }])).toBe(false);
    expect(isPrompt([{ key: 'mlflow.prompt.text', value: 'true' }])).toBe(false);
  });
});

describe('parseLinkedPrompts', () => {
  it('reads names and versions, in their order', () => {
    const text = '[{"name": "b", "version": "2"}, {"name": "a", "version": 10}]';
    expect(parseLinkedPrompts(text)).toEqual([
      { name: 'b', version: '2' },
      { name: 'a', version: '10' },
    ]);
    expect(parseLinkedPrompts('[]')).toEqual([]);
  });

  it.each([
    'no JSON',
    '{"name": "a", "version": "1"}',
    '[null]',
    '["a"]',
    '[{"name": "", "version": "1"}]',
    '[{"name": "a", "version": "latest"}]',
    '[{"name": "a"}]',
  ])('takes %s for nothing', (text) => {
    expect(parseLinkedPrompts(text)).toBeUndefined();
  });
});

describe('runsOfPrompt', () => {
  const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];

  it('knows the tags of MLflow 2 and 3, and passes over what is no id', () => {
    const tags = [
      { key: 'mlflow.prompt.run_ids', value: `${b}, ${a},${b},,x` },
      { key: 'mlflow.prompt.associatedRunIds', value: a },
    ];
    expect(runsOfPrompt(tags)).toEqual([a, b]);
    expect(runsOfPrompt([])).toEqual([]);
  });
});
