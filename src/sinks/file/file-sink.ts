/**
 * Proposals in a file.
 */

import { z } from 'zod';
import { parseOptions } from '../../core/options.js';
import { proposalJson } from '../../datahub/proposal-json.js';
import type { OpenSink, RunContext, RunOutcome, Sink } from '../../stream/contracts.js';
import type { SinkMemory } from '../../stream/memory.js';
import { writeFailed } from '../failures.js';
import { onErrorOption } from '../on-error.js';
import { ProposalWriter, type Output } from '../proposal-writer.js';
import { ChangesFile } from './changes-file.js';
import { openDirect } from './direct-output.js';
import { ALLOWED_EXTENSIONS, formatOf, type FileFormat } from './format.js';
import { PartialFile } from './partial-file.js';
import { inspectPlace, inspectTarget, type Target } from './target.js';

export const fileSinkSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      `The file to write, by its extension: ${ALLOWED_EXTENSIONS}. ` +
        'DataHub reads the plain .json; relative to the current folder. With state it is left alone, ' +
        'and each run writes what changed into a file of its own beside it: `out.<run id>.json`',
    ),
  onError: onErrorOption,
});

export type FileSinkOptions = z.input<typeof fileSinkSchema>;

/**
 * Writes proposals to a file: `.json` is one array, which DataHub's file source and
 * `datahub check metadata-file` read; `.ndjson` and `.jsonl` have a proposal a line; `.gz` on any
 * of them is compressed as it is written.
 *
 * The file is written beside the target, as `<target>.<…>.partial`, and renamed when every page
 * was delivered: whatever happens, the target is either the earlier file or the new one, whole. If
 * the run ends early, what was delivered is kept as `<target>.incomplete`, just as well-formed. A
 * symbolic link is followed; a named pipe or a device is written straight to.
 *
 * In a run with state only what changed comes to the sink. It goes into a new file for each run,
 * `out.<run id>.json` for `out.json`, and where nothing changed there is none; the target itself,
 * or where it leads if it is a link, stays as it is. A page is confirmed when it is on the disk. If
 * the run ends early, or is killed, its partial file stays, and the next run goes on with it.
 *
 * Errors: `UNKNOWN_FORMAT` (usage) for another extension; `SINK_UNWRITABLE` where there is no
 * folder or no permission; `SINK_FAILED` for a full disk and the like. With state also, all of them
 * usage: `NOT_RESUMABLE` for a pipe or a device; `PARTIAL_FILE_GONE` where the file to go on with is
 * not there any more, or shorter than it was; `POSITION_UNKNOWN` where the state is of another
 * version.
 *
 * @example
 * definePipeline({ source, operators, sinks: [fileSink({ path: 'mlflow-proposals.json' })] });
 */
export function fileSink(options: FileSinkOptions): Sink {
  const { path, onError } = parseOptions('fileSink', fileSinkSchema, options);
  const format = formatOf(path);
  return {
    label: `file ${path}`,
    path,
    onError,
    open: async (context, memory) => {
      if (memory !== undefined) return openChanges(path, format, context, memory);
      const target = await inspectTarget(path);
      return target.kind === 'file'
        ? openFile(target, format, context)
        : openUnowned(target, format, context);
    },
    check: async () => {
      const target = await inspectTarget(path);
      if (target.kind !== 'file') return `${target.path} is a ${target.kind} and can be written`;
      const state = target.mode === undefined ? 'will be made' : 'will be replaced';
      return `${target.path} ${state}; its folder can be written`;
    },
  };
}

async function openFile(
  target: Target,
  format: FileFormat,
  context: RunContext,
): Promise<OpenSink> {
  const { log } = context;
  const file = await PartialFile.open(target, log);
  const writer = writerOf(file.output, format, context);

  const keep = async (outcome: RunOutcome): Promise<void> => {
    await writer.settled();
    if (writer.written === 0) {
      await file.discard();
      return;
    }
    try {
      await writer.finish();
    } catch (error) {
      await file.discard();
      throw error;
    }
    const kept = await file.keep();
    log.warn(
      { outcome, kept, proposals: writer.written },
      `the run did not complete: what was delivered is in ${kept}, ${target.path} is as it was`,
    );
  };

  const complete = async (): Promise<void> => {
    try {
      writer.throwIfFailed();
      await writer.finish();
    } catch (error) {
      await keep('failed');
      throw error;
    }
    await file.complete();
    log.info({ path: target.path, proposals: writer.written }, 'the file is complete');
  };

  return {
    write: (proposals) => writer.write(proposals),
    close: (outcome) => (outcome === 'complete' ? complete() : keep(outcome)),
  };
}

async function openUnowned(
  target: Target,
  format: FileFormat,
  context: RunContext,
): Promise<OpenSink> {
  const output = await openDirect(target, context.signal);
  const writer = writerOf(output, format, context);
  return {
    write: (proposals) => writer.write(proposals),
    close: async (outcome) => {
      try {
        await writer.finish();
      } catch (error) {
        if (outcome === 'complete') throw writeFailed(target.path, target.folder, error);
      } finally {
        await output.close();
      }
    },
  };
}

async function openChanges(
  path: string,
  format: FileFormat,
  context: RunContext,
  memory: SinkMemory,
): Promise<OpenSink> {
  const { log, runId } = context;
  const place = await inspectPlace(path);
  const file = await ChangesFile.open({ place, extension: format.extension, runId, memory, log });
  const writer = writerOf(file, format, context, file.position?.proposals);

  const leave = async (outcome: RunOutcome): Promise<void> => {
    await writer.settled();
    if (writer.written === 0) {
      await file.discard();
      return;
    }
    await file.leave();
    const { partial } = file;
    log.warn(
      { outcome, partial, proposals: writer.written },
      `the run did not complete: the next one goes on with ${partial}`,
    );
  };

  const complete = async (): Promise<void> => {
    await writer.settled();
    writer.throwIfFailed();
    if (writer.written === 0) {
      await file.discard();
      log.info({ path: place.path }, 'nothing changed: no file is written');
      return;
    }
    await writer.finish();
    const completed = await file.complete();
    log.info({ path: completed, proposals: writer.written }, `what changed is in ${completed}`);
  };

  return {
    write: (proposals) => writer.write(proposals),
    position: () => file.position,
    close: async (outcome) => {
      if (outcome !== 'complete') return leave(outcome);
      try {
        await complete();
      } catch (error) {
        await leave('failed');
        throw error;
      }
    },
  };
}

function writerOf(
  output: Output,
  format: FileFormat,
  context: RunContext,
  written = 0,
): ProposalWriter {
  const { startedAt, runId, signal } = context;
  return new ProposalWriter({
    output,
    written,
    framing: format.framing,
    gzip: format.gzip,
    toJson: proposalJson({ lastObserved: startedAt, runId }),
    signal,
  });
}
