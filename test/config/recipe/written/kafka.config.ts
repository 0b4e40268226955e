/**
 * Written from recipe.yml by `mlflow-datahub migrate`.
 *
 * Set these variables: the recipe has their values in clear text:
 * - KAFKA_REGISTRY_PASSWORD
 * - KAFKA_SASL_PASSWORD
 *
 * Without a meaning here, and left out:
 * - recipe.yml:10:40: sink.config.connection.schema_registry_config.basic.auth.credentials.source
 * - recipe.yml:18:20: sink.config.connection.producer_config.linger.ms
 */

import {
  buildUrns,
  dedup,
  definePipeline,
  kafkaSink,
  mapToProposals,
  mlflowSource,
  versionGate,
} from 'mlflow-datahub';

/** As in the recipe: a variable that is not set ends the run. */
function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the variable ${name} is not set`);
  return value;
}

export default definePipeline({
  source: mlflowSource({ uri: 'sqlite:///mlflow.db' }),
  operators: [versionGate(), buildUrns(), mapToProposals(), dedup()],
  sinks: [
    kafkaSink({
      brokers: (process.env['BROKERS'] || 'b1:9092,b2:9092').split(','),
      topic: 'Proposals',
      registry: {
        url: 'http://registry:8081',
        username: 'me',
        password: env('KAFKA_REGISTRY_PASSWORD'),
      },
      tls: { caFile: '/etc/ca.pem' },
      sasl: {
        mechanism: 'scram-sha-512',
        username: 'writer',
        password: env('KAFKA_SASL_PASSWORD'),
      },
    }),
  ],
});
