/** A page with the guide's reducer. */
import { GuideReducer } from './guide-reducer.ts';
import { measurementsOf } from './measure.ts';

Object.assign(globalThis, { bench: measurementsOf(new GuideReducer()) });
