/** The heads of the columns: a click sorts, another one the other way round. */
import type { Column, Look } from './look';

const COLUMNS: readonly { readonly column: Column; readonly name: string }[] = [
  { column: 'visitor', name: 'Visitor' },
  { column: 'page', name: 'Current page' },
  { column: 'stay', name: 'On site' },
  { column: 'visits', name: 'Visits' },
  { column: 'tabs', name: 'Tabs' },
  { column: 'state', name: 'State' },
];

export function Head({ sort, by }: { sort: Look['sort']; by: (column: Column) => void }) {
  return (
    <div role="rowgroup" className="head">
      <div role="row" aria-rowindex={1} className="cells">
        {COLUMNS.map(({ column, name }) => (
          <div
            key={column}
            role="columnheader"
            className={`cell-${column}`}
            aria-sort={sort.column === column ? sort.direction : 'none'}
          >
            <button type="button" onClick={() => by(column)}>
              {name}
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}
