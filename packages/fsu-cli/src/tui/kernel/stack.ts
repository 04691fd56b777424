/** What an image is made of, as a tree: the image, its partitions, the file systems in them. */
import type { ImageReport } from 'ukfs';
import { humanGnu } from '../../format/size.ts';
import { safeText } from '../../format/name.ts';
import type { ImageName } from '../../context.ts';
import { nestOf } from '../../nest.ts';
import type { StackNode } from '../model/state.ts';

/** Addresses are what commands take: `disk.img`, `disk.img:2`, `disk.img:1:b`, `disk.img:1:file=vm.img:2`. */
export function stackOf(image: ImageName, report: ImageReport): readonly StackNode[] {
  const { whole, around } = nestOf(image);
  const file = around?.path ?? image.image;
  const own = report.candidates.find(({ selector }) => selector === '');
  const table = report.table === undefined ? '' : `${report.table.toUpperCase()} `;
  const size = humanGnu(report.sizeBytes);
  const root: StackNode = {
    id: whole.text,
    depth: 0,
    kind: own?.kind === 'fs' ? 'fs' : 'image',
    label: safeText(file.slice(file.lastIndexOf('/') + 1)),
    detail: `${table}${safeText(own === undefined ? '' : shortened(own.description))} ${size}`.trim(),
    advice: own?.advice ?? '',
  };
  const parts = report.candidates
    .filter(({ selector }) => selector !== '')
    .map(({ selector, kind, description, label, device, advice, type }): StackNode => ({
      id: `${whole.text}:${selector}`,
      depth: selector.split(':').length,
      kind: kind === 'fs' && type !== undefined ? 'fs' : 'other',
      label: safeText(`${selector}${label === '' ? '' : ` ${label}`}`),
      detail: `${safeText(shortened(description))} ${humanGnu(device.sizeBytes)}`.trim(),
      advice: safeText(advice),
    }));
  return [root, ...parts];
}

/** What has room beside the lists; that it is a file system, its place in the tree tells. */
const shortened = (description: string): string => description.replace(/ file system$/, '');
