// The yardstick: sends messages whose bytes are ready-made, with kafkajs alone, in batches of 500.
//
//   node bench/kafka/bare.js HOST:PORT TOPIC MESSAGES
//
// MESSAGES is a file of pairs, each a key and a value behind its length (4 bytes, big-endian).

import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';

const [, , broker, topic, file] = process.argv;
const BATCH = 500;

const bytes = readFileSync(file);
const messages = [];
let position = 0;
const next = () => {
  const start = position + 4;
  position = start + bytes.readUInt32BE(position);
  return bytes.subarray(start, position);
};
while (position < bytes.length) messages.push({ key: next(), value: next() });

const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.ERROR });
const producer = kafka.producer({
  idempotent: true,
  allowAutoTopicCreation: false,
  createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
});
await producer.connect();
for (let start = 0; start < messages.length; start += BATCH) {
  await producer.send({ topic, acks: -1, messages: messages.slice(start, start + BATCH) });
}
await producer.disconnect();
