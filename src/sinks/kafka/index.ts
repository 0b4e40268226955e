export { kafkaSink } from './kafka-sink.js';
export type { KafkaSinkOptions } from './options.js';
export { isKafkaUri, kafkaSinkFromUri } from './uri.js';
