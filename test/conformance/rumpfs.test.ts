import { rumpfsVariant } from '../support/adapters.ts';
import { declareSuite } from './declare.ts';

declareSuite(rumpfsVariant);
