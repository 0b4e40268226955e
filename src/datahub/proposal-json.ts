/**
 * The JSON text of a proposal, as DataHub's own file sink writes it and its file source reads it.
 */

import { aspectJson } from './aspect-json.js';
import { CONTENT_TYPE, type Proposal, type SystemMetadata } from './proposal.js';

/**
 * Makes the function that turns proposals of one run into JSON:
 *
 *     {"entityType":…,"entityUrn":…,"changeType":"UPSERT","aspectName":…,"aspect":{"json":{…}},
 *      "systemMetadata":{"lastObserved":…,"runId":…}}
 *
 * The aspect of a PATCH stands there as `{"contentType":"application/json-patch+json","value":"<JSON
 * as text>"}`: in the other form DataHub's own reader takes it for an aspect and not for a patch.
 * Keys are in the order of DataHub's file sink. Lone surrogates come out as escapes, so the text
 * can be written as UTF-8 without loss. What JSON has no form for (a cycle, a BigInt, an aspect that
 * is no object) throws a `TypeError`, from the function that is returned.
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
  const tail = `,"systemMetadata":${JSON.stringify({ lastObserved, runId })}`;
  return ({ entityType, entityUrn, changeType, aspectName, aspect, headers }) => {
    const json = aspectJson(aspect);
    const content =
      changeType === 'PATCH'
        ? JSON.stringify({ contentType: CONTENT_TYPE.PATCH, value: json })
        : `{"json":${json}}`;
    const text =
      `{"entityType":${quoted(entityType)},"entityUrn":${JSON.stringify(entityUrn)},` +
      `"changeType":${quoted(changeType)},"aspectName":${quoted(aspectName)},"aspect":${content}${tail}`;
    if (headers === undefined) return `${text}}`;
    return `${text},"headers":${JSON.stringify(headers)}}`;
  };
}

/** Names that come up in every proposal. There are few; an operator of the user's may make many. */
const names = new Map<string, string>();
const MAX_NAMES = 1_000;

function quoted(name: string): string {
  let text = names.get(name);
  if (text === undefined) {
    // An operator that is not compiled may have left it out.
    text = typeof (name as unknown) === 'string' ? JSON.stringify(name) : 'null';
    if (names.size < MAX_NAMES) names.set(name, text);
  }
  return text;
}

const LINE_BREAKS = /[\u0085\u2028\u2029]/;
const ALL_LINE_BREAKS = /[\u0085\u2028\u2029]/g;

/**
 * JSON whose texts hold nothing that some readers of lines, such as Python's `splitlines`, take for the
 * end of one: JSON allows these characters as they are, and means the same where they are escaped.
 * To be called for many proposals at once, since a text is copied whole when it is searched.
 */
export function withoutLineBreaks(json: string): string {
  if (!LINE_BREAKS.test(json)) return json;
  return json.replace(
    ALL_LINE_BREAKS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
