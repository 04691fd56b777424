/** What find does with the files an expression is true of: prints them, here or into host files, or removes them. */
import { FsError } from 'ukfs';
import type { Stat, Timespec } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Context } from '../context.ts';
import { entryMembers } from '../entries.ts';
import type { Json } from '../format/json.ts';
import { modeText } from '../format/mode.ts';
import { parseDate } from '../format/timeparse.ts';
import { styleName } from '../format/name.ts';
import type { HostSide, HostWriter } from '../host-files.ts';
import { withHostFile } from '../out.ts';
import type { Owners } from '../owners.ts';
import type { Actions } from './parse.ts';
import { compilePrintf } from './printf.ts';
import type { Removals } from './removals.ts';
import type { Test } from './tests.ts';
import type { Visit } from './visit.ts';

/** Not an error: -quit or -exit was met. */
export class FindEnd extends Error {
  override readonly name = 'FindEnd';
}

interface ActionsInit {
  readonly ctx: Context;
  /** Present when the expression writes host files. */
  readonly host: HostSide | undefined;
  readonly removals: Removals;
  /** -X: names that xargs would take apart are failures. */
  readonly forXargs: boolean;
}

export class FindActions implements Actions {
  readonly now: Timespec;
  readonly endOfToday: Timespec;
  /** The exit status of -exit, when it was met. */
  ended: number | undefined;
  /** Files that the command line names, and where their attributes go. */
  readonly references: { readonly word: string; stat?: Stat }[] = [];
  readonly #init: ActionsInit;
  readonly #checks: ((owners: Owners) => void)[] = [];
  readonly #files = new Map<string, HostWriter>();

  constructor(init: ActionsInit) {
    const { clock, shell } = init.ctx;
    this.#init = init;
    this.now = shell.now();
    const local = this.now.sec + clock.offset(this.now.sec);
    this.endOfToday = { sec: this.now.sec - (local % 86400) + 86400, nsec: 0 };
  }

  reference(word: string): () => Stat {
    const slot: { readonly word: string; stat?: Stat } = { word };
    this.references.push(slot);
    return () => {
      if (slot.stat === undefined) throw new FsError('ENOENT', { path: word });
      return slot.stat;
    };
  }

  moment(text: string): Timespec {
    const parsed = parseDate(text, this.#init.ctx.clock);
    const moment = parsed === 'now' ? this.now : parsed;
    if (moment === undefined)
      throw new UsageError(`'${text}' is no time; write 2026-01-31, 2026-01-31T12:30:00Z or @SECONDS`);
    return moment;
  }

  check(look: (owners: Owners) => void): void {
    this.#checks.push(look);
  }

  /** Is all that the expression names known to an image? UsageError. */
  checkImage(owners: Owners): void {
    for (const look of this.#checks) look(owners);
  }

  quit(status: number): never {
    this.ended = status;
    throw new FindEnd('end of the search');
  }

  remove(): Test {
    return (file) => this.#init.removals.add(file);
  }

  printf(format: string, file?: string): Test {
    if (file === undefined && this.#init.ctx.json !== undefined)
      throw new UsageError('-printf has no place in a JSON document');
    const text = compilePrintf(format, this.#init.ctx.clock);
    const put = this.#writer(file);
    return (visit) => {
      put(text(visit));
      return true;
    };
  }

  print(how: 'line' | 'nul' | 'xargs' | 'long', file?: string): Test {
    const { ctx } = this.#init;
    const put = this.#writer(file);
    const text = this.#textOf(how, file === undefined && ctx.out.isTTY);
    const told: Test = (visit) => {
      if (file === undefined && ctx.json !== undefined) this.#tell(visit);
      else put(text(visit));
      return true;
    };
    if (!this.#init.forXargs || how === 'long' || how === 'nul') return told;
    return (visit) => this.#isPlain(visit) && told(visit);
  }

  #textOf(how: 'line' | 'nul' | 'xargs' | 'long', isTTY: boolean): (file: Visit) => string {
    if (how === 'nul') return ({ shown }) => `${shown}\0`;
    if (how === 'long') return (file) => longLine(file, this.#init.ctx);
    if (how === 'xargs') return ({ shown }) => `${shown.replace(XARGS_ALL, '\\$&')}\n`;
    return isTTY ? ({ shown }) => `${this.#init.ctx.shownName(shown)}\n` : ({ shown }) => `${shown}\n`;
  }

  #isPlain({ shown }: Visit): boolean {
    if (!XARGS.test(shown)) return true;
    this.#init.ctx.fail(new FsError('EINVAL', { what: 'xargs would take this name apart' }), shown);
    return false;
  }

  #writer(file: string | undefined): (text: string) => void {
    const { ctx, host } = this.#init;
    if (file === undefined || file === '/dev/stdout') return (text) => ctx.out.text(text);
    if (file === '/dev/stderr') return (text) => ctx.shell.err(text);
    let writer = this.#files.get(file);
    if (writer === undefined && host !== undefined) {
      writer = withHostFile(file, () => host.openForOverwriting(file));
      this.#files.set(file, writer);
    }
    return (text) => withHostFile(file, () => writer?.text(text));
  }

  closeFiles(): void {
    for (const [file, writer] of this.#files) withHostFile(file, () => writer.close());
    this.#files.clear();
  }

  #tell(file: Visit): void {
    const { ctx } = this.#init;
    const text = JSON.stringify(entryOf(file));
    if (ctx.settings.json === 'lines') ctx.out.text(`${text}\n`);
    else ctx.json?.elementText(text);
  }
}

/** What xargs(1) takes for more than itself. */
const XARGS = /[ \t\n"'\\]/;
const XARGS_ALL = new RegExp(XARGS.source, 'g');

function entryOf(file: Visit): { readonly [key: string]: Json } {
  const { start, path, entry, stat, target } = file;
  return entryMembers({ start, owners: start.owners, path, depth: entry.depth, stat, target });
}

/** -ls, as GNU has it. */
function longLine(file: Visit, { clock, out }: Context): string {
  const { stat, start, target, shown } = file;
  const name = (text: string): string => (out.isTTY ? styleName(text, 'escape') : text);
  const size =
    stat.rdev === undefined ? String(stat.size).padStart(8) : `${`${stat.rdev.major}, ${stat.rdev.minor}`.padStart(8)}`;
  return `${[
    String(stat.ino).padStart(9),
    String(Math.ceil(stat.bytes / 1024)).padStart(6),
    modeText(stat.type, stat.mode),
    String(stat.nlink).padStart(3),
    (start.owners.user(stat.uid) ?? String(stat.uid)).padEnd(8),
    (start.owners.group(stat.gid) ?? String(stat.gid)).padEnd(8),
    size,
    clock.ls(stat.mtime.sec),
    name(shown) + (target === undefined ? '' : ` -> ${name(target)}`),
  ].join(' ')}\n`;
}
