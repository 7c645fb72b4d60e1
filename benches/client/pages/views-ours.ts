/** A page with views of our store. */
import { viewMeasurementsOf } from './measure-views.ts';
import { OurView } from './our-view.ts';

Object.assign(globalThis, { bench: viewMeasurementsOf(() => OurView.make()) });
