/** What a commit would change, before it does: files, places in the image, what the checker says, and the edits themselves. */
import { safeText } from '../../format/name.ts';
import type { Reviewed } from '../model/editing-state.ts';
import type { State } from '../model/state.ts';
import { span } from '../render/line.ts';
import type { Line, Style } from '../render/line.ts';
import type { ScreenModule } from './index.ts';
import { scrolling } from './scroll.ts';

export const review: ScreenModule<'review'> = {
  lines: (state, { top }, { height }) => linesOf(state).slice(top, top + height),
  actions: scrolling('review', (state) => linesOf(state).length),
};

function linesOf(state: State): readonly Line[] {
  const { screen, editing } = state;
  if (screen.name !== 'review') return [];
  const { images } = screen;
  const edits = editing.staged.flatMap(({ lines }, at) => {
    const number = `  ${at + 1}  `;
    return lines.map((line, nth): Line => [
      span(nth === 0 ? number : ' '.repeat(number.length), 'dim'),
      span(safeText(line)),
    ]);
  });
  return [
    [
      span('c', 'key'),
      span(' commit   '),
      span('Z', 'key'),
      span(' discard   '),
      span('u', 'key'),
      span(' undo the last   '),
      span('q', 'key'),
      span(' back'),
    ],
    [],
    ...(images === undefined ? [[span('looking at what has changed …', 'dim')]] : images.flatMap(imageLines)),
    [span(`${editing.staged.length} staged, first to last`, 'heading')],
    ...edits,
  ];
}

const styles: Readonly<Record<string, Style>> = { added: 'added', removed: 'removed' };

function imageLines({
  image,
  files,
  filesOmitted,
  extents,
  extentsOmitted,
  bytes,
  verdict,
  isSound,
}: Reviewed): readonly Line[] {
  return [
    [span(safeText(image), 'heading')],
    [span('  '), span(verdict, isSound ? 'added' : 'error')],
    ...files.map(({ path, change }): Line => [
      span(`  ${change.padEnd(9)}`, styles[change] ?? 'changed'),
      span(safeText(path)),
    ]),
    ...(filesOmitted > 0 ? [[span(`  and ${filesOmitted} more files`, 'dim')]] : []),
    [span(`  ${bytes} bytes of the image in ${extents.length + extentsOmitted} places`, 'dim')],
    ...extents
      .slice(0, EXTENTS)
      .map(({ offset, length }): Line => [span(`    ${offset}-${offset + length - 1}`, 'dim')]),
    ...(extents.length > EXTENTS
      ? [[span(`    and ${extents.length - EXTENTS + extentsOmitted} more places`, 'dim')]]
      : []),
    [],
  ];
}

/** Places that are listed: the files are what people look for. */
const EXTENTS = 20;
