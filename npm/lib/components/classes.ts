/** The component's own class, and the page's. */
export function classes(own: string, more: string | undefined): string {
  return more ? `${own} ${more}` : own;
}
