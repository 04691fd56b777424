/**
 * Manual pages from the command table, in mdoc(7). Text goes on lines of its own, where only a leading dot or quote and
 * backslashes mean anything; the words of a macro's line are escaped against being read as macros.
 */
import { optionsOf, shapeOf } from '../command.ts';
import type { Command, OptionSpec } from '../command.ts';
import { aliasesOf } from '../commands/index.ts';
import { RELEASED, VERSION } from '../version.ts';
import { themes } from './themes.ts';
import { addresses, environment, exitStatuses } from './topics.ts';

/** Characters that roff takes for something else; others than ASCII's by their number. */
const escaped = (plain: string): string =>
  plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(
      /[^\n -~]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );

/** Text on lines of its own. */
const text = (plain: string): string => `${escaped(plain).replaceAll(/(^|\n)([.'])/g, '$1\\&$2')}\n`;

/** A sentence a line: what mdoc asks for. */
const sentences = (plain: string): string =>
  plain
    .split(/(?<=[^.]\.) (?=[A-Z'(-])/)
    .map(text)
    .join('');

/** One word in the line of a macro: quoted, so that it is an argument whatever is in it. */
const word = (plain: string): string => `"\\&${escaped(plain).replaceAll('"', '\\(dq')}"`;

const head = (title: string): string => `.Dd ${RELEASED}
.Dt ${title.toUpperCase()} 1
.Os ukfs ${VERSION}
`;

/** The page of a command: `fsu_ls.1`. */
export function commandPage(command: Command): string {
  const names = [`fsu_${command.name}`, ...aliasesOf(command.name).map((alias) => `fsu_${alias}`)];
  return [
    head(names[0] ?? ''),
    `.Sh NAME\n${names.map((name) => `.Nm ${name}`).join(' ,\n')}\n.Nd ${text(summaryOf(command))}`,
    synopsis(command),
    `.Sh DESCRIPTION\n`,
    sentences(command.summary),
    (command.description ?? []).map((paragraph) => `.Pp\n${sentences(paragraph)}`).join(''),
    options(optionsOf(command)),
    ...(command.tables ?? []).map(({ title, rows: all }) => `.Ss ${text(title)}${rows(all, 'Li')}`),
    command.statuses === undefined ? exitStatus() : '',
    examples(command),
    '.Sh SEE ALSO\n.Xr fsu 1\n',
  ].join('');
}

/** As a phrase: NAME sections have no full stop. */
const summaryOf = ({ summary }: Command): string =>
  summary.replace(/\.$/, '').replace(/^[A-Z]/, (c) => c.toLowerCase());

function synopsis({ name, image, synopsis: { addresses: operands, paths } }: Command): string {
  const modern = `.Nm fsu ${word(name)}\n.Op Ar options\n${operandWords(operands)}`;
  if (image === 'none') return `.Sh SYNOPSIS\n${modern}`;
  const mount = '.Op Fl t Ar type\n.Op Fl o Ar options\n.Op Fl v\n';
  return `.Sh SYNOPSIS\n${modern}.Nm fsu_${name}\n${mount}.Ar image\n.Op Ar options\n${operandWords(paths)}`;
}

const operandWords = (words: string): string =>
  words
    .split(' ')
    .filter((one) => one !== '')
    .map((one) => `.Ar ${word(one)}\n`)
    .join('');

function options(specs: readonly OptionSpec[]): string {
  const groups = new Map<string, OptionSpec[]>();
  for (const spec of specs) {
    const group = spec.group ?? 'Options:';
    groups.set(group, [...(groups.get(group) ?? []), spec]);
  }
  return [...groups]
    .map(([group, members]) => {
      const items = members.map((spec) => `.It ${spelling(spec)}\n${sentences(says(spec))}`);
      return `.Ss ${text(group.replace(/:$/, ''))}.Bl -tag -width Ds\n${items.join('')}.El\n`;
    })
    .join('');
}

function says({ summary, choices }: OptionSpec): string {
  const capital = summary.replace(/^[a-z](?=[a-z-]*\b)/, (c) => c.toUpperCase());
  return choices === undefined ? `${capital}.` : `${capital} (${choices.join(', ')}).`;
}

/** `-I pattern , --ignore = pattern` as macros. */
function spelling(spec: OptionSpec): string {
  const { short, long, takes, value = '' } = shapeOf(spec);
  const arg = word(value);
  const shortArg = takes === 'nothing' || long !== undefined ? '' : ` Ar ${arg}`;
  const longArg = takes === 'nothing' ? '' : takes === 'value' ? ` Ns = Ns Ar ${arg}` : ` Ns Op = Ns Ar ${arg}`;
  return [
    ...(short === undefined ? [] : [`Fl ${word(short)}${shortArg}`]),
    ...(long === undefined ? [] : [`Fl ${word(`-${long}`)}${longArg}`]),
  ].join(' , ');
}

function examples(command: Command): string {
  if (command.examples.length === 0) return '';
  const items = command.examples.map(
    ({ command: line, does }) => `.It\n${text(`${does}:`)}.Dl ${word(line.trimEnd())}\n`,
  );
  return `.Sh EXAMPLES\n.Bl -item\n${items.join('')}.El\n`;
}

const rows = (list: readonly { readonly term: string; readonly says: string }[], macro: string): string =>
  `.Bl -tag -width Ds\n${list.map(({ term, says: what }) => `.It ${macro} ${word(term)}\n${text(what)}`).join('')}.El\n`;

const exitStatus = (): string => `.Sh EXIT STATUS\n${rows(exitStatuses, 'Li')}`;

/** fsu(1). */
export async function overviewPage(): Promise<string> {
  const groups = (await themes()).map(({ title, commands }) => {
    const items = commands.map(({ name, summary }) => `.It Cm ${word(name)}\n${sentences(summary)}`);
    return `.Ss ${title}\n.Bl -tag -width Ds\n${items.join('')}.El\n`;
  });
  return [
    head('fsu'),
    '.Sh NAME\n.Nm fsu\n.Nd read and edit disk images\n',
    '.Sh SYNOPSIS\n.Nm fsu\n.Ar command\n.Op Ar options\n.Ar address ...\n',
    '.Nm fsu_command\n.Op Fl t Ar type\n.Op Fl o Ar options\n.Op Fl v\n.Ar image\n.Op Ar options\n.Op Ar path ...\n',
    '.Sh DESCRIPTION\n',
    sentences(
      'Reads and edits disk images: no root, no mount. Each command has two spellings, and each edit is a transaction: it happens wholly or not at all.',
    ),
    '.Sh COMMANDS\n',
    groups.join(''),
    `.Sh ADDRESSES\nAn address is\n.Ar ${word(addresses.form)} :\n${rows(addresses.rows, 'Li')}`,
    addresses.rules.map((rule) => `.Pp\n${sentences(rule)}`).join(''),
    `.Sh ENVIRONMENT\n${rows(environment, 'Ev')}`,
    exitStatus(),
    '.Sh SEE ALSO\n',
    text("Each command's page, fsu_COMMAND(1); 'fsu help --man COMMAND' writes it."),
  ].join('');
}
