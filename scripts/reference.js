// Writes the reference of all options from the components' own schemas, and that of the command from
// its parser, so that it can't go stale: docs/configuration.md, and the part of README.md between its
// markers.
//
//   node scripts/reference.js           writes
//   node scripts/reference.js --check   only says whether they are up to date (exit status 1: no)
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { format, resolveConfig } from 'prettier';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const README_MARKERS = ['<!-- reference:start -->', '<!-- reference:end -->'];

/** In the order of the document; a schema of another folder is no option of a component. */
const SECTIONS = [
  ['config', 'The pipeline'],
  ['sources', 'Sources'],
  ['operators', 'Operators'],
  ['sinks', 'Sinks'],
];

/** Where the name of the schema does not say what the component is called. */
const FACTORIES = {
  pipeline: 'definePipeline',
  rest: 'restSource',
  sqliteStore: 'sqliteSource',
  fileStore: 'fileStoreSource',
  postgresql: 'postgresqlSource',
  mysql: 'mysqlSource',
};

const jiti = createJiti(import.meta.url, { fsCache: false });
// By jiti too: the schemas' descriptions are kept in the registry of the zod that made them.
const { z } = await jiti.import('zod');

const { buildProgram, MEANINGLESS } = await jiti.import(join(root, 'src', 'cli', 'program.ts'));

const components = await readComponents();
const documents = [
  ['docs/configuration.md', await tidy(configurationDocument(components), 'docs/configuration.md')],
];
const readme = await readmeWithReference(components);
if (readme !== undefined) documents.push(['README.md', readme]);

let stale = 0;
for (const [name, text] of documents) {
  const path = join(root, name);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (before === text) continue;
  stale += 1;
  if (process.argv.includes('--check'))
    console.error(`${name} is stale: node scripts/reference.js`);
  else writeFileSync(path, text);
}
if (process.argv.includes('--check') && stale > 0) process.exitCode = 1;

/** Every strict object that is exported by the name of something's schema or options. */
async function readComponents() {
  const found = [];
  for (const [folder, section] of SECTIONS) {
    const files = readdirSync(join(root, 'src', folder), { recursive: true })
      .filter((file) => file.endsWith('.ts'))
      .sort();
    for (const file of files) {
      const path = join(root, 'src', folder, file);
      if (!/export const \w+(Schema|Options)\b/.test(readFileSync(path, 'utf8'))) continue;
      for (const [name, schema] of Object.entries(await jiti.import(path))) {
        if (!/(Schema|Options)$/.test(name) || !(schema instanceof z.ZodObject)) continue;
        const short = name.replace(/(OptionsSchema|Schema|Options)$/, '');
        found.push({ section, name: FACTORIES[short] ?? short, rows: rowsOf(schema, name) });
      }
    }
  }
  return found;
}

function rowsOf(schema, name) {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  const rows = objectRows(json, '');
  const silent = rows.filter(({ meaning }) => meaning === '').map(({ key }) => key);
  if (silent.length > 0) throw new Error(`${name}: no .describe() for ${silent.join(', ')}`);
  return rows;
}

/** An object's own options follow the object, as `deadLetter.path`. */
function objectRows({ properties = {}, required = [] }, prefix) {
  return Object.entries(properties).flatMap(([key, property]) => [
    {
      key: `${prefix}${key}`,
      type: typeOf(property),
      fallback: defaultOf(property, required.includes(key)),
      meaning: property.description ?? '',
    },
    ...objectRows(property, `${prefix}${key}.`),
  ]);
}

function typeOf(property) {
  if (property.title !== undefined) return property.title;
  if (property.enum !== undefined) return property.enum.map((each) => code(each)).join(', ');
  if (property.const !== undefined) return code(property.const);
  const alternatives = property.anyOf ?? property.oneOf;
  if (alternatives !== undefined) return alternatives.map(typeOf).join(' or ');
  switch (property.type) {
    case 'string':
      return property.format === 'uri' ? 'URL' : 'text';
    case 'integer':
      return `whole number${range(property)}`;
    case 'number':
      return `number${range(property)}`;
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return `list of ${typeOf(property.items ?? {})}`;
    case 'object':
      return property.additionalProperties?.type === undefined
        ? 'object'
        : `object, each value a ${typeOf(property.additionalProperties)}`;
    default:
      return Array.isArray(property.type) ? property.type.join(' or ') : 'object';
  }
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const bounds = [
    minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? `at least ${minimum}` : '',
    exclusiveMinimum !== undefined ? `more than ${exclusiveMinimum}` : '',
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? `at most ${maximum}` : '',
    exclusiveMaximum !== undefined ? `less than ${exclusiveMaximum}` : '',
  ].filter((bound) => bound !== '');
  return bounds.length === 0 ? '' : `, ${bounds.join(', ')}`;
}

function defaultOf(property, isRequired) {
  if (isRequired) return 'required';
  // Shown with the options that stand in it.
  if (property.default === undefined || property.properties !== undefined) return '';
  return code(property.default);
}

function code(value) {
  return `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``;
}

function tableOf({ rows }) {
  if (rows.length === 0) return 'No options.\n';
  return table(
    ['option', 'type', 'default', 'meaning'],
    rows.map(({ key, type, fallback, meaning }) => [`\`${key}\``, type, fallback, meaning]),
  );
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const all = [heads, heads.map(() => '---'), ...rows.map((cells) => cells.map(cell))];
  return [...all.map(line), ''].join('\n');
}

function referenceOf(all, level) {
  return SECTIONS.flatMap(([, section]) => {
    const mine = all.filter((component) => component.section === section);
    return mine.length === 0
      ? []
      : [
          `${level} ${section}\n`,
          ...mine.flatMap((component) => [`${level}# \`${component.name}\`\n`, tableOf(component)]),
        ];
  }).join('\n');
}

function configurationDocument(all) {
  return `<!-- Made by scripts/reference.js from the components' schemas: do not edit. -->

# Configuration

A pipeline is what \`pipeline.config.ts\` exports: \`export default definePipeline({ ... })\`. The file that
\`--config FILE\` names is used, else the one in the current folder, else [the package's own](../pipeline.config.ts). It
may be TypeScript or JavaScript, lie in any folder, and import \`mlflow-datahub\` and \`rxjs\` without an install beside it.

Keys that are not listed here are refused, with a message that says what is allowed.

${referenceOf(all, '##')}`;
}

/** The command's own commands and options, as its help has them. */
function commandReference() {
  const nowhere = { write: () => true };
  const context = { program: 'mlflow-datahub', version: '', stdout: nowhere, stderr: nowhere };
  const program = buildProgram(context, () => {});
  const help = program.createHelp();
  const commands = help.visibleCommands(program).filter((command) => command.name() !== 'help');
  // A command of commands does nothing by itself.
  const rows = commands.flatMap((command) =>
    command.commands.length === 0
      ? [[command.name(), command]]
      : command.commands.map((each) => [`${command.name()} ${each.name()}`, each]),
  );
  return [
    '`node dist/pipeline.js [command] [options]`, or `mlflow-datahub` where the package is installed:\n',
    table(
      ['command', 'what it does'],
      rows.map(([name, command]) => [
        code([name, ...command.registeredArguments.map(argument)].join(' ')),
        command.description(),
      ]),
    ),
    table(
      ['option', 'default', 'meaning', 'not for'],
      help
        .visibleOptions(program)
        .map((option) => [
          code(option.flags),
          option.defaultValue === undefined ? '' : code(option.defaultValue),
          option.description + choices(option),
          meaninglessFor(option.attributeName()),
        ]),
    ),
  ].join('\n');
}

function argument(each) {
  return each.required ? `<${each.name()}>` : `[${each.name()}]`;
}

function choices({ argChoices }) {
  return argChoices === undefined ? '' : `; one of ${argChoices.map(code).join(', ')}`;
}

function meaninglessFor(name) {
  return Object.entries(MEANINGLESS)
    .filter(([, options]) => options.some(([key]) => key === name))
    .map(([command]) => code(command))
    .join(', ');
}

async function readmeWithReference(all) {
  const path = join(root, 'README.md');
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  const [start, end] = README_MARKERS.map((marker) => text.indexOf(marker));
  if (start < 0 || end < start) return undefined;
  // Under the README's own heading of the second level.
  const reference = `### The command\n\n${commandReference()}\n${referenceOf(all, '###')}`;
  const inside = `${README_MARKERS[0]}\n\n${reference}\n`;
  return tidy(text.slice(0, start) + inside + text.slice(end), 'README.md');
}

async function tidy(text, name) {
  const filepath = join(root, name);
  const ignored = readFileSync(join(root, '.prettierignore'), 'utf8').split('\n');
  if (ignored.includes(relative(root, filepath)) || ignored.includes('*.md')) return text;
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}
