/** What commands call an image and its part. */
import { formatSelector } from 'ukfs';
import type { ImageName } from '../../context.ts';
import type { Named } from '../model/words.ts';

export const namedAs = ({ image, selectors }: ImageName): Named => ({
  image,
  partition: selectors.map(formatSelector).join(':'),
});
