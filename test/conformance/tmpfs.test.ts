import { tmpfs } from '@ukfs/kernel/fs/tmpfs';
import { tmpfsVariant } from '../support/adapters.ts';
import { declareSuite } from './declare.ts';

declareSuite(tmpfsVariant(tmpfs));
