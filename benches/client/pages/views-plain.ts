/** A page that filters, sorts and cuts its array at each render. */
import { viewMeasurementsOf } from './measure-views.ts';
import { PlainView } from './plain-view.ts';

Object.assign(globalThis, { bench: viewMeasurementsOf(() => new PlainView()) });
