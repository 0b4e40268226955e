/**
 * Prompts: texts with versions and aliases, which MLflow keeps in its registry as models with a tag.
 */

import { tagValue } from './tag-value.js';
import type { KeyValue, VersionName } from './types.js';

/** `true` for a prompt and for each of its versions. Searches hide what has it, from 2.21 on. */
export const PROMPT_TAG = 'mlflow.prompt.is_prompt';

/** Of a run of MLflow 3: which versions of prompts it used. */
export const LINKED_PROMPTS_TAG = 'mlflow.linkedPrompts';

/** Of a version, the ids of the runs that used it, with commas: in MLflow 2, and in 3. */
const RUNS_TAGS = ['mlflow.prompt.run_ids', 'mlflow.prompt.associatedRunIds'];

const RUN_ID = /^[0-9a-f]{32}$/;

/** Whether tags of a registered model or of a version are those of a prompt. */
export function isPrompt(tags: readonly KeyValue[]): boolean {
  return tagValue(tags, PROMPT_TAG)?.toLowerCase() === 'true';
}

/** Whether a tag is one that MLflow writes itself: the text of a prompt, its type, and the like. */
export function isInternalPromptTag(key: string): boolean {
  return key.startsWith('mlflow.prompt.') || key.startsWith('_mlflow_');
}

/**
 * The versions of prompts that a run used, by the value of its tag, in its order: a JSON list of
 * `{"name": "ask", "version": "2"}`. Undefined where it is anything else.
 */
export function parseLinkedPrompts(text: string): readonly VersionName[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(json)) return undefined;
  const prompts: VersionName[] = [];
  for (const item of json as readonly unknown[]) {
    const { name, version } = (item ?? {}) as Partial<Record<keyof VersionName, unknown>>;
    const number = typeof version === 'number' ? String(version) : version;
    if (typeof name !== 'string' || name === '') return undefined;
    if (typeof number !== 'string' || !/^\d+$/.test(number)) return undefined;
    prompts.push({ name, version: number });
  }
  return prompts;
}

/** The ids of the runs that used a version of a prompt, as its tags say, sorted, each once. */
export function runsOfPrompt(tags: readonly KeyValue[]): readonly string[] {
  const ids = RUNS_TAGS.flatMap((tag) => tagValue(tags, tag)?.split(',') ?? []);
  if (ids.length === 0) return ids; // every version of a model comes by here
  return [...new Set(ids.map((id) => id.trim()))].filter((id) => RUN_ID.test(id)).sort();
}
