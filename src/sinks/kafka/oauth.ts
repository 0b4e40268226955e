/**
 * Tokens for SASL OAUTHBEARER, from an issuer of OAuth 2.
 */

import { PipelineError } from '../../core/errors.js';
import type { SaslOptions } from './options.js';

const TIMEOUT_MS = 10_000;

type ClientCredentials = Extract<SaslOptions, { readonly tokenUrl: string }>;

/**
 * Asks for a token with the client's own credentials. Called for each new connection, so that none
 * is ever older than its connection.
 *
 * @throws PipelineError `KAFKA_AUTHENTICATION` where the issuer gives none
 */
export async function oauthToken(
  { tokenUrl, clientId, clientSecret, scope }: ClientCredentials,
  signal: AbortSignal,
): Promise<string> {
  const credentials = [clientId, clientSecret].map(encodeURIComponent).join(':');
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) });
  try {
    const { request } = await import('undici');
    const answer = await request(tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: body.toString(),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new Error(`it answers ${answer.statusCode}: check clientId, clientSecret and scope`);
    }
    const token = tokenIn(await answer.body.json());
    if (token === undefined) throw new Error('its answer has no access_token');
    return token;
  } catch (error) {
    const { origin, pathname } = new URL(tokenUrl);
    // The original stays out: it may hold the request with its headers.
    throw new PipelineError(
      `kafkaSink: no token from ${origin}${pathname}: ${error instanceof Error ? error.message : ''}`,
      { code: 'KAFKA_AUTHENTICATION', category: 'unavailable' },
    );
  }
}

function tokenIn(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('access_token' in answer))
    return undefined;
  return typeof answer.access_token === 'string' ? answer.access_token : undefined;
}
