/** A visitor's letter on their own colour, the same in each place. Decoration: the name stands beside it. */
import type { CSSProperties } from 'react';
import { classes } from './classes.js';
import { hueOf, initialOf } from './people.js';

/** Whom to show. */
export interface VisitorAvatarProps {
  /** The visitor's id. */
  userId: string;
  /** A further class. */
  className?: string | undefined;
}

/** A visitor's letter and colour. `--acw-hue` on it is the colour, in degrees. */
export function VisitorAvatar({ userId, className }: VisitorAvatarProps) {
  return (
    <span
      className={classes('acw-avatar', className)}
      aria-hidden="true"
      style={{ '--acw-hue': hueOf(userId) } as CSSProperties}
    >
      {initialOf(userId)}
    </span>
  );
}
