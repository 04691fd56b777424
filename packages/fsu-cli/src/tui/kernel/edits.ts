/**
 * Edits of the browser: lines of a script, each under a mark to come back to. Nothing of an image changes before commit(). They run
 * one after the other, whatever comes meanwhile.
 */
import type { Job } from 'ukfs/remote';
import { FsError } from 'ukfs';
import type { CheckHow, CommitHow, CommitProgress, Ukfs } from 'ukfs';
import { UsageError } from '../../command.ts';
import { Context } from '../../context.ts';
import type { ImageName } from '../../context.ts';
import { commitEdits, endEdits } from '../../edit.ts';
import { reportOf } from '../../edit/report.ts';
import { describeError, Exit } from '../../errors.ts';
import { safeText } from '../../format/name.ts';
import type { Images } from '../../images.ts';
import type { Progress } from '../../progress.ts';
import { newState, readScript } from '../../script/lines.ts';
import { Marks } from '../../script/marks.ts';
import { Runner } from '../../script/runner.ts';
import type { PlannedLine } from '../../script/runner.ts';
import { Capture } from './capture.ts';
import type { CommitAdvance } from '../model/ask.ts';
import type { Reviewed } from '../model/editing-state.ts';
import type { Said } from './capture.ts';
import type { Named } from '../model/words.ts';
import { namedAs } from './named.ts';

/** What became of a line. */
export interface LineResult extends Said {
  /** It would change something, and nobody has said that anything may be changed: it was not run. */
  readonly needsWord: boolean;
  /** It has changed something, which is staged. */
  readonly isStaged: boolean;
  /** File systems that are open to be changed, now that it has run. */
  readonly held: readonly Named[];
  readonly status: number;
}

/** Counts for the screen: a part of the answer while a line runs. */
interface Advance {
  readonly files: number;
  readonly bytes: number;
}

/** Between two of them the screen learns nothing. */
const FILES_BETWEEN = 50;
const BYTES_BETWEEN = 1 << 20;

/** A person has had enough of the line that runs. No FsError: commands go on after one with the next file. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Some commands that may edit are mostly used to look, or to copy out. */
function isEdit({ verb, words, does }: PlannedLine): boolean {
  if (does.kind !== 'command') return false;
  if (verb === 'get') return does.args.options.some(({ name }) => name === 'delete');
  if (does.command.image !== 'write') return false;
  return verb !== 'find' || words.some((word) => /^-(delete|exec|ok|fprint|fls)/.test(word));
}

export class Edits {
  readonly #capture: Capture;
  readonly #ctx: Context;
  readonly #runner: Runner;
  /** One for each staged edit. */
  #marks: Marks[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #job: Job | undefined;
  /** What runs, and what waits for its turn. */
  #pending = 0;
  #isStopped = false;
  #advance = { files: 0, bytes: 0, told: 0 };

  constructor(ctx: Context, image: ImageName) {
    this.#capture = new Capture(ctx.shell);
    this.#ctx = this.#context(ctx, ctx.images);
    this.#runner = new Runner(this.#ctx, { image, place: () => 'fsu', stdin: this.#capture.shell.stdin });
  }

  /** For what one operation reports and how it ends: statuses are never taken back. */
  #context({ settings, words }: Context, images: Images): Context {
    const { shell } = this.#capture;
    return new Context({
      program: 'fsu browse',
      shell,
      settings,
      schema: 'fsu.browse',
      words,
      images,
      progress: this.#progress(),
    });
  }

  #progress(): Progress {
    return {
      files: (count) => this.#moved(count, 0),
      bytes: (count) => this.#moved(0, count),
      hide: () => undefined,
      end: () => undefined,
    };
  }

  /** The one place where a long line lets others have a turn, and where it is given up. */
  #moved(files: number, bytes: number): void {
    const advance = this.#advance;
    advance.files += files;
    advance.bytes += bytes;
    const step = Math.floor(advance.files / FILES_BETWEEN) + Math.floor(advance.bytes / BYTES_BETWEEN);
    if (step !== advance.told) {
      advance.told = step;
      this.#job?.tell({ files: advance.files, bytes: advance.bytes } satisfies Advance);
    }
    this.#job?.preempt();
    if (this.#isStopped) throw new Stopped('stopped');
  }

  /**
   * Give up the line that runs, as soon as it can be; its own answer tells whether it was in time. (A call that is cancelled has no
   * answer: who gave it up would not know what is staged.)
   */
  stop(): undefined {
    // It may have come with its line, before that had its turn.
    this.#isStopped = this.#pending > 0;
    return undefined;
  }

  #inTurn<T>(job: Job, act: () => Promise<T>): Promise<T> {
    const turn = async (): Promise<T> => {
      this.#job = job;
      this.#advance = { files: 0, bytes: 0, told: 0 };
      try {
        return await act();
      } finally {
        this.#job = undefined;
        this.#pending--;
        this.#isStopped = false;
      }
    };
    this.#pending++;
    const done = this.#last.then(turn, turn);
    this.#last = done;
    return done;
  }

  /** Run lines, all or none: what fails or is stopped changes nothing. `mayEdit`: a person has said that things may be changed. */
  run(job: Job, text: string, { mayEdit }: { readonly mayEdit: boolean }): Promise<LineResult> {
    return this.#inTurn(job, async () => {
      const lines = await this.#tryPlan(text);
      const edits = lines?.some(isEdit) === true;
      if (edits && !mayEdit)
        return { ...this.#capture.take(), status: 0, isStaged: false, held: this.#held, needsWord: true };
      const marks = new Marks(this.#ctx.images);
      const status = await this.#runAll(lines, marks);
      const isStaged = status === 0 && edits;
      if (isStaged) this.#marks.push(marks);
      else marks.end(status === 0 ? 'keep' : 'take back');
      const said = this.#capture.take();
      return {
        ...said,
        ...(this.#isStopped ? { messages: [status === 0 ? 'done before it could be cancelled' : 'cancelled'] } : {}),
        status,
        isStaged,
        held: this.#held,
        needsWord: false,
      };
    });
  }

  get #held(): readonly Named[] {
    return this.#ctx.images.edited.map(({ name }) => namedAs(name));
  }

  /** The lines' status. Throws what is no failure of a line's, after taking back what they did. */
  async #runAll(lines: readonly PlannedLine[] | undefined, marks: Marks): Promise<number> {
    if (lines === undefined) return Exit.usage;
    this.#runner.cwd = { image: this.#runner.image, dir: '/' };
    try {
      for (const line of lines) {
        if (this.#isStopped) return Exit.interrupted;
        const status = await this.#runner.run(line);
        if (status !== 0) return status;
      }
      return Exit.done;
    } catch (thrown) {
      if (!(thrown instanceof FsError)) {
        marks.end('take back');
        throw thrown;
      }
      this.#capture.shell.err(`fsu: ${describeError(thrown)}\n`);
      return Exit.failed;
    }
  }

  /** undefined: they make no sense, which has been said. */
  async #tryPlan(text: string): Promise<readonly PlannedLine[] | undefined> {
    try {
      return await this.#planned(text);
    } catch (thrown) {
      if (!(thrown instanceof UsageError)) throw thrown;
      this.#capture.shell.err(`fsu: ${safeText(thrown.message)}\n`);
      return undefined;
    }
  }

  async #planned(text: string): Promise<readonly PlannedLine[]> {
    const { lines, problems } = readScript(`${text}\n`, newState());
    const [problem] = problems;
    if (problem !== undefined) throw new UsageError(problem.message);
    return Promise.all(lines.map((line) => this.#runner.plan(line)));
  }

  /** Take back the last staged edit. Errors: EINVAL there is none. */
  undo(job: Job): Promise<void> {
    return this.#inTurn(job, async () => {
      const marks = this.#marks.pop();
      if (marks === undefined) throw new FsError('EINVAL', { what: 'nothing to undo' });
      marks.end('take back');
    });
  }

  discard(job: Job): Promise<void> {
    return this.#inTurn(job, async () => {
      this.#marks = [];
      for (const { fs } of this.#ctx.images.edited) fs.discard();
      this.#ctx.images.forgetActs(0);
    });
  }

  /** What a commit would do. */
  review(job: Job): Promise<readonly Reviewed[]> {
    const how = { pause: () => job.pause() };
    return this.#inTurn(job, async () =>
      this.#ctx.images.edited.map(({ name, fs }) => {
        const report = reportOf(fs, how);
        const wrong = report.bytes === 0 ? undefined : errorsBrought(fs, how);
        return {
          ...report,
          image: name.text,
          verdict: wrong ?? 'the checker finds no error that was not there before',
          isSound: wrong === undefined,
        };
      }),
    );
  }

  /**
   * Make durable what is staged. Errors: ECANCELED it was stopped before the first commit point, and all is still staged; those of the
   * commit: nothing has changed then, unless the message says so.
   */
  commit(job: Job): Promise<readonly string[]> {
    return this.#inTurn(job, async () => {
      const ctx = this.#context(this.#ctx, this.#ctx.images);
      const { open, edit } = ctx.settings;
      if (open.dryRun === true) throw new FsError('EROFS', { what: 'this is a dry run: nothing is committed' });
      // A copy that is edited gets its name at the end of an edit.
      const how = this.#committing(job);
      await (edit.output === undefined ? commitEdits(ctx, how) : endEdits(ctx, how));
      const { messages } = this.#capture.take();
      if (how.isGivenUp) throw new FsError('ECANCELED', { what: 'cancelled: nothing was committed' });
      if (ctx.status !== 0) throw new FsError('EIO', { what: messages.join('; ') });
      this.#marks = [];
      return messages;
    });
  }

  /** Others have turns meanwhile, and a person may have enough of it, until the first image is changed. */
  #committing(job: Job): Required<CommitHow> & { readonly isGivenUp: boolean } {
    let [isPast, isGivenUp, told] = [false, false, ''];
    const tell = (into: CommitAdvance['into'], { doneBytes, totalBytes }: CommitProgress): void => {
      const step = `${into} ${Math.floor(doneBytes / BYTES_BETWEEN)}`;
      if (step !== told) job.tell({ into, doneBytes, totalBytes } satisfies CommitAdvance);
      told = step;
      job.share();
    };
    return {
      gathering: (progress) => {
        tell('log', progress);
        if (!this.#isStopped || isPast) return;
        isGivenUp = true;
        throw new FsError('ECANCELED');
      },
      applying(progress) {
        isPast = true;
        tell('image', progress);
      },
      get isGivenUp() {
        return isGivenUp;
      },
    };
  }
}

/** What the checker finds that was not there before; undefined: nothing. */
function errorsBrought(fs: Ukfs, how: CheckHow): string | undefined {
  try {
    fs.verify(how);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof FsError) || thrown.code === 'ECANCELED') throw thrown;
    return describeError(thrown);
  }
}
