/** A page with the tuned Map. */
import { measurementsOf } from './measure.ts';
import { TunedMap } from './tuned-map.ts';

Object.assign(globalThis, { bench: measurementsOf(new TunedMap()) });
