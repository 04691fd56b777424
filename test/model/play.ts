/** Runs sequences on a file system and on the model, side by side, and makes a failing one short. */
import { FsError, type VfsSyscalls } from '@ukfs/kernel';
import type { Variant } from '../support/adapters.ts';
import { Rng } from '../support/rng.ts';
import { touchedDifference, treeDifference } from './compare.ts';
import { Generator, plainWeights, transactionWeights, type Surroundings } from './generate.ts';
import { Model, type Circumstances } from './model.ts';
import { outcomeText, stepText, type Outcome, type Step } from './steps.ts';
import { Subject } from './subject.ts';

export interface Failure {
  /** Index of the step, and what is wrong after it. */
  readonly at: number;
  readonly problem: string;
}

export interface Plan {
  readonly seed: number;
  readonly steps: number;
  /** Compare everything, and have the image judged, after so many steps. */
  readonly compareEvery: number;
  readonly judgeEvery: number;
  /** Have what is staged judged after each step that changed something, too. */
  readonly judgeEach?: boolean;
  readonly around?: Partial<Surroundings>;
  /** Puts broken calls in the place of sound ones, for the proof that this finds them. */
  readonly wrapSys?: (sys: VfsSyscalls) => VfsSyscalls;
}

/** Below this much free space, besides what a step asks for, ENOSPC is an honest answer. */
const SLACK_BYTES = 96 * 1024;
const FULL_PERCENT = 15;

/** One file system and its model, from a fresh image. */
export class Pair {
  readonly variant: Variant;
  readonly subject: Subject;
  readonly model: Model;
  /** What the last step came to. */
  last: Outcome = { code: 'none' };
  readonly reserved: ReadonlySet<string>;

  private constructor(variant: Variant, subject: Subject) {
    this.variant = variant;
    this.subject = subject;
    const { traits } = variant;
    const { uid, gid, mode, atime, mtime, ctime, birthtime = mtime } = subject.stat('/');
    const stats = { uid, gid, mode, atime, mtime, ctime, birthtime, nlink: 2 };
    this.model = new Model(traits, { ...stats, xattrs: new Map() });
    const names = subject
      .entries('/')
      .map(({ name }) => name)
      .filter((name) => name !== '.' && name !== '..');
    this.reserved = new Set(names.map((name) => `/${name}`));
    for (const path of this.reserved) {
      const stat = subject.stat(path);
      if (stat.type !== 'dir') throw new Error(`${path} of a fresh image is a ${stat.type}`);
      this.model.adopt(path, {
        type: 'dir',
        nlink: 2,
        xattrs: new Map(),
        uid: stat.uid,
        gid: stat.gid,
        mode: stat.mode,
        atime: stat.atime,
        mtime: stat.mtime,
        ctime: stat.ctime,
        birthtime: stat.birthtime ?? stat.mtime,
        entries: new Map(),
      });
      this.model.root.nlink++;
    }
  }

  static async open(variant: Variant, wrapSys?: (sys: VfsSyscalls) => VfsSyscalls): Promise<Pair> {
    const instance = await variant.newfs();
    instance.mount();
    const sys = wrapSys === undefined ? instance.k.sys : wrapSys(instance.k.sys);
    const pair = new Pair(variant, new Subject(instance, { sys, persistent: variant.traits.persistent }));
    // What the mount did (orphans, recovery) is part of the fresh image.
    pair.step({ op: 'commit' });
    return pair;
  }

  close(): void {
    this.subject.instance.k.halt();
  }

  /** Both do it; what is wrong then. */
  step(step: Step): string | undefined {
    const { subject, model } = this;
    const { host } = subject.instance;
    host.time = { sec: host.time.sec + 1, nsec: (host.time.nsec + 1_234_567) % 1_000_000_000 };
    let said: Outcome;
    try {
      said = subject.run(step);
    } catch (e) {
      return `${stepText(step)}: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`;
    }
    this.last = said;
    if (subject.complaint !== undefined) return subject.complaint;
    const should = model.run(step, this.#circumstances(said));
    if (outcomeText(said) !== outcomeText(should))
      return `${stepText(step)}: ${outcomeText(said)}, should be ${outcomeText(should)}`;
    const held = subject.held();
    if (held.length > 0 && model.handles.size === 0) return `after ${stepText(step)}: ${held.join(', ')}`;
    const whole = step.op === 'compare' || step.op === 'discard' || step.op === 'rollback' || step.op === 'remount';
    const difference = whole ? treeDifference(model, subject) : touchedDifference(model, subject, step);
    return difference === undefined ? undefined : `after ${stepText(step)}: ${difference}`;
  }

  /** What the judges say of the image as it would be committed now; undefined when it cannot be told. */
  judgeStaged(): string | undefined {
    const { disk } = this.subject.instance;
    // A file without a name that is open is noted as an orphan only by a commit.
    if (disk === undefined || this.model.handles.size > 0) return undefined;
    const stage = disk.stage();
    const bytes = new Uint8Array(stage.sizeBytes);
    stage.read(bytes, 0);
    return disk.complaint(bytes);
  }

  #circumstances(said: Outcome): Circumstances {
    const { subject } = this;
    return {
      now: subject.instance.host.time,
      said,
      mayBeFull: (bytes) => {
        const { freeBytes, freeFiles } = subject.space();
        return freeFiles === 0 || freeBytes < bytes * 1.1 + SLACK_BYTES;
      },
    };
  }

  isFull(): boolean {
    const { capacityBytes } = this.variant.traits;
    return capacityBytes > 0 && this.subject.space().freeBytes * 100 < capacityBytes * FULL_PERCENT;
  }
}

export interface Played {
  readonly steps: readonly Step[];
  readonly failure: Failure | undefined;
}

/** A new random sequence, until it is long enough or something is wrong. */
export async function playRandom(variant: Variant, plan: Plan): Promise<Played> {
  const pair = await Pair.open(variant, plan.wrapSys);
  const { instance } = pair.subject;
  const steps: Step[] = [];
  try {
    const generator = new Generator(new Rng(plan.seed), pair.model, {
      traits: variant.traits,
      weights: instance.disk === undefined ? plainWeights : transactionWeights,
      reserved: pair.reserved,
      pieceMax: 120_000,
      farMax: 400_000,
      ...plan.around,
    });
    const take = (step: Step): Failure | undefined => {
      steps.push(step);
      const problem = guarded(() => pair.step(step) ?? judged(pair, step, plan));
      return problem === undefined ? undefined : { at: steps.length - 1, problem };
    };
    for (let i = 1; i <= plan.steps; i++) {
      let failure = take(generator.next({ isFull: pair.isFull() }));
      if (i % plan.judgeEvery === 0) failure ??= take({ op: 'compare', judge: true });
      else if (i % plan.compareEvery === 0) failure ??= take({ op: 'compare', judge: false });
      if (failure !== undefined) return { steps, failure };
    }
    const failure = take({ op: 'compare', judge: true });
    return { steps, failure };
  } finally {
    pair.close();
  }
}

const LOOKING: ReadonlySet<Step['op']> = new Set([
  'read',
  'pread',
  'readdir',
  'readlink',
  'open',
  'savepoint',
  'compare',
]);

function judged(pair: Pair, step: Step, { judgeEach = false }: Pick<Plan, 'judgeEach'>): string | undefined {
  if (!judgeEach || LOOKING.has(step.op)) return undefined;
  const complaint = pair.judgeStaged();
  return complaint === undefined ? undefined : `after ${stepText(step)}: ${complaint}`;
}

/** Looking, too, may fail on a file system with a bug. */
function guarded(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (e) {
    return e instanceof FsError ? `${e.code}: ${e.message}` : e instanceof Error ? (e.stack ?? e.message) : String(e);
  }
}

/** The same steps again, on a fresh image. */
export async function replay(
  variant: Variant,
  steps: readonly Step[],
  how: Pick<Plan, 'wrapSys' | 'judgeEach'> = {},
): Promise<Failure | undefined> {
  const pair = await Pair.open(variant, how.wrapSys);
  try {
    for (const [at, step] of steps.entries()) {
      const problem = guarded(() => pair.step(step) ?? judged(pair, step, how));
      if (problem !== undefined) return { at, problem };
    }
    return undefined;
  } finally {
    pair.close();
  }
}
