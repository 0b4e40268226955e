/**
 * The command line: commands, options, help.
 */

import { Command, Option } from 'commander';
import { didYouMean } from '../core/did-you-mean.js';
import { PipelineError } from '../core/errors.js';
import { LOG_FORMATS, LOG_LEVELS } from './log-options.js';
import type { CliOptions } from './session.js';
import { columnsOf, type CommandContext } from './terminal.js';

export type CommandName =
  'run' | 'check' | 'graph' | 'replay' | 'migrate' | 'state show' | 'state reset';

export interface Invocation {
  readonly command: CommandName;
  readonly options: CliOptions;
  /** Of `replay`: the dead-letter file. Of `migrate`: the recipe. */
  readonly file?: string;
  /** Of `migrate`: the file to write. */
  readonly output?: string;
}

/** Neither reads nor writes what a pipeline does. */
const STATE_MEANINGLESS = [
  ['dryRun', '--dry-run'],
  ['report', '--report'],
  ['from', '--from'],
  ['workspace', '--workspace'],
  ['to', '--to'],
  ['deadLetter', '--dead-letter'],
  ['fresh', '--fresh'],
  ['full', '--full'],
  ['anySink', '--any-sink'],
] as const;

/** Options that a command has no use for. */
export const MEANINGLESS: Readonly<
  Record<CommandName, readonly (readonly [keyof CliOptions, string])[]>
> = {
  run: [['anySink', '--any-sink']],
  check: [
    ['dryRun', '--dry-run'],
    ['report', '--report'],
    ['anySink', '--any-sink'],
  ],
  graph: [
    ['dryRun', '--dry-run'],
    ['report', '--report'],
    ['fresh', '--fresh'],
    ['full', '--full'],
    ['anySink', '--any-sink'],
  ],
  replay: [
    ['dryRun', '--dry-run'],
    ['report', '--report'],
    ['from', '--from'],
    ['workspace', '--workspace'],
    ['deadLetter', '--dead-letter'],
    ['state', '--state'],
    ['fresh', '--fresh'],
    ['full', '--full'],
  ],
  migrate: [['config', '--config'], ...STATE_MEANINGLESS, ['state', '--state']],
  'state show': STATE_MEANINGLESS,
  'state reset': STATE_MEANINGLESS,
};

/**
 * Parses the arguments.
 *
 * @param onCommand - called with what is to be done; not called for `--help` and `--version`
 * @throws CommanderError for wrong usage, help and version; PipelineError for an unknown command
 */
export function buildProgram(
  context: CommandContext,
  onCommand: (invocation: Invocation) => void,
): Command {
  const program = new Command('mlflow-datahub');
  const act = (command: CommandName) => (_: unknown, self: Command) => {
    refuseExtraArguments(self);
    const options = program.opts<CliOptions>();
    refuseMeaningless(options, command);
    onCommand({ command, options });
  };
  const actReplay = (file: string, _: unknown, self: Command) => {
    refuseExtraArguments(self, 1);
    const options = program.opts<CliOptions>();
    refuseMeaningless(options, 'replay');
    onCommand({ command: 'replay', options, file });
  };

  const actMigrate = (file: string, output: string | undefined, _: unknown, self: Command) => {
    refuseExtraArguments(self, 2);
    const options = program.opts<CliOptions>();
    refuseMeaningless(options, 'migrate');
    onCommand({ command: 'migrate', options, file, ...(output === undefined ? {} : { output }) });
  };

  program
    .description('Streams the metadata of MLflow into DataHub.')
    .version(context.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHelpWidth: () => columnsOf(context.stdout),
      getErrHelpWidth: () => columnsOf(context.stderr),
    })
    .addOption(
      new Option(
        '-c, --config <file>',
        "the pipeline to run, or a recipe (.yml, .yaml) of DataHub's own connector (default: pipeline.config.ts here, else the package's own)",
      ),
    )
    .addOption(
      new Option(
        '--from <uri>',
        "read from here instead of the configuration's source: http://host:5000, sqlite:///mlflow.db, ./mlruns, proposals.json",
      ),
    )
    .addOption(
      new Option(
        '--workspace <name>',
        "with --from: the workspace of MLflow 3 to read, '*' for all of them (default: the server's own, of a database default)",
      ),
    )
    .addOption(
      new Option(
        '--to <uri>',
        "deliver here instead of to the configuration's sinks, can be repeated: out.json, out.ndjson.gz, - for standard output, datahub+http://host:8080, kafka://host:9092?registry=http://host:8081",
      ).argParser((uri: string, before: readonly string[] | undefined) => [...(before ?? []), uri]),
    )
    .addOption(new Option('--dry-run', 'do everything but writing'))
    .addOption(new Option('--report <file>', 'write what the run did as JSON'))
    .addOption(
      new Option(
        '--dead-letter <file>',
        'where to keep what could not be mapped or delivered (default: what the configuration says)',
      ),
    )
    .addOption(
      new Option(
        '--state <file>',
        "remember in this file, made when needed, instead of in the configuration's: send only what changed, go on where a run broke off, remove what is gone",
      ),
    )
    .addOption(new Option('--fresh', 'with a state: begin anew instead of where a run broke off'))
    .addOption(
      new Option('--full', 'with a state: read and send everything, also what has arrived before'),
    )
    .addOption(
      new Option(
        '--any-sink',
        'send the sinks also what other sinks had refused, for example where a sink has a new address',
      ),
    )
    .addOption(
      new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'auto: pretty on a terminal, else JSON lines')
        .choices(LOG_FORMATS)
        .default('auto'),
    )
    .addHelpText('after', () => examples(context.program));

  for (const [name, summary] of [
    ['run', 'run the pipeline (what is done when no command is given)'],
    ['check', 'reach the source and the sinks, say what was found, write nothing'],
    ['graph', 'print the wired pipeline as a Mermaid diagram'],
  ] as const) {
    program
      .command(name, { isDefault: name === 'run' })
      .description(summary)
      .helpOption('-h, --help', 'print this help')
      // Refused by hand, with a better message: as the default command, `run` gets every typo.
      .allowExcessArguments()
      .action(act(name));
  }
  program
    .command('replay')
    .argument('<file>', 'a dead-letter file')
    .description('send again what stands in a dead-letter file, and take out what arrives')
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments()
    .action(actReplay);
  program
    .command('migrate')
    .argument('<recipe>', "a recipe (YAML) of DataHub's own connector")
    .argument('[file]', 'the file to write, which must not be there yet (default: standard output)')
    .description('write the configuration that a recipe means; its secrets stay out of it')
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments()
    .action(actMigrate);
  const state = program
    .command('state')
    .description('look at what runs remember, or forget it (see --state)')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false);
  for (const [name, summary] of [
    ['show', 'say what the state file holds, as JSON with --log-format json'],
    ['reset', 'delete the state file: the next run reads and sends everything'],
  ] as const) {
    state
      .command(name)
      .description(summary)
      .helpOption('-h, --help', 'print this help')
      .allowExcessArguments()
      .action(act(`state ${name}`));
  }
  return program;
}

function refuseExtraArguments(command: Command, expected = 0): void {
  const first = command.args[expected];
  if (first === undefined) return;
  const names = ['run', 'check', 'graph', 'replay', 'migrate', 'state'];
  const ofState = command.parent?.name() === 'state';
  const meant = ofState || names.includes(first) ? undefined : didYouMean(first, names);
  const advice = ofState
    ? 'The state file is given with --state'
    : 'Sources are given with --from, sinks with --to';
  const text = names.includes(first)
    ? `only one command at a time, and it comes first: ${first}`
    : meant === undefined
      ? `unknown argument "${first}". ${advice}`
      : `unknown command "${first}", did you mean "${meant}"?`;
  throw new PipelineError(text, { code: 'USAGE', category: 'usage' });
}

/** An option that would be ignored is refused, as in the configuration. */
function refuseMeaningless(options: CliOptions, command: CommandName): void {
  const given = MEANINGLESS[command].find(([key]) => options[key] !== undefined);
  if (given === undefined) return;
  throw new PipelineError(`${given[1]} has no meaning for ${command}`, {
    code: 'USAGE',
    category: 'usage',
  });
}

function examples(program: string): string {
  return `
Examples:
  ${program}
      the bundled example, or what MLFLOW_TRACKING_URI says, to mlflow-proposals.json
  ${program} --from http://localhost:5000 --to out.json
  ${program} --from sqlite:///mlflow.db --to - | jq .entityUrn
  ${program} check --from https://mlflow.example.com
  ${program} --from https://mlflow.example.com --workspace '*' --to out.json
  ${program} --config my.config.ts --dry-run --report report.json
  ${program} --config recipe.yml
  ${program} migrate recipe.yml pipeline.config.ts
  ${program} --from http://localhost:5000 --to datahub+http://localhost:8080
  ${program} --from http://localhost:5000 --to datahub+http://localhost:8080 --state mlflow.state
      each time only what changed since the last; what is gone is removed
  ${program} --state mlflow.state --dry-run
      what would be removed
  ${program} state show --state mlflow.state
  ${program} replay mlflow-proposals.dead-letter.ndjson --to datahub+http://localhost:8080

Exit status:
  0 all delivered    1 finished, but some records were rejected, or too much would be removed
  2 wrong usage or configuration    3 source, sink or state unavailable, or gave up
  130, 143 stopped by SIGINT, SIGTERM, after what was on its way was delivered
`;
}
