/**
 * Writing straight to what can't be renamed onto: a device or a named pipe.
 */

import { constants, open as openDescriptor } from 'node:fs';
import { open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errnoOf, unwritable, writeFailed } from '../failures.js';
import { brokenOff, type Output } from '../proposal-writer.js';
import { StreamOutput } from '../stream-output.js';
import { writeAll } from './growing-file.js';
import type { Target } from './target.js';

export interface DirectOutput extends Output {
  close(): Promise<void>;
}

/** @throws PipelineError `SINK_UNWRITABLE` */
export async function openDirect(target: Target, signal: AbortSignal): Promise<DirectOutput> {
  try {
    return await (target.kind === 'pipe' ? openPipe(target, signal) : openDevice(target));
  } catch (error) {
    throw signal.aborted ? brokenOff(signal) : unwritable(target.path, target.folder, error);
  }
}

async function openDevice({ path, folder }: Target): Promise<DirectOutput> {
  const handle = await open(path, constants.O_WRONLY);
  return {
    write: async (bytes) => {
      try {
        await writeAll(handle, bytes);
      } catch (error) {
        throw writeFailed(path, folder, error);
      }
    },
    close: () => handle.close(),
  };
}

const PIPE_POLL_MS = 50;

/** Waits for a reader, as every writer of a pipe does, but so that the wait can be broken off. */
async function openPipe({ path }: Target, signal: AbortSignal): Promise<DirectOutput> {
  const descriptor = await openWhenRead(path, signal);
  const socket = new Socket({ fd: descriptor, readable: false, writable: true });
  const output = new StreamOutput(socket, path, signal);
  return {
    write: (bytes) => output.write(bytes),
    close: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}

async function openWhenRead(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    try {
      // Without O_NONBLOCK, opening would hold a thread until a reader comes, out of reach.
      return await promisify(openDescriptor)(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (errnoOf(error) !== 'ENXIO') throw error;
    }
    await sleep(PIPE_POLL_MS, undefined, { signal });
  }
}
