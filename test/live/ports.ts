/**
 * Ports for servers, of the loopback interface.
 */

import { createServer } from 'node:net';

/** Below the range that systems take ports for outgoing connections from: a port stays ours. */
const FIRST_PORT = 15_000;
/** A range for each file that runs at a time, or two may find the same port free. */
const RANGE = 5_000;
const first = FIRST_PORT + RANGE * (Number(process.env['VITEST_POOL_ID'] ?? 0) % 3);

/** Ports that are free by now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = first + Math.floor(Math.random() * RANGE);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

export async function freePort(): Promise<number> {
  const [port] = (await freePorts(1)) as [number];
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
