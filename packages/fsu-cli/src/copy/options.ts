/** What the options of the copying commands have in common. */
import type { CopyOptions } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Invocation, OptionSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { Given } from '../given.ts';
import type { HostTreeOptions } from '../host.ts';
import { placeOf } from '../place.ts';
import type { Place } from '../place.ts';
import type { CopyPlan } from './engine.ts';
import type { HostNameRule } from './hostnames.ts';
import { MANIFEST_NAME } from './manifest/record.ts';
import type { Into } from './target.ts';

const HOST_NAMES: readonly HostNameRule[] = ['posix', 'windows', 'mac'];

interface Places {
  readonly sources: readonly Place[];
  readonly dest: Place;
  readonly into: Into;
}

/** The operands of cp and mv: the last one is where to, unless -t says it. UsageError. */
export function placesOf(ctx: Context, args: Invocation): Places {
  const all = args.operands.map((operand) => placeOf(ctx, operand));
  const given = new Given(args);
  const directory = given.value('target-directory');
  const isName = given.has('no-target-directory');
  if (directory !== undefined && isName) throw new UsageError('-t and -T exclude each other');
  const dest = directory === undefined ? all.pop() : placeOf(ctx, directory);
  if (dest === undefined || all.length === 0) throw new UsageError('give a source and a destination');
  if (isName && all.length > 1) throw new UsageError('-T: one source and one destination');
  return { sources: all, dest, into: directory === undefined ? (isName ? 'never' : 'directory') : 'always' };
}

/** Between host and host there are better tools. UsageError. */
export function usageUnlessImage(place: Place): Place & { readonly kind: 'image' } {
  if (place.kind === 'image') return place;
  throw new UsageError(`${place.shown}: no image in it: give an address, such as disk.img:/etc`);
}

/** For copies that may have a host side. */
export const manifestOptions: readonly OptionSpec[] = [
  {
    flags: '--manifest [file]',
    summary: 'keep what the host cannot hold in a file beside the copy; read it when copying in',
    bare: MANIFEST_NAME,
  },
  {
    flags: '--host-names <rule>',
    summary: 'map names that such a host cannot hold (default: those of this one)',
    choices: HOST_NAMES,
  },
];

export function manifestOf(args: Invocation): Pick<CopyPlan, 'manifest' | 'hostNames'> {
  const given = new Given(args);
  const file = given.value('manifest');
  const rule = HOST_NAMES.find((name) => name === given.value('host-names'));
  return {
    ...(file === undefined ? {} : { manifest: { file: file === MANIFEST_NAME ? undefined : file } }),
    ...(rule === undefined ? {} : { hostNames: rule }),
  };
}

export const sparseOption: OptionSpec = {
  flags: '--sparse <when>',
  summary: 'holes: auto (as in the source), always (zeros too), never',
  choices: ['auto', 'always', 'never'],
};

export function holesOf(args: Invocation): NonNullable<CopyOptions['holes']> {
  const sparse = new Given(args).value('sparse');
  return sparse === 'always' ? 'detect' : sparse === 'never' ? 'fill' : 'keep';
}

export const isVerbose = (ctx: Context, args: Invocation): boolean =>
  new Given(args).has('verbose') || ctx.settings.verbose > 0;

/** get, put and ecp: -L follows every link, and an operand that is one gets the name of what it leads to. */
export const followOf = (args: Invocation): NonNullable<CopyOptions['follow']> =>
  new Given(args).has('dereference') ? 'always' : 'never';

/** A host that is only read. */
const READ_ONLY: HostTreeOptions = { owners: false, specialModes: false, devices: false, xattrs: false };

/** Out of an image, by the options of get. */
export function outPlan(ctx: Context, args: Invocation): CopyPlan {
  const given = new Given(args);
  const all = given.has('preserve', 'archive');
  const xattrs = given.has('xattrs', 'archive');
  return {
    ...common(ctx, args, { keep: given.has('manifest') ? {} : { owner: all, xattrs } }),
    host: { owners: all, specialModes: all, devices: given.has('devices', 'archive'), xattrs },
  };
}

/** Into an image, by the options of put. */
export function inPlan(ctx: Context, args: Invocation): CopyPlan {
  const given = new Given(args);
  return {
    ...common(ctx, args, { recursive: given.has('recursive', 'r') }),
    host: { ...READ_ONLY, xattrs: given.has('xattrs', 'archive') },
  };
}

function common(ctx: Context, args: Invocation, copy: CopyOptions): Omit<CopyPlan, 'host'> {
  const given = new Given(args);
  return {
    copy: {
      ...copy,
      follow: followOf(args),
      holes: holesOf(args),
      ...(given.has('no-clobber') ? { existing: 'skip' as const } : {}),
    },
    resolve: given.has('dereference'),
    into: 'directory',
    parents: given.has('parents') ? 'made' : 'needed',
    verbose: isVerbose(ctx, args),
    move: given.has('delete'),
    ...manifestOf(args),
  };
}
