/**
 * `sink` of a recipe.
 */

import type { Block } from './block.js';
import { translateKafka } from './kafka.js';
import { Call, given } from './option.js';

const SINKS: Readonly<Record<string, (config: Block) => Call>> = {
  file: translateFile,
  'datahub-rest': translateRest,
  'datahub-kafka': translateKafka,
  console: (config) => new Call('stdoutSink', undefined, config.placeOf()),
};

export function translateSink(sink: Block): Call {
  const type = sink.word('type');
  if (type === undefined || !Object.hasOwn(SINKS, type)) {
    throw sink.refuse(
      type === undefined ? undefined : 'type',
      `must name one of the sinks ${Object.keys(SINKS).join(', ')}`,
    );
  }
  const config = sink.block('config');
  const call = SINKS[type]?.(config);
  config.end();
  sink.end();
  if (call === undefined) throw sink.refuse('type', 'is not understood');
  return call;
}

function translateFile(config: Block): Call {
  const path = config.required('filename');
  if (typeof path === 'string' && /^[a-z][\w+.-]+:\/\//i.test(path)) {
    throw config.refuse('filename', 'must be a file of this machine');
  }
  config.only(
    'legacy_nested_json_string',
    false,
    'is not had here: only the newer form is written',
  );
  return new Call('fileSink', { path }, config.placeOf());
}

function translateRest(config: Block): Call {
  const mode = config.word('mode')?.toUpperCase();
  if (mode !== undefined && !['SYNC', 'ASYNC', 'ASYNC_BATCH'].includes(mode)) {
    throw config.refuse('mode', 'must be SYNC, ASYNC or ASYNC_BATCH');
  }
  const threads = config.number('max_threads');
  const batch = config.number('max_per_batch');
  const timeout = config.number('timeout_sec');
  const call = new Call(
    'dataHubRestSink',
    given({
      url: config.required('server'),
      token: config.filled('token'),
      headers: config.textsByName('extra_headers'),
      // The modes are about the connector's own threads; DataHub is waited for in all of them.
      concurrency: mode === 'SYNC' ? 1 : threads === undefined ? undefined : Math.min(threads, 64),
      maxBatchCount: mode === 'SYNC' || mode === 'ASYNC' ? 1 : batch,
      requestTimeoutMs: timeout === undefined ? undefined : Math.ceil(timeout * 1000),
      caFile: config.filled('ca_certificate_path'),
      insecureTls: config.flag('disable_ssl_verification'),
    }),
    config.placeOf(),
  );
  config.pass('endpoint', 'openapi_ingestion', 'pool_connections', 'pool_maxsize');
  config.pass('max_pending_requests', 'min_process_interval_seconds', 'tcp_keepalive');
  config.pass('client_mode', 'datahub_component', 'server_config_refresh_interval');
  config.lacks({
    auth: 'give an access token as "token", or request headers as "extra_headers"',
    client_certificate_path: 'client certificates are not shown to DataHub',
    client_key_path: 'client certificates are not shown to DataHub',
    retry_max_times:
      'requests are repeated for two minutes; `migrate` the recipe, and set deliveryTimeoutMs',
    retry_status_codes: 'which answers are worth a repetition is fixed',
    respect_mcp_sync_marker: 'proposals have no such marker',
    default_emit_mode: '`migrate` the recipe, and set async',
  });
  return call;
}
