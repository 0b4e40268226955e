/**
 * The JSON text of a proposal, as DataHub's own file sink writes it and its file source reads it.
 */

import { aspectJson } from './aspect-json.js';
import { CONTENT_TYPE, type Proposal, type SystemMetadata } from './proposal.js';

/**
 * Makes the function that turns proposals of one run into JSON, each on one line of its own:
 *
 *     {"entityType":…,"entityUrn":…,"changeType":"UPSERT","aspectName":…,"aspect":{"json":{…}},
 *      "systemMetadata":{"lastObserved":…,"runId":…}}
 *
 * The aspect of a PATCH stands there as `{"contentType":"application/json-patch+json","value":"<JSON
 * as text>"}`: in the other form DataHub's own reader takes it for an aspect and not for a patch.
 * Keys are in the order of DataHub's file sink. Lone surrogates come out as escapes, so the text
 * can be written as UTF-8 without loss. What JSON has no form for (a cycle, a BigInt, an aspect
 * that is no object) throws a `TypeError`, from the function that is returned.
 *
 * @example
 * const toJson = proposalJson({ lastObserved: Date.now(), runId: 'mlflow-1' });
 * const line = toJson(proposal);
 */
export function proposalJson({
  lastObserved,
  runId,
}: SystemMetadata): (proposal: Proposal) => string {
  // The same for every proposal of a run, and so made once.
  const tail = withoutLineBreaks(`,"systemMetadata":${JSON.stringify({ lastObserved, runId })}`);
  return ({ entityType, entityUrn, changeType, aspectName, aspect, headers }) => {
    const json = aspectJson(aspect);
    const content =
      changeType === 'PATCH'
        ? JSON.stringify({ contentType: CONTENT_TYPE.PATCH, value: json })
        : `{"json":${json}}`;
    const head = JSON.stringify({ entityType, entityUrn, changeType, aspectName });
    // Joined last: a text is copied whole when it is searched for line breaks.
    const text = `${withoutLineBreaks(head).slice(0, -1)},"aspect":${withoutLineBreaks(content)}${tail}`;
    if (headers === undefined) return `${text}}`;
    return `${text},"headers":${withoutLineBreaks(JSON.stringify(headers))}}`;
  };
}

const LINE_BREAKS = /[\u0085\u2028\u2029]/;
const ALL_LINE_BREAKS = /[\u0085\u2028\u2029]/g;

/**
 * Escapes the characters that JSON allows as they are and that some readers of lines, such as
 * Python's `splitlines`, take for the end of one. The text's meaning as JSON stays the same.
 */
export function withoutLineBreaks(json: string): string {
  if (!LINE_BREAKS.test(json)) return json;
  return json.replace(
    ALL_LINE_BREAKS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
