/**
 * The parts of a search's answer, checked: a server that says something else with status 200 must
 * not pass for an empty one.
 */

import { wrongAnswer } from './client/failures.js';
import type { JsonObject } from './parse-values.js';

export interface SearchAnswer {
  readonly items: readonly unknown[];
  /** Where the next page begins. Absent at the end: an empty text means the same to MLflow. */
  readonly token?: string;
}

/**
 * @param key - what the list is called: `runs`
 * @param request - for the message
 * @throws PipelineError `SOURCE_WRONG_ANSWER`
 */
export function searchAnswer(answer: JsonObject, key: string, request: string): SearchAnswer {
  const items = answer[key];
  const token = answer['next_page_token'];
  if (token !== undefined && token !== null && typeof token !== 'string') {
    throw wrongAnswer(request, 'next_page_token is no text');
  }
  const next = token === undefined || token === null || token === '' ? {} : { token };
  if (Array.isArray(items)) return { items: items as unknown[], ...next };
  if (items !== undefined) throw wrongAnswer(request, `${key} is no list`);
  // An empty list is left out by MLflow, so that {} is a good answer; {"status": "ok"} is not.
  const others = Object.keys(answer).filter((name) => name !== 'next_page_token');
  if (others.length > 0) {
    throw wrongAnswer(request, `it has ${others.slice(0, 3).join(', ')} and no ${key}`);
  }
  return { items: [], ...next };
}
