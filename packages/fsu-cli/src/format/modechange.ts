/**
 * Modes as chmod(1) takes them: octal, or symbolic as POSIX has them with GNU's additions (`+X`, copies, an octal number after
 * an operator). The umask counts where nobody is named. On directories set-user-ID and set-group-ID stay unless they are
 * mentioned, or the octal mode has five digits: GNU's rule, since there they say who owns new files.
 */
const SETID = 0o6000;
const STICKY = 0o1000;
const ALL = 0o7777;
const EXECUTE = 0o111;

/** The bits that each `who` speaks for. */
const whoBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: ALL };
const permBits: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: EXECUTE, s: SETID, t: STICKY };

interface Step {
  readonly op: '+' | '-' | '=';
  /** Bits of those who are named; 0: nobody is. */
  readonly affected: number;
  readonly value: number;
  /** Bits that may change on directories, too. */
  readonly mentioned: number;
  /** `X`: execution, for directories and where somebody may execute already; or the class whose permissions are copied. */
  readonly special?: 'X' | 'u' | 'g' | 'o' | undefined;
}

interface About {
  readonly isDirectory: boolean;
  readonly umask: number;
}

export class ModeChange {
  readonly #steps: readonly Step[];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  /** The mode that comes of `mode`, both within 0o7777. */
  adjust(mode: number, { isDirectory, umask }: About): number {
    let now = mode & ALL;
    for (const step of this.#steps) {
      const keep = isDirectory ? SETID & ~step.mentioned : 0;
      const reach = (step.affected === 0 ? ALL & ~umask : step.affected) & ~keep;
      const bits = valueNow(step, now, isDirectory) & reach;
      if (step.op === '+') now |= bits;
      else if (step.op === '-') now &= ~bits;
      else now = (now & ((step.affected === 0 ? 0 : ALL & ~step.affected) | keep)) | bits;
    }
    return now;
  }
}

function valueNow({ special, value }: Step, now: number, isDirectory: boolean): number {
  if (special === undefined) return value;
  if (special === 'X') return isDirectory || (now & EXECUTE) !== 0 ? value | EXECUTE : value;
  const one = (now >>> { u: 6, g: 3, o: 0 }[special]) & 7;
  return one * EXECUTE;
}

/** The mode itself, nothing of what was there left. */
export const exactMode = (mode: number): ModeChange =>
  new ModeChange([{ op: '=', affected: ALL, value: mode & ALL, mentioned: ALL }]);

/** undefined: it is no mode. */
export function parseMode(text: string): ModeChange | undefined {
  if (/^[0-7]+$/.test(text)) {
    const value = Number.parseInt(text, 8);
    if (value > ALL) return undefined;
    const mentioned = text.length < 5 ? value | 0o777 : ALL;
    return new ModeChange([{ op: '=', affected: ALL, value, mentioned }]);
  }
  const steps: Step[] = [];
  for (const clause of text.split(',')) {
    const [, who, actions = ''] = /^([ugoa]*)([-+=].*)$/.exec(clause) ?? [];
    if (who === undefined) return undefined;
    const affected = [...who].reduce((bits, letter) => bits | (whoBits[letter] ?? 0), 0);
    for (const action of actions.match(/[-+=][^-+=]*/g) ?? []) {
      const step = parseAction(action, affected);
      if (step === undefined) return undefined;
      steps.push(step);
    }
  }
  return new ModeChange(steps);
}

const isOperator = (letter: string): letter is Step['op'] => letter === '+' || letter === '-' || letter === '=';

function parseAction(action: string, affected: number): Step | undefined {
  const op = action.charAt(0);
  const rest = action.slice(1);
  if (!isOperator(op)) return undefined;
  if (rest === 'u' || rest === 'g' || rest === 'o') return { op, affected, value: 0, mentioned: 0, special: rest };
  if (/^[0-7]+$/.test(rest)) {
    const value = Number.parseInt(rest, 8);
    return affected !== 0 || value > ALL ? undefined : { op, affected: ALL, value, mentioned: ALL };
  }
  if (!/^[rwxXst]*$/.test(rest)) return undefined;
  const value = [...rest].reduce((bits, letter) => bits | (permBits[letter] ?? 0), 0);
  const mentioned = affected === 0 ? value : affected & value;
  return { op, affected, value, mentioned, special: rest.includes('X') ? 'X' : undefined };
}
