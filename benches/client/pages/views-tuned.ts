/** A page with the tuned view. */
import { viewMeasurementsOf } from './measure-views.ts';
import { TunedView } from './tuned-view.ts';

Object.assign(globalThis, { bench: viewMeasurementsOf(() => new TunedView()) });
